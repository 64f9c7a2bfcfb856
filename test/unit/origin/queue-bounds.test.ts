/** What queues promise beside their places: turns of tenants, and the rate that all processes keep together. */
import { afterEach, describe, expect, spyOn, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import * as z from 'zod';
import { departureJob } from '../../../origin/departures/departure-job.ts';
import { mustBeRight, type Own } from '../../../origin/own.ts';
import { mustJobs } from '../../../origin/job-queue/checks.ts';
import { enqueuing, type Enqueuing } from '../../../origin/job-queue/enqueue.ts';
import { toNext } from '../../../origin/job-queue/job-lists.ts';
import { type Job, job, type Queue } from '../../../origin/job-queue/job.ts';
import { allowedAt } from '../../../origin/job-queue/queue-starts.ts';
import { startWorker } from '../../../origin/job-queue/start-worker.ts';
import { deliveryJob, usualTimes } from '../../../origin/webhooks/delivery-job.ts';
import { type Workflow, workflow } from '../../../origin/workflow-engine/workflow.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { jobLimits } from '../../../shared/jobs/limits.ts';
import { jobs } from '../../../shared/jobs/resource.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import { Random } from '../../support/random.ts';
import { engines } from '../../support/whole-world.ts';
import { changesTo } from '../../suites/store/read-changes.ts';

const payload = z.string();
/** Unless the origin is told otherwise. */
const leaseMs = 30_000;
const inTime = () => ({ deadline: Date.now() + 20_000 });
const told = (queue: Queue, handler: (call: { readonly payload: string }) => Promise<undefined> = async () => undefined) =>
  job({ name: 'tell', payload, queue, handler });

type Wanted = readonly (readonly [tenant: string, what: string])[];

async function enqueue(origin: DirectOrigin, of: Job<typeof payload>, each: Wanted, how: Enqueuing = {}) {
  const mutations = each.map(([tenant, what]) => {
    const claims = tenant === '' ? {} : { tenant };
    return enqueuing(of, what, how, { principal: { subject: 'ada', claims }, nowMs: Date.now() });
  });
  for (let from = 0; from < mutations.length; from += 500) await origin.context.store.write(mutations.slice(from, from + 500), inTime());
}

const many = (tenant: string, count: number) => Array.from({ length: count }, (_, n) => [tenant, `${tenant}${n}`] as const);

describe.each(engines)('queues on %s', (engine) => {
  const opened: { remove(): Promise<void> | void }[] = [];
  afterEach(async () => {
    for (const each of opened.splice(0).toReversed()) await each.remove();
  });
  const place = async () => {
    const { variables, remove } = engine === 'sqlite' ? onFile() : await onMongo();
    opened.push({ remove });
    return async (own: Own) => {
      const origin = await DirectOrigin.open(variables, contract(), own);
      opened.push({ remove: () => origin[Symbol.asyncDispose]() });
      return origin;
    };
  };

  test('thousands of jobs of a tenant delay another’s one by a turn', async () => {
    const began: string[] = [];
    let isOpen = false;
    const all = told({ name: 'shared', concurrency: 2 }, async ({ payload: what }) => {
      began.push(what);
      await eventually('it may go on', () => isOpen);
      return undefined;
    });
    const origin = await (await place())({ jobs: [all] });
    await enqueue(origin, all, many('a', engine === 'sqlite' ? 10_000 : 1_000));
    await enqueue(origin, all, [['b', 'b0'], ['', 'none'], ['c', 'c0'], ['c', 'c1']]);
    await eventually('two have begun', () => began.length === 2);
    isOpen = true;
    await eventually('those of the others have begun', () => began.filter((what) => !what.startsWith('a')).length === 4);
    expect(began.indexOf('c1')).toBeLessThan(14);
    expect(began.indexOf('c0')).toBeLessThan(began.indexOf('c1'));
  }, 60_000);

  test('no more begin in any period than the rate allows, however many processes claim, and in however many starts', async () => {
    const rate = { attempts: 10, perMs: 1_000 };
    const rated = told({ name: 'rated', concurrency: 50, rate });
    const open = await place();
    const [one, ...others] = await Promise.all((engine === 'sqlite' ? ['one'] : ['one', 'two']).map(() => open({ jobs: [rated] })));
    if (one === undefined) throw new Error('nothing was opened');
    const { store } = (others[0] ?? one).context;
    const from = await store.head();
    await enqueue(one, rated, many('a', 35));
    await eventually('some have begun', async () => (await store.list(jobs, toNext('rated', 100), inTime())).value.length < 35);
    await one.context.services.stop(Date.now() + 5_000);
    await one.begin();
    const { store: now } = one.context;
    await eventually('none is left', async () => (await now.list(jobs, toNext('rated', 100), inTime())).value.length === 0);
    const began = (await changesTo(now, from, await now.head())).flatMap((change) =>
      (change.kind === 'document' && change.resource === jobs.name && change.after?.['state'] === 'running'
        ? [Date.parse(String(change.after['dueAt'])) - leaseMs] : [])).toSorted((a, b) => a - b);
    expect(began).toHaveLength(35);
    for (const [index, ms] of began.slice(0, -rate.attempts).entries()) {
      expect((began[index + rate.attempts] ?? 0) - ms).toBeGreaterThanOrEqual(rate.perMs);
    }
  }, 60_000);

  test('of which one cannot be claimed of, or whose share throws, hold up no other', async () => {
    const began: string[] = [];
    const of = (queue: Queue) => ({ ...told(queue, async () => void began.push(queue.name)), name: queue.name });
    const unknown = (): never => {
      throw new Error('there is no such tenant');
    };
    const broken = of({ name: 'broken', concurrency: 5 });
    const [unfair, whole] = [of({ name: 'unfair', concurrency: 5, share: unknown }), of({ name: 'whole', concurrency: 5 })];
    const origin = await (await place())({});
    const { store } = origin.context;
    const lists = store.lists.bind(store);
    let [tries, isMended] = [0, false];
    const random = spyOn(Math, 'random').mockReturnValue(0.99);
    spyOn(store, 'lists').mockImplementation((resource, requests, options) => {
      if (isMended || !requests.some(({ equal }) => equal['queue']?.includes('broken'))) return lists(resource, requests, options);
      tries++;
      return Promise.reject(new Error('that cannot be read'));
    });
    for (const each of [broken, unfair, whole]) await enqueue(origin, each, [['a', 'x'], ['b', 'x']]);
    const troubles: string[] = [];
    const worker = startWorker(mustJobs([broken, unfair, whole]), origin.context, { onTrouble: (message) => void troubles.push(message) });
    try {
      await eventually('those of the others have begun', () => began.length === 4);
      expect(began.toSorted()).toEqual(['unfair', 'unfair', 'whole', 'whole']);
      await eventually('both are told of', () => troubles.length >= 2);
      expect(troubles.filter((message) => message === 'jobs: the share of queue "unfair"')).toHaveLength(1);
      const trouble = 'queue "broken" does not get on: that cannot be read';
      expect(troubles).toContain(`jobs: ${trouble}`);
      // After the third time it is let alone for four seconds.
      await eventually('it was tried again', () => tries === 3);
      await enqueue(origin, whole, [['a', 'y']]);
      await eventually('one of another has begun', () => began.length === 5);
      expect(tries).toBe(3);
      expect(await worker.state?.()).toEqual({ ready: true, detail: trouble });
      expect(troubles.filter((message) => message.includes('broken'))).toHaveLength(1);
      isMended = true;
      await eventually('those of the mended one have begun', () => began.length === 7);
      await eventually('nothing is said of it', async () => (await worker.state?.())?.detail === undefined);
    } finally {
      random.mockRestore();
      await worker.stop?.(Date.now() + 5_000);
    }
  }, 40_000);
});

test('a rate allows no more in any period, and again all of it a part of the period later', () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const random = new Random(seed);
  const rate = { attempts: 20, perMs: 1_000 };
  const began: number[] = [];
  let starts: readonly { readonly part: number; readonly count: number }[] = [];
  for (let ms = 1_700_000_000_000, step = 0; step < 2_000; step++) {
    // Clocks of processes are a little apart.
    const now = ms - random.below(5);
    const allowed = allowedAt(now, rate, [...starts]);
    const wanted = random.below(4);
    const count = Math.min(allowed.free, wanted);
    if (count > 0) starts = allowed.counting(count);
    for (let each = 0; each < count; each++) began.push(ms);
    if (allowed.free === 0) {
      expect([seed, allowed.moreAtMs > now, allowedAt(allowed.moreAtMs, rate, [...starts]).free > 0]).toEqual([seed, true, true]);
      if (random.chance(0.5)) ms = Math.max(ms, allowed.moreAtMs);
    }
    ms += random.below(60);
  }
  for (const [index, ms] of began.entries()) {
    const next = began[index + rate.attempts];
    if (next !== undefined) expect([seed, next - ms + 5 >= rate.perMs]).toEqual([seed, true]);
  }
  expect(starts.length).toBeLessThanOrEqual(jobLimits.rateParts + 2);
  const allOfIt = allowedAt(0, rate, []).counting(rate.attempts);
  expect(allowedAt(rate.perMs, rate, allOfIt).free).toBe(0);
  expect(allowedAt(rate.perMs * (1 + 1 / jobLimits.rateParts), rate, allOfIt).free).toBe(rate.attempts);
});

