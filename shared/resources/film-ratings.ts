import * as z from 'zod';
import { resource } from '../contract/resource.ts';
import { anyone, nobody } from '../contract/rules.ts';
import { integer } from '../contract/types.ts';

/** What a film's reviews come to, under the film's id: rows of a read model (origin/hooks/film-ratings.ts). */
export const filmRatings = resource({
  name: 'film-ratings',
  schema: z.object({ reviews: integer().min(1), meanRating: z.number().min(1).max(5).meta({ examples: [4.5] }) }),
  rules: { read: anyone, write: nobody },
  shapes: { best: { range: 'meanRating', sort: ['-meanRating'] } },
});
