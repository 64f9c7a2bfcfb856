/** What jobs compute on threads: the lease goes on, and the end of the attempt is that of the thread. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { onThread } from '../../../origin/compute/computation.ts';
import type { Own } from '../../../origin/own.ts';
import { execute } from '../../../origin/execute.ts';
import { mustJobs } from '../../../origin/job-queue/checks.ts';
import { enqueuing } from '../../../origin/job-queue/enqueue.ts';
import { job } from '../../../origin/job-queue/job.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { jobOperations as rows } from '../../../shared/jobs/operations.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';
import type count from './compute/counting.worker.ts';

const counting = onThread<typeof count>(new URL('./compute/counting.worker.ts', import.meta.url));
const ada = { subject: 'ada', roles: [], claims: {} };
const leaseMs = 2_000;

function computing(timeoutMs: number) {
  const seen = new SharedArrayBuffer(4);
  const computed = job({
    name: 'compute', payload: z.int(), attempts: 1, timeoutMs, computes: [counting],
    handler: async (call) => ({ counted: (await call.compute(counting, { ms: call.payload, seen })) > 0 }),
  });
  return { computed, counted: () => Atomics.load(new Int32Array(seen), 0) };
}

describe.each(engines)('jobs that compute, on %s', (engine) => {
  const opened: DirectOrigin[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0)) await each[Symbol.asyncDispose]();
  });
  const opening = async (own: Own) => {
    const origin = await DirectOrigin.on(engine, contract(), own);
    opened.push(origin);
    return origin;
  };
  const enqueue = async ({ context }: DirectOrigin, of: ReturnType<typeof computing>['computed'], ms: number) => {
    const mutation = enqueuing(of, ms, {}, { principal: ada, nowMs: Date.now() });
    await context.store.write([mutation], { deadline: Date.now() + 10_000 });
    return mutation.id;
  };
  const ended = (origin: DirectOrigin, id: string) =>
    eventually('it has ended', async () => {
      const found = await origin.stored(jobs, id);
      return found?.['ended'] === undefined ? undefined : { state: found['state'], attempt: found['attempt'], error: found['error'] };
    });
  const stays = async (counted: () => number) => {
    const before = counted();
    await Bun.sleep(100);
    return counted() === before;
  };

  test('keep their lease for as long as they compute, while this thread does other things', async () => {
    const { computed, counted } = computing(20_000);
    const origin = await opening({ jobs: [computed], jobTimes: { leaseMs, idleMs: 200 } });
    const id = await enqueue(origin, computed, 1.5 * leaseMs);
    await eventually('it computes', () => counted() > 0);
    expect((await origin.stored(jobs, id))?.['state']).toBe('running');
    expect(await ended(origin, id)).toEqual({ state: 'done', attempt: 1, error: undefined });
    expect((await origin.stored(jobs, id))?.['result']).toBe('{"counted":true}');
  }, 30_000);

  test('end with their thread where they are cancelled, or take too long, and the next one has another', async () => {
    const { computed, counted } = computing(1_500);
    const origin = await opening({ jobs: [computed] });
    const cancelled = await enqueue(origin, computed, 600_000);
    await eventually('it computes', () => counted() > 0);
    await origin.askBy(rows.cancelJob, execute, jobs, { id: cancelled, principal: ada });
    await eventually('it counts no more', () => stays(counted));
    const late = await enqueue(origin, computed, 600_000);
    expect(await ended(origin, late)).toEqual({ state: 'dead', attempt: 1, error: 'took longer than 1500 ms' });
    await eventually('it counts no more', () => stays(counted));
    expect((await ended(origin, await enqueue(origin, computed, 1))).state).toBe('done');
    const failed = await ended(origin, await enqueue(origin, computed, -1));
    expect(failed).toMatchObject({ state: 'dead', error: 'compute_failed: Error: no time' });
  }, 30_000);
});

test('a file that is not there is refused, and at its call what is not declared', async () => {
  const { computed } = computing(1_000);
  const gone = onThread<typeof count>(new URL('./compute/gone.worker.ts', import.meta.url));
  expect(() => mustJobs([{ ...computed, computes: [gone] }])).toThrow('gone.worker.ts');
  expect(() => mustJobs([computed])).not.toThrow();
});
