import * as z from 'zod';
import { anyone } from '../contract/rules.ts';
import { integer } from '../contract/types.ts';
import { endpoint } from '../operations/endpoint.ts';
import { films } from '../resources/films.ts';
import { reviews } from '../resources/reviews.ts';

/** Drafts are their author's alone, so what everybody reads are the published ones. */
export const filmsTop = endpoint({
  name: 'films-top',
  summary: 'Lists the films of a genre by the mean rating of their published reviews.',
  of: films,
  at: '/top',
  method: 'GET',
  answers: 'state',
  audience: 'everybody',
  reads: [reviews],
  rule: anyone,
  input: z.object({ genre: z.string().min(1).max(60), limit: integer().min(1).max(20).default(10) }),
  output: z.object({
    data: z.array(
      z.object({ id: z.uuid(), title: z.string(), year: integer(), mean: z.number().min(1).max(5), reviews: integer().min(1) }),
    ),
  }),
});
