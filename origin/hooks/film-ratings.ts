import { equals } from '../../shared/contract/rules.ts';
import { filmRatings } from '../../shared/resources/film-ratings.ts';
import { reviews } from '../../shared/resources/reviews.ts';
import { readModel } from '../read-models/read-model.ts';

/** Of published reviews alone: nobody learns from a mean what a draft says. */
export const filmRatingsOfReviews = readModel({
  name: 'film-ratings',
  from: [{ of: reviews, by: 'film', where: equals('status', 'published') }],
  into: filmRatings,
  async make(_film, documents) {
    let [count, sum] = [0, 0];
    for await (const { rating = 0 } of documents(reviews)) [count, sum] = [count + 1, sum + rating];
    return count === 0 ? undefined : { reviews: count, meanRating: Math.round((100 * sum) / count) / 100 };
  },
});
