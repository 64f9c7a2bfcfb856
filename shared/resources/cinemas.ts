import * as z from 'zod';
import { resource } from '../contract/resource.ts';
import { anyone, role } from '../contract/rules.ts';
import { integer, point } from '../contract/types.ts';

export const cinemas = resource({
  name: 'cinemas',
  schema: z.object({
    name: z.string().min(1).max(200).meta({ examples: ['Orion'] }),
    city: z.string().min(1).max(100).meta({ examples: ['Helsinki'] }),
    country: z.string().regex(/^[A-Z]{2}$/).meta({ examples: ['FI'] }),
    kind: z.enum(['theatre', 'open-air', 'drive-in']),
    screens: integer().min(1).max(50).meta({ examples: [3] }),
    // A table of rows (CSV) has no column for it.
    location: point().optional().meta({ examples: [{ type: 'Point', coordinates: [24.94, 60.17] }] }),
  }),
  id: { kind: 'string', format: z.string().regex(/^[a-z0-9-]{1,60}$/).meta({ examples: ['orion-helsinki'] }), importedFrom: 'slug' },
  rules: { read: anyone, write: role('editor') },
  shapes: {
    all: {},
    byCountry: { equal: ['country'], sort: ['city'] },
    onMap: { place: 'location', beside: ['kind'] },
    ofKind: { equal: ['kind'], place: 'location' },
  },
});