test('a clock that was set back holds a queue up for no longer than a period', () => {
  const rate = { attempts: 1, perMs: 1_000 };
  const starts = allowedAt(10_000_000, rate, []).counting(1);
  expect([allowedAt(10_000_000, rate, starts).free, allowedAt(5_000_000, rate, starts).free]).toEqual([0, 1]);
});

test('what no rate and no share is, or not that of all jobs of its queue, is refused', () => {
  const queue = { name: 'q', concurrency: 1 };
  const refusals = (...queues: readonly Queue[]) => {
    try {
      mustJobs(queues.map((each, n) => ({ ...told(each), name: `j${n}` })));
      return '';
    } catch (thrown) {
      return String(thrown);
    }
  };
  expect(refusals({ ...queue, rate: { attempts: 0, perMs: 1_000 } })).toContain('queue.rate.attempts');
  expect(refusals({ ...queue, rate: { attempts: 1, perMs: 10 } })).toContain('queue.rate.perMs');
  expect(refusals({ ...queue, share: 5 as never })).toContain('queue.share');
  expect(refusals(queue, { ...queue, rate: { attempts: 1, perMs: 1_000 } })).toContain('more than one rate');
  expect(refusals(queue, { ...queue, share: () => 2 })).toContain('more than one share');
  expect(refusals({ ...queue, rate: { attempts: 1, perMs: 1_000 }, share: () => 2 })).toBe('');
});

