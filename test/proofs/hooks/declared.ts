/** What the programs of this proof serve: documents that change, and a hook that tells of each change in two ways. */
import { appendFileSync } from 'node:fs';
import * as z from 'zod';
import { afterCommit, type AfterCommit } from '../../../origin/after-commit/after-commit.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';

const common = { id: { kind: 'string', format: z.string() }, shapes: { all: {} }, rules: { read: anyone, write: anyone } } as const;
export const subjects = resource({ ...common, name: 'subjects', schema: z.object({ n: z.int() }) });
/** One a subject: how many of its changes had their effect, the last of them, and how many came before an earlier one. */
export const counts = resource({
  ...common, name: 'counts', schema: z.object({ changes: z.int(), last: z.string(), outOfOrder: z.int() }),
});
export const served = contract(subjects, counts);
export const leaseTimes = { beatMs: 50, silentMsMax: 300 };
/** Nothing is given up: what fails, fails at random. */
export const holdLimits = { waitingMax: 100, attemptsMax: 1_000, retryMs: { first: 10, max: 100 } };
const failing = 0.04;

/** A line of the file, which stands for whatever is outside: nothing takes it back. */
export interface Outside {
  readonly program: string;
  readonly eventId: string;
  readonly id: string;
  readonly what: string;
}

export function witness(program: string, file: string): AfterCommit {
  return afterCommit({
    name: 'witness', of: subjects, writes: [counts],
    async handle({ kind, id, after, position: { order }, eventId }, call) {
      if (Math.random() < failing) throw new Error('before it told anything');
      const line: Outside = { program, eventId, id, what: `${kind} ${after?.n ?? '-'}` };
      appendFileSync(file, `${JSON.stringify(line)}\n`);
      if (Math.random() < failing) throw new Error('after it told outside');
      if ((await call.get(counts, id)) === undefined) return [call.create(counts, { id, changes: 1, last: order, outOfOrder: 0 })];
      return [call.merge(counts, id, ({ changes = 0, last = '', outOfOrder = 0 }) => {
        return { changes: changes + 1, last: order, outOfOrder: outOfOrder + (last < order ? 0 : 1) };
      })];
    },
    resync() {
      throw new Error('nothing was lost');
    },
  });
}
