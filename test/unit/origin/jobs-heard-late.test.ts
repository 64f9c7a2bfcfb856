/** A worker whose feed tells it of a job after it has claimed that job, as where another one's news made it look. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import type { FeedStep } from '../../../origin/feed/feed.ts';
import { mustJobs } from '../../../origin/job-queue/checks.ts';
import { enqueuing, type Enqueuing } from '../../../origin/job-queue/enqueue.ts';
import { type Job, job } from '../../../origin/job-queue/job.ts';
import { startWorker } from '../../../origin/job-queue/start-worker.ts';
import { cancelling } from '../../../origin/workflow-engine/transitions.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';
import { changesTo } from '../../suites/store/read-changes.ts';

const inTime = () => ({ deadline: Date.now() + 10_000 });

async function enqueue({ context: { store } }: DirectOrigin, of: Job<z.ZodNull>, how: Enqueuing = {}): Promise<string> {
  const mutation = enqueuing(of, null, how, { principal: { subject: 'ada', claims: {} }, nowMs: Date.now() });
  await store.write([mutation], inTime());
  return mutation.id;
}

/** Its feed tells all that was committed so far, when it is let; the worker finds jobs by looking. */
async function startDeaf({ context }: DirectOrigin, declared: Job<z.ZodNull>) {
  const { store } = context;
  const from = await store.head();
  const troubles: string[] = [];
  let [told, mayTell] = [0, 0];
  async function* late(_from: unknown, signal: AbortSignal): AsyncGenerator<FeedStep> {
    while (!signal.aborted) {
      await eventually('there is something to tell', () => told < mayTell || signal.aborted, { msMax: 60_000 });
      const through = await store.head();
      yield { kind: 'changes', changes: await changesTo(store, from, through), through, completeAtMs: undefined, late: false };
      told++;
    }
  }
  const feed = { follow: late, through: from } as unknown as typeof context.feed;
  const worker = startWorker(mustJobs([declared]), { ...context, feed }, {
    times: { leaseMs: 30_000, idleMs: 200 }, onTrouble: (message) => void troubles.push(message),
  });
  return {
    troubles,
    async tell() {
      mayTell++;
      await eventually('that was heard', () => told === mayTell);
    },
    stop: () => worker.stop?.(Date.now() + 5_000),
  };
}

test.each(engines)('what the feed tells late of a job ends no attempt; that it was cancelled does (%s)', async (engine) => {
  await using origin = await DirectOrigin.on(engine, contract(), {});
  const signals: AbortSignal[] = [];
  let isDone = false;
  const held = job({
    name: 'held', payload: z.null(), queue: { name: 'held', concurrency: 5 },
    handler: async ({ signal }) => {
      signals.push(signal);
      await eventually('it may end', () => isDone || signal.aborted);
      return undefined;
    },
  });
  const worker = await startDeaf(origin, held);
  try {
    const id = await enqueue(origin, held);
    await eventually('it runs', () => signals.length === 1);
    await worker.tell();
    expect(signals[0]?.aborted).toBe(false);
    await origin.context.store.write([cancelling(id, Date.now())], inTime());
    await worker.tell();
    expect(signals[0]?.aborted).toBe(true);
  } finally {
    isDone = true;
    await worker.stop();
  }
  expect(worker.troubles).toEqual([]);
}, 60_000);

test.each(engines)('nor does what it tells of a job before it was enqueued again (%s)', async (engine) => {
  await using origin = await DirectOrigin.on(engine, contract(), {});
  const signals: AbortSignal[] = [];
  let isDone = false;
  const once = job({
    name: 'once', payload: z.null(), attempts: 1,
    handler: async ({ signal }) => {
      if (signals.push(signal) > 1) await eventually('it may end', () => isDone || signal.aborted);
      return undefined;
    },
  });
  const worker = await startDeaf(origin, once);
  const isDoneAt = async (id: string) => (await origin.stored(jobs, id))?.['state'] === 'done';
  try {
    const id = await enqueue(origin, once, { dedupe: 'one' });
    await eventually('the first is done', () => isDoneAt(id));
    await enqueue(origin, once, { dedupe: 'one' });
    await eventually('the second runs', () => signals.length === 2);
    await worker.tell();
    expect(signals[1]?.aborted).toBe(false);
    isDone = true;
    await eventually('it is done too', () => isDoneAt(id));
  } finally {
    isDone = true;
    await worker.stop();
  }
  expect(worker.troubles).toEqual([]);
}, 60_000);
