/** Three versions of one resource, and the way from an older one to the current one. */
import * as z from 'zod';
import { contract } from '../../shared/contract/contract.ts';
import { resource } from '../../shared/contract/resource.ts';
import { anyone } from '../../shared/contract/rules.ts';
import { integer } from '../../shared/contract/types.ts';
import { documents } from '../../shared/operations/documents.ts';
import { added, converted, moved } from '../../shared/versions/changes.ts';
import { dialectOf } from '../../shared/versions/dialect.ts';
import type { Translation } from '../../shared/versions/translation.ts';
import { versionOf, versions } from '../../shared/versions/versions.ts';

export const three = versions({ name: 'v1', deprecated: '2026-01-01', sunset: '2027-01-01' }, { name: 'v2' }, { name: 'v3' });

/**
 * v1: thumbnail, width, height; minutes; `a` and `b` the other way round; lines[].cost; meta.kind
 * v2: image: { url, width, height }, and the rest as v1 has it
 * v3: seconds, `a` and `b`, lines[].price.amount, kind, and `note` and lines[].tax, which are new
 */
export const things = resource({
  name: 'things',
  schema: z.object({
    title: z.string(),
    image: z.object({ url: z.string().optional(), width: integer().optional(), height: integer().optional() }).optional(),
    seconds: z.number().optional(),
    a: z.string().nullable().optional(),
    b: z.string().nullable().optional(),
    lines: z.array(
      z.object({ price: z.object({ amount: z.number() }).optional(), tax: z.number().optional(), name: z.string() }),
    ).optional(),
    kind: z.string().optional(),
    meta: z.object({ kept: z.boolean().optional() }).optional(),
    note: z.string().optional(),
    free: z.record(z.string(), z.string()).optional(),
  }),
  rules: { read: anyone },
  shapes: { all: {} },
  versions: {
    v1: [moved({ thumbnail: 'image.url', width: 'image.width', height: 'image.height' })],
    v2: [
      moved({ minutes: 'seconds', a: 'b', b: 'a', 'lines.cost': 'lines.price.amount', 'meta.kind': 'kind' }),
      converted('seconds', { schema: z.number(), up: (value) => Number(value) * 60, down: (value) => Number(value) / 60, ordered: true }),
      added('note'), added('lines.tax'),
    ],
  },
});
export const served = contract(three, things);

export function through(name: string): Translation {
  const version = versionOf(three, name);
  const made = version === undefined ? undefined : dialectOf(served, { operation: documents.list, resource: things }, version)?.input;
  if (made === undefined) throw new Error(`nothing differs in ${name}`);
  return made;
}
