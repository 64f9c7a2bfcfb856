/** Turns of tenants, held to a naive walk over all that is ready: of many random queues in memory, and of one on each engine. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { enqueuing } from '../../../origin/job-queue/enqueue.ts';
import { job } from '../../../origin/job-queue/job.ts';
import { toNext } from '../../../origin/job-queue/job-lists.ts';
import { type Found, type Lists, TenantTurns } from '../../../origin/job-queue/tenant-turns.ts';
import type { ListRequest } from '../../../origin/store/store.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { jobLimits } from '../../../shared/jobs/limits.ts';
import { jobs, type StoredJob } from '../../../shared/jobs/resource.ts';
import { compareSortValues, toSortValue } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { Random } from '../../support/random.ts';
import { engines } from '../../support/whole-world.ts';

const queue = { name: 'turns', concurrency: 1, share: (tenant?: string) => (tenant === 'b' ? 3 : 1) };
const tenants = [undefined, 'a', 'b', 'c', 'd'];
const inTime = () => ({ deadline: Date.now() + 20_000 });

/** Whose turn it is, job by job, of all that is there. */
class NaiveTurns {
  readonly #turns = new Map<number, { tenant: string; begun: number }>();
  readonly #share: (tenant: string) => number;
  /** In the order in which they were ready. */
  left: readonly Found[];

  constructor(all: readonly Found[], share: (tenant: string) => number) {
    this.left = all;
    this.#share = share;
  }

  next(): string | undefined {
    const priority = Math.max(...this.left.map(({ job: { priority: each } }) => each));
    const ofTop = this.left.filter(({ job }) => job.priority === priority);
    const turn = this.#turns.get(priority);
    const tenants = [...new Set(ofTop.map(({ job: { tenant = '' } }) => tenant))].toSorted();
    const goesOn = turn !== undefined && turn.begun < this.#share(turn.tenant) && tenants.includes(turn.tenant);
    const tenant = goesOn ? turn.tenant : (tenants.find((each) => turn === undefined || each > turn.tenant) ?? tenants[0]);
    const next = ofTop.find(({ job }) => (job.tenant ?? '') === tenant);
    this.#turns.set(priority, { tenant: tenant ?? '', begun: goesOn ? turn.begun + 1 : 1 });
    this.left = this.left.filter((each) => each !== next);
    return next?.id;
  }
}

interface Place {
  readonly lists: Lists;
  remove(ids: readonly string[]): Promise<void> | void;
}

/** Until nothing is ready; what another process claims has not begun here, and what is left of a turn is dealt out again. */
async function mustFollow({ lists, remove }: Place, random: Random, seed: number): Promise<void> {
  let pages = 0;
  const turns = new TenantTurns(queue, (requests) => (pages++, lists(requests)), (cause) => {
    throw cause;
  });
  const naive = new NaiveTurns((await lists([toNext(queue.name, 1_000)])).flat(), queue.share);
  while (naive.left.length > 0) {
    pages = 0;
    const next = await turns.next(1 + random.below(5));
    expect(pages).toBeLessThanOrEqual(2 + jobLimits.turnPagesMax);
    const begins = next.slice(0, 1 + random.below(next.length));
    expect([seed, ...begins.map(({ id }) => id)]).toEqual([seed, ...begins.map(() => String(naive.next()))]);
    for (const each of begins) turns.begun(each);
    await remove(begins.map(({ id }) => id));
  }
  expect(await turns.next(1)).toEqual([]);
}

function inMemory(random: Random): Place {
  let ready = tenants.flatMap((tenant) => [2, 0].flatMap((priority) => Array.from({ length: random.below(12) }, (_, n): Found => ({
    id: `${tenant ?? ''}${priority}${n}`,
    job: {
      name: 'tell', queue: queue.name, state: 'ready', priority, attempt: 0, payload: '', made: '', owner: '',
      dueAt: new Date(n).toISOString(), ...(tenant === undefined ? {} : { tenant }),
    },
  }))));
  const keysOf = ({ id, job: { priority, tenant, dueAt } }: Found): NonNullable<ListRequest['after']> =>
    [toSortValue(priority, 'integer'), toSortValue(tenant, 'string'), toSortValue(dueAt, 'instant'), toSortValue(id, 'string')];
  const compare = (left: NonNullable<ListRequest['after']>, right: NonNullable<ListRequest['after']>) => {
    const [priority = 0, ...others] = left.map((key, n) => compareSortValues(key, right[n] ?? toSortValue(undefined, 'string')));
    return -priority || others.find((each) => each !== 0) || 0;
  };
  ready = ready.toSorted((left, right) => compare(keysOf(left), keysOf(right)));
  return {
    lists: async (requests) => requests.map(({ after, limit }) =>
      ready.filter((each) => after === undefined || compare(keysOf(each), after) > 0).slice(0, limit)),
    remove: (ids) => void (ready = ready.filter(({ id }) => !ids.includes(id))),
  };
}

async function onEngine({ context: { store } }: DirectOrigin, random: Random): Promise<Place> {
  const tell = job({ name: 'tell', payload: z.string(), queue, handler: async () => undefined });
  for (const tenant of tenants) {
    const claims = tenant === undefined ? {} : { tenant };
    for (const priority of [0, 2]) {
      const mutations = Array.from({ length: random.below(12) }, (_, n) =>
        enqueuing(tell, `${n}`, { priority }, { principal: { subject: 'ada', claims }, nowMs: Date.now() }));
      await store.write(mutations, inTime());
    }
  }
  return {
    lists: async (requests) => (await store.lists(jobs, requests, inTime())).value.map((rows) =>
      rows.map(({ document: { id, value } }) => ({ id, job: value as unknown as StoredJob }))),
    remove: async (ids) =>
      void await store.write(ids.map((id) => ({ resource: jobs, id, decide: () => ({ kind: 'remove' as const }) })), inTime()),
  };
}

const newSeed = () => Math.floor(Math.random() * 2 ** 32);

test('turns are what a naive walk gives, whatever their shares, priorities and pages', async () => {
  for (let round = 0; round < 1_000; round++) {
    const seed = newSeed();
    const random = new Random(seed);
    await mustFollow(inMemory(random), random, seed);
  }
});

test.each(engines)('so they are where %s lists what is ready', async (engine) => {
  const seed = newSeed();
  const random = new Random(seed);
  await using origin = await DirectOrigin.on(engine, contract(), {});
  await mustFollow(await onEngine(origin, random), random, seed);
}, 60_000);
