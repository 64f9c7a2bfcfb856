/** What the programs of this proof serve: documents whose writes enqueue jobs, and a job that fails, or kills, at random. */
import { appendFileSync } from 'node:fs';
import * as z from 'zod';
import { beforeWrite } from '../../../origin/documents/before-write.ts';
import { job, type Job } from '../../../origin/job-queue/job.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';

const common = { id: { kind: 'string', format: z.string() }, shapes: { all: {} }, rules: { read: anyone, write: anyone } } as const;
export const subjects = resource({ ...common, name: 'subjects', schema: z.object({ n: z.int() }) });
/** One for each accepted end, under the job's id: a second one is refused. */
export const ends = resource({ ...common, name: 'ends', schema: z.object({ attempt: z.int() }) });
export const served = contract(subjects, ends);
export const jobTimes = { leaseMs: 300, idleMs: 200 };
export const attemptsMax = 30;

/** A line of the file, which stands for whatever is outside: an attempt has begun. */
export interface Begun {
  readonly id: string;
  readonly attempt: number;
}

function witness(file: string): Job<typeof payload> {
  return job({
    name: 'witness', payload, attempts: attemptsMax, backoff: { firstMs: 2, maxMs: 50 }, queue: { name: 'witnesses', concurrency: 8 },
    async handler(call) {
      const begun: Begun = { id: call.id, attempt: call.attempt };
      appendFileSync(file, `${JSON.stringify(begun)}\n`);
      if (Math.random() < 0.1) await Bun.sleep(Math.random() * 30);
      // Some outlive a beat of their lease.
      if (Math.random() < 0.05) await Bun.sleep(jobTimes.leaseMs / 2);
      if (Math.random() < 0.1) throw new Error('at times it fails');
      call.atEnd([call.create(ends, { id: call.id, attempt: call.attempt })]);
      return call.payload.n;
    },
  });
}

const payload = z.object({ of: z.string(), n: z.int() });

/** A job for each write of a subject, and in the same transaction. */
export function causing(file: string) {
  const caused = witness(file);
  const hook = beforeWrite(subjects, ({ next, enqueue }) => {
    enqueue(caused, { of: next.id, n: next.n ?? 0 });
    return {};
  });
  return { jobs: [caused], hooks: [hook] };
}