test('a queue of Tombolo’s own jobs is nobody else’s, and steps of workflows share one by the bounds that its jobs have', () => {
  const queue = { name: 'mail', concurrency: 5 };
  const flow = (of: Queue) => workflow({ name: 'flow', input: z.null(), steps: [{ name: 'send', queue: of, run: async () => ({}) }] });
  const right = (all: readonly Job[], flows: readonly Workflow[]) => () => void mustBeRight(contract(), { jobs: all, workflows: flows });
  const never = () => {
    throw new Error('nothing is run');
  };
  const own = [deliveryJob(never, usualTimes), departureJob(never, []), flow(queue)];
  expect(own.map(({ queue: { name } }) => name)).toEqual(['webhooks', 'departures', 'workflows']);
  for (const { queue: { name, concurrency } } of own) {
    expect(right([told({ name, concurrency })], [])).toThrow(`job "tell": queue.name: "${name}" is a queue of Tombolo's own jobs`);
    expect(right([], [flow({ name, concurrency })])).toThrow(`step "send": queue.name: "${name}" is a queue of Tombolo's own jobs`);
  }
  expect(right([told({ ...queue, ofLane: 1 })], [])).toThrow('queue.ofLane');
  const rated = { ...queue, rate: { attempts: 100, perMs: 60_000 } };
  expect(right([told(rated)], [flow(queue)])).toThrow('queue "mail": has more than one rate');
  expect(right([told(queue)], [flow(queue)])).not.toThrow();
  expect(right([], [flow(queue)])).not.toThrow();
});

function onFile() {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-queues-'));
  return { variables: { TOMBOLO_DATA_DIR: dir }, remove: () => rmSync(dir, { recursive: true, force: true }) };
}

async function onMongo() {
  const { uri, remove } = await openMongoDatabase();
  return { variables: { MONGODB_URI: uri }, remove };
}
