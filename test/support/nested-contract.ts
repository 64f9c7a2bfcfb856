/** A contract over documents with others in them, as MongoDB's own sample data has them. */
import * as z from 'zod';
import { contract } from '../../shared/contract/contract.ts';
import { resource } from '../../shared/contract/resource.ts';
import { anyone, role } from '../../shared/contract/rules.ts';
import { integer } from '../../shared/contract/types.ts';
import { films } from '../../shared/resources/films.ts';
import { reviews } from '../../shared/resources/reviews.ts';
import { versions } from '../../shared/resources/versions.ts';

const movies = resource({
  name: 'movies', id: { kind: 'string', format: z.string() },
  schema: z.object({ title: z.string(), imdb: z.object({ rating: z.number(), votes: integer() }) }),
  rules: { read: anyone, write: role('editor') },
  fieldRules: { 'imdb.votes': { read: role('editor') } },
  shapes: { byRating: { range: 'imdb.rating', sort: ['-imdb.rating'] }, ofVotes: { equal: ['imdb.votes'] } },
  live: true,
});

const restaurants = resource({
  name: 'restaurants', id: { kind: 'string', format: z.string() },
  schema: z.object({
    name: z.string(),
    address: z.object({ street: z.string(), zipcode: z.string() }),
    grades: z.array(z.object({ grade: z.string(), score: integer() })),
  }),
  rules: { read: anyone, write: role('editor') },
  shapes: { ofGrade: { equal: ['grades.grade'], sort: ['name'] }, ofZipcode: { equal: ['address.zipcode'], sort: ['name'] } },
});

/** Exported for a bundle and an origin process, which are given this file by its path. */
export const served = contract(versions, films, reviews, movies, restaurants);
