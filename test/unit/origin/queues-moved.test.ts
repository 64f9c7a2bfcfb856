/** Jobs that are stored in a queue that is not declared for them any more: a deploy moved them to another. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { enqueuing, type Enqueuing } from '../../../origin/job-queue/enqueue.ts';
import { type Job, job } from '../../../origin/job-queue/job.ts';
import type { Own } from '../../../origin/own.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { jobOperations } from '../../../shared/jobs/operations.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const ada = { subject: 'ada', roles: ['admin'], claims: {} };
let isBroken = false;
const inQueue = (name: string) => job({
  name: 'tell', payload: z.null(), queue: { name, concurrency: 2 }, attempts: 1,
  handler: async () => {
    if (isBroken) throw new Error('not yet');
    return undefined;
  },
});
const [before, now] = [inQueue('before'), inQueue('now')];

describe.each(engines)('jobs whose queue is declared to be another on %s', (engine) => {
  const opened: AsyncDisposable[] = [];
  afterEach(async () => {
    isBroken = false;
    for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
  });

  /** `deploy` has another release begin in place of the one that runs. */
  const opening = async (of: readonly Job[], own: Own = {}) => {
    const release: { jobs: readonly Job[] } & Own = { ...own, jobs: of };
    const origin = await DirectOrigin.on(engine, contract(), release);
    opened.push(origin);
    const deploy = async (next: readonly Job[]) => {
      await origin.context.services.stop(Date.now() + 5_000);
      release.jobs = next;
      await origin.begin();
    };
    return { origin, deploy };
  };
  const enqueue = async ({ context: { store } }: DirectOrigin, of: Job<z.ZodNull>, how: Enqueuing = {}) => {
    const mutation = enqueuing(of, null, how, { principal: ada, nowMs: Date.now() });
    await store.write([mutation], { deadline: Date.now() + 10_000 });
    return mutation.id;
  };
  const until = (origin: DirectOrigin, id: string, state: string) =>
    eventually(`job ${id} is ${state}`, async () => (await origin.stored(jobs, id))?.['state'] === state);

  test('are run after the start of the release that says so, also those that are due later and those that an admin retries', async () => {
    const { origin, deploy } = await opening([before]);
    isBroken = true;
    const dead = await enqueue(origin, before);
    await until(origin, dead, 'dead');
    await deploy([]);
    isBroken = false;
    const [ready, delayed] = [await enqueue(origin, before), await enqueue(origin, before, { runAt: Date.now() + 1_500 })];
    await deploy([now]);
    await until(origin, ready, 'done');
    const retried = await origin.askBy(jobOperations.retryJob, execute, jobs, { id: dead, principal: ada });
    expect(retried.json).toMatchObject({ state: 'ready', queue: 'now' });
    for (const id of [dead, delayed]) {
      await until(origin, id, 'done');
      expect((await origin.stored(jobs, id))?.['queue']).toBe('now');
    }
  }, 20_000);

  test('are run where a release that is on its way out leaves them later', async () => {
    const { origin } = await opening([now], { jobTimes: { leaseMs: 30_000, idleMs: 200 } });
    await until(origin, await enqueue(origin, now), 'done');
    await until(origin, await enqueue(origin, before), 'done');
  });
});
