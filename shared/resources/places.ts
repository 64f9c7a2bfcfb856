import * as z from 'zod';
import { resource } from '../contract/resource.ts';
import { anyone, role } from '../contract/rules.ts';

export const places = resource({
  name: 'places',
  schema: z.object({
    latitude: z.number().min(-90).max(90).meta({ examples: [42.357768] }),
    longitude: z.number().min(-180).max(180).meta({ examples: [-71.064858] }),
    city: z.string().min(1).max(100).meta({ examples: ['Boston'] }),
    state: z.string().regex(/^[A-Z]{2}$/).meta({ examples: ['MA'] }),
    county: z.string().max(100).meta({ examples: ['Suffolk'] }),
  }),
  id: { kind: 'string', format: z.string().regex(/^\d{5}$/).meta({ examples: ['02108'] }), importedFrom: 'zip_code' },
  rules: { read: anyone, write: role('editor') },
  // One import is thousands of writes.
  limits: { cost: { import: 50, export: 50 } },
  shapes: {
    byId: { prefix: 'id' },
    byState: { equal: ['state'], sort: ['city'] },
    byCity: { equal: ['state', 'city'] },
  },
});
