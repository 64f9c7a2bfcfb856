/**
 * Two versions that differ in each way that one can.
 *
 *   v1                                  v2
 *   thumbnail, width                    image: { url, width }
 *   minutes                             seconds
 *   lines[].cost                        lines[].price.amount
 *   rating, meta.alt, lines[].vat       -
 *   -                                   status, which every document has; note
 */
import * as z from 'zod';
import { contract } from '../../shared/contract/contract.ts';
import { resource } from '../../shared/contract/resource.ts';
import { anyone } from '../../shared/contract/rules.ts';
import { integer } from '../../shared/contract/types.ts';
import { added, converted, moved, removed } from '../../shared/versions/changes.ts';
import { versions, type VersionDeclaration } from '../../shared/versions/versions.ts';

export const plays = resource({
  name: 'plays', id: { kind: 'string', format: z.string() },
  schema: z.object({
    title: z.string(),
    seconds: integer().optional(),
    image: z.object({ url: z.string().optional(), width: integer().optional() }).optional(),
    lines: z.array(z.object({ name: z.string(), price: z.object({ amount: z.number() }).optional() })).optional(),
    status: z.enum(['open', 'closed']),
    note: z.string().optional(),
  }),
  rules: { read: anyone, write: anyone },
  shapes: { all: {}, byLength: { range: 'seconds', sort: ['seconds'] }, byTitle: { equal: ['title'] } },
  live: true,
  versions: {
    v1: [
      moved({ thumbnail: 'image.url', width: 'image.width', minutes: 'seconds', 'lines.cost': 'lines.price.amount' }),
      converted('seconds', { schema: integer(), up: (value) => Number(value) * 60, down: (value) => Number(value) / 60, ordered: true }),
      added('status', 'open'), added('note'),
      removed('rating', { schema: z.number(), shown: 0 }), removed('meta.alt', { schema: z.string(), shown: null }),
      removed('lines.vat', { schema: z.number(), shown: 0.2 }),
    ],
  },
});

/** `end`: when v1 does. */
export function toVersioned(end: Pick<VersionDeclaration, 'sunset'> = {}) {
  return contract(versions({ name: 'v1', deprecated: '2026-01-01', link: 'https://example.org/v2', ...end }, { name: 'v2' }), plays);
}
