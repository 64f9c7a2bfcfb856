/** What the programs of this proof serve: documents whose writes begin workflows, whose steps fail, are refused or are slow at random. */
import { appendFileSync } from 'node:fs';
import * as z from 'zod';
import type { Own } from '../../../origin/own.ts';
import { beforeWrite } from '../../../origin/documents/before-write.ts';
import { type Step, type StepCall, type Workflow, workflow } from '../../../origin/workflow-engine/workflow.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, equals } from '../../../shared/contract/rules.ts';
import { Fault } from '../../../shared/wire/fault.ts';
import type { Random } from '../../support/random.ts';

const common = { id: { kind: 'string', format: z.string() }, shapes: { all: {} }, rules: { read: anyone, write: anyone } } as const;
export const subjects = resource({ ...common, name: 'subjects', schema: z.object({ n: z.int() }) });
/** One for each step that is done, and one for each that is undone: a second one of either is refused. */
export const entries = resource({
  ...common, name: 'entries', schema: z.object({ workflow: z.string(), step: z.string(), what: z.enum(['run', 'undo']) }),
});
/** For each step, how often it is done less how often it is undone. */
export const balances = resource({ ...common, name: 'balances', schema: z.object({ count: z.int() }) });
export const served = contract(subjects, entries, balances);

export const acting = ['first', 'second', 'third', 'fourth'] as const;

/** A line of the file, which stands for whatever is outside. */
export interface Outside {
  readonly workflow: string;
  readonly key: string;
  readonly what: 'run' | 'undo';
}

const input = z.object({ of: z.string(), n: z.int() });
const backoff = { firstMs: 2, maxMs: 50 };

function step(name: string, file: string, random: Random): Step<z.output<typeof input>> {
  const tell = (outside: Outside) => appendFileSync(file, `${JSON.stringify(outside)}\n`);
  const writing = (call: StepCall, id: string, key: string, what: 'run' | 'undo') => [
    call.create(entries, { id: `${key}-${what}`, workflow: id, step: name, what }),
    call.merge(balances, name, ({ count = 0 }) => ({ count: count + (what === 'run' ? 1 : -1) })),
  ];
  return {
    name, backoff, attempts: 3,
    async run(call, { id, key }) {
      tell({ workflow: id, key, what: 'run' });
      if (random.chance(0.1)) await Bun.sleep(random.below(60));
      if (random.chance(0.1)) throw new Error('at times it fails');
      if (random.chance(0.1)) throw new Fault('document_conflict', { detail: 'at times it is refused' });
      return { writes: writing(call, id, key, 'run'), result: key };
    },
    async undo(call, { id, key, isDone }) {
      tell({ workflow: id, key, what: 'undo' });
      if (random.chance(0.2)) throw new Error('at times it cannot be undone');
      return isDone ? { writes: writing(call, id, key, 'undo') } : {};
    },
  };
}

/** A workflow for each write of a subject, and in the same transaction. */
export function causing(file: string, random: Random): Own & { readonly flow: Workflow } {
  const [first, second, third, fourth] = acting.map((name) => step(name, file, random)) as [Step, Step, Step, Step];
  const flow = workflow({
    name: 'flow', input,
    steps: [
      first, { name: 'rest', until: (_given, nowMs) => nowMs + 20 }, second,
      // Of a document that is there by then, and may be told of before it is waited for.
      {
        name: 'gate', of: entries, id: ({ result }) => `${result('second', z.string())}-run`, where: equals('what', 'run'),
        withinMs: 60_000,
      },
      third, fourth,
    ],
  });
  const hook = beforeWrite(subjects, ({ next, enqueue }) => {
    enqueue(flow, { of: next.id, n: next.n ?? 0 });
    return {};
  });
  const leaseTimes = { beatMs: 50, silentMsMax: 300 };
  return { flow, workflows: [flow], hooks: [hook], jobTimes: { leaseMs: 400, idleMs: 200 }, leaseTimes };
}
