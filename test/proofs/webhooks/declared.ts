/** What the killed programs and the proof share. */
import * as z from 'zod';
import type { Own } from '../../../origin/own.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, owner } from '../../../shared/contract/rules.ts';

export const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() }, live: true, shapes: { all: {} },
  rules: { read: owner('author'), write: anyone }, schema: z.object({ author: z.string(), n: z.int() }),
});
export const served = contract(notes);

export const authors = ['ada', 'bob'] as const;

/** Nothing is given up while programs are killed. */
export const own: Own = {
  webhookTimes: { attemptMs: 1_000, pausesMs: Array.from({ length: 1_000 }, () => 50) },
  jobTimes: { leaseMs: 600, idleMs: 200 }, leaseTimes: { beatMs: 50, silentMsMax: 300 },
};
