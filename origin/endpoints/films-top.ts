import type { filmsTop as declared } from '../../shared/endpoints/films-top.ts';
import { films } from '../../shared/resources/films.ts';
import { reviews } from '../../shared/resources/reviews.ts';
import type { EndpointHandler } from '../access/own-answer.ts';

/** So many of the newest films of the genre are looked at, and of each so many of the newest reviews. */
const filmsMax = 100;
const reviewsOfFilmMax = 200;

export const filmsTop: EndpointHandler<typeof declared> = async (call) => {
  const { genre, limit } = call.input;
  const { data: ofGenre } = await call.list(films, { genres: genre, limit: filmsMax });
  const rated = await Promise.all(ofGenre.map(async ({ id, title = '', year = 0 }) => {
    const { data } = await call.list(reviews, { film: id, limit: reviewsOfFilmMax });
    const ratings = data.flatMap(({ rating }) => rating ?? []);
    return { id, title, year, mean: ratings.reduce((sum, rating) => sum + rating, 0) / ratings.length, reviews: ratings.length };
  }));
  const inOrder = rated.filter((film) => film.reviews > 0)
    .sort((a, b) => b.mean - a.mean || b.reviews - a.reviews || (a.id < b.id ? -1 : 1));
  return { data: inOrder.slice(0, limit) };
};
