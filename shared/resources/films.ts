import * as z from 'zod';
import { many } from '../contract/relations.ts';
import { resource } from '../contract/resource.ts';
import { anyone, role } from '../contract/rules.ts';
import { integer } from '../contract/types.ts';
import { moved } from '../versions/changes.ts';

export const films = resource({
  name: 'films',
  schema: z.object({
    title: z.string().min(1).max(1_000).meta({ examples: ['The Third Man'] }),
    year: integer().min(1870).max(2100).meta({ examples: [1949] }),
    cast: z.array(z.string().min(1).max(200)).max(200).default([]),
    genres: z.array(z.string().min(1).max(60).meta({ examples: ['Comedy'] })).max(20).default([]),
    href: z.string().max(500).nullable().optional(),
    extract: z.string().max(20_000).optional(),
    image: z.object({
      // A page that shows it must not be made to run a script: no javascript: and no data:.
      url: z.url({ protocol: /^https?$/ }).max(1_000).optional(),
      width: integer().positive().optional(),
      height: integer().positive().optional(),
    }).optional(),
  }),
  rules: { read: anyone, write: role('editor') },
  shapes: {
    all: {},
    byGenre: { equal: ['genres'], range: 'year', sort: ['-year,title', 'title'], beside: ['genres', 'image.url'] },
    byYear: { range: 'year', sort: ['-year,title'], beside: ['genres', 'year'] },
    byTitle: { equal: ['title'], sort: ['year'] },
    inTitleOrder: { range: 'title', sort: ['title'] },
    byText: { text: ['title', 'extract'], range: 'year', sort: ['-year,title'] },
  },
  aggregates: {
    byYear: { range: 'year', group: ['year', 'bucket(year,10)'] },
    byGenre: { range: 'year', group: ['genres'], of: ['year'] },
  },
  relations: { reviews: many('reviews', 'film') },
  versions: { v1: [moved({ thumbnail: 'image.url', thumbnail_width: 'image.width', thumbnail_height: 'image.height' })] },
});
