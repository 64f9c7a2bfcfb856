import * as z from 'zod';
import { to } from '../contract/relations.ts';
import { resource } from '../contract/resource.ts';
import { anyone, role } from '../contract/rules.ts';
import { instant, integer } from '../contract/types.ts';

/** A film on a screen of a cinema. Both are there, and a screen shows one film at a time. */
export const screenings = resource({
  name: 'screenings',
  schema: z.object({
    film: z.uuid(),
    cinema: z.string().min(1).max(60).meta({ examples: ['ritz-helsinki'] }),
    screen: integer().min(1).max(50).meta({ examples: [1] }),
    startsAt: instant(),
    /** That nobody has ordered. */
    seatsLeft: integer().min(0).max(1_000).optional().meta({ examples: [120] }),
  }),
  rules: { read: anyone, write: role('editor') },
  shapes: {
    byCinema: { equal: ['cinema'], range: 'startsAt', sort: ['startsAt'] },
    byFilm: { equal: ['film'], sort: ['startsAt'] },
  },
  unique: { bySlot: { fields: ['cinema', 'screen', 'startsAt'] } },
  relations: {
    film: to('films', 'film', { exists: true, onDelete: 'restrict' }),
    cinema: to('cinemas', 'cinema', { exists: true, onDelete: 'cascade' }),
  },
});
