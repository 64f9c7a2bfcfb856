/** A worker whose feed tells it of a job after it has claimed that job, as where another one's news made it look. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import type { FeedStep } from '../../../origin/feed/feed.ts';
import { mustJobs } from '../../../origin/job-queue/checks.ts';
import { enqueuing } from '../../../origin/job-queue/enqueue.ts';
import { job } from '../../../origin/job-queue/job.ts';
import { startWorker } from '../../../origin/job-queue/start-worker.ts';
import type { Change } from '../../../shared/contract/change.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';
import { changesTo } from '../../suites/store/read-changes.ts';

const owner = { subject: 'ada', claims: {} };
const inTime = () => ({ deadline: Date.now() + 10_000 });

test.each(engines)('what the feed tells late of a job ends no attempt; that it was cancelled does (%s)', async (engine) => {
  await using origin = await DirectOrigin.on(engine, contract(), {});
  const { context } = origin;
  const signals: AbortSignal[] = [];
  let isDone = false;
  const held = job({
    name: 'held', payload: z.string(), queue: { name: 'held', concurrency: 5 },
    handler: async ({ signal }) => {
      signals.push(signal);
      await eventually('it may end', () => isDone || signal.aborted);
      return undefined;
    },
  });
  const from = await context.store.head();
  const mutation = enqueuing(held, 'one', {}, { principal: owner, nowMs: Date.now() });
  const { id } = mutation;
  await context.store.write([mutation], inTime());

  const { promise: said, resolve: say } = Promise.withResolvers<readonly Change[]>();
  const { promise: saidMore, resolve: sayMore } = Promise.withResolvers<readonly Change[]>();
  let told = 0;
  async function* late(): AsyncGenerator<FeedStep> {
    for (const each of [said, saidMore]) {
      const changes = await each;
      yield { kind: 'changes', changes, through: changes.at(-1)?.position ?? from, completeAtMs: undefined, late: false };
      told++;
    }
    await eventually('the worker is stopped', () => isDone);
  }
  const feed = { follow: late, through: from } as unknown as typeof context.feed;
  const troubles: string[] = [];
  const worker = startWorker(mustJobs([held]), { ...context, feed }, { onTrouble: (message) => void troubles.push(message) });
  try {
    await eventually('it runs', () => signals.length === 1);
    const made = await changesTo(context.store, from, await context.store.head());
    expect(made.map((change) => change.kind === 'document' && change.after?.['state'])).toEqual(['ready', 'running']);
    say(made);
    await eventually('that was heard', () => told === 1);
    expect(signals[0]?.aborted).toBe(false);

    const cancelled = { kind: 'document', position: await context.store.head(), resource: jobs.name, id, before: undefined } as const;
    sayMore([{ ...cancelled, after: { ...(made[1]?.kind === 'document' ? made[1].after : {}), state: 'cancelled' } }]);
    await eventually('it is cut', () => signals[0]?.aborted === true);
  } finally {
    isDone = true;
    say([]);
    sayMore([]);
    await worker.stop?.(Date.now() + 5_000);
  }
  expect(troubles).toEqual([]);
}, 60_000);
