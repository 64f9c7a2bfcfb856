/** Random histories of a few jobs, written beside a naive model: claims that are stale, lost and late among them. */
import { afterAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { execute } from '../../../origin/execute.ts';
import { enqueuing } from '../../../origin/job-queue/enqueue.ts';
import { type Claim, claiming, duly, ending, extending, failing, handingBack, lost } from '../../../origin/job-queue/job-writes.ts';
import { job } from '../../../origin/job-queue/job.ts';
import type { Mutation } from '../../../origin/store/store.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { jobOperations as rows } from '../../../shared/jobs/operations.ts';
import { jobs, type JobState, jobStates } from '../../../shared/jobs/resource.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { Random } from '../../support/random.ts';
import { engines } from '../../support/whole-world.ts';

const leaseMs = 1_000;
const attemptsMax = 2;
const root: Principal = { subject: 'root', roles: ['admin'], claims: {} };
const one = job({
  name: 'one', payload: z.null(), attempts: attemptsMax, backoff: { firstMs: 100, maxMs: 100 }, handler: async () => undefined,
});

interface Modelled {
  state: JobState;
  attempt: number;
  claim: string | undefined;
  dueAt: number;
}

/** What jobs mean, without a store, a fence or a document. */
class Model {
  readonly jobs = new Map<string, Modelled>();

  enqueue(id: string, nowMs: number, runAt: number): void {
    const there = this.jobs.get(id);
    if (there !== undefined && ['delayed', 'ready', 'running'].includes(there.state)) return;
    this.jobs.set(id, { state: runAt > nowMs ? 'delayed' : 'ready', attempt: 0, claim: undefined, dueAt: Math.max(runAt, nowMs) });
  }

  claim(id: string, claim: string, nowMs: number): void {
    const there = this.jobs.get(id);
    if (there?.state === 'ready') Object.assign(there, { state: 'running', claim, attempt: there.attempt + 1, dueAt: nowMs + leaseMs });
  }

  /** Whether the claim holds. */
  by({ id, claim }: Claim, change: (there: Modelled) => Partial<Modelled>): boolean {
    const there = this.jobs.get(id);
    if (there?.state !== 'running' || there.claim !== claim) return false;
    Object.assign(there, change(there));
    return true;
  }

  tick(nowMs: number): void {
    for (const there of this.jobs.values()) {
      if (there.state === 'delayed' && there.dueAt <= nowMs) there.state = 'ready';
      else if (there.state === 'running' && there.dueAt <= nowMs) Object.assign(there, freed(there));
    }
  }
}

const failed = ({ attempt }: Modelled, nowMs: number): Partial<Modelled> =>
  attempt >= attemptsMax ? { state: 'dead', claim: undefined } : { state: 'delayed', claim: undefined, dueAt: nowMs + 100 };
const freed = ({ attempt }: Modelled) => ({ state: attempt >= attemptsMax ? 'dead' : 'ready', claim: undefined } as const);

describe.each(engines)('jobs on %s', async (engine) => {
  const stepsMin = engine === 'sqlite' ? 800 : 200;
  const origin = await DirectOrigin.on(engine, contract());
  afterAll(() => origin[Symbol.asyncDispose]());
  const { store } = origin.context;
  const write = async (mutation: Mutation) => {
    const { outcomes: [outcome] } = await store.write([mutation], { deadline: Date.now() + 10_000 });
    if (outcome?.kind === 'refused' && outcome.fault !== lost) throw outcome.fault;
    return outcome?.kind === 'written';
  };

  test('are what a naive model says after each of many random steps', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Random(seed);
    const model = new Model();
    const claims: Claim[] = [];
    const seen = new Set<string>();
    let nowMs = Date.now();
    const anyOf = <T>(all: readonly T[]): T | undefined => all[random.below(Math.max(1, all.length))];
    const fenced = async (mutation: (claim: Claim) => Mutation, change: (there: Modelled) => Partial<Modelled>) => {
      const held = claims.filter(({ id, claim }) => model.jobs.get(id)?.claim === claim);
      const claim = anyOf(random.chance(0.7) ? held : claims.slice(-8));
      if (claim !== undefined) expect([seed, await write(mutation(claim))]).toEqual([seed, model.by(claim, change)]);
    };
    const asAdmin = async (name: 'cancelJob' | 'retryJob', from: readonly JobState[], to: Partial<Modelled>) => {
      const id = anyOf([...model.jobs.keys()]);
      const there = id === undefined ? undefined : model.jobs.get(id);
      if (id === undefined || there === undefined) return;
      const { outcome } = await origin.askBy(rows[name], execute, jobs, { id, principal: root });
      const isDone = outcome === 'removed' || outcome === 'written';
      expect([seed, name, there.state, isDone]).toEqual([seed, name, there.state, from.includes(there.state)]);
      if (isDone && there.state !== 'cancelled') Object.assign(there, to);
    };
    const steps: readonly (() => Promise<void>)[] = [
      async () => {
        const runAt = nowMs + random.below(3) * 200;
        const mutation = enqueuing(one, null, { runAt, dedupe: `d${random.below(4)}` }, { principal: root, nowMs });
        await write(mutation);
        model.enqueue(mutation.id, nowMs, runAt);
      },
      async () => {
        const id = anyOf([...model.jobs.keys()]);
        if (id === undefined) return;
        const claim = { id, claim: `c${claims.length}` };
        claims.push(claim);
        await write(claiming({ ...claim, nowMs, leaseMs, isKnown: () => true }));
        model.claim(id, claim.claim, nowMs);
      },
      () => fenced((claim) => ending(claim, nowMs, undefined), () => ({ state: 'done', claim: undefined })),
      () => fenced((claim) => extending(claim, nowMs + leaseMs, undefined), () => ({ dueAt: nowMs + leaseMs })),
      () => fenced((claim) => handingBack(claim, one, nowMs), freed),
      () => fenced((claim) => failing(claim, one, { cause: new Error('no'), nowMs, random: () => 1 }), (there) => failed(there, nowMs)),
      () => asAdmin('cancelJob', ['delayed', 'ready', 'running', 'cancelled'], { state: 'cancelled', claim: undefined }),
      () => asAdmin('retryJob', ['dead'], { state: 'ready', attempt: 0 }),
      async () => {
        nowMs += random.below(600);
        for (const id of model.jobs.keys()) await write(duly(id, nowMs, () => one));
        model.tick(nowMs);
      },
    ];
    // A history without one of the states proves little, so it goes on until it has seen them all.
    for (let step = 0; step < stepsMin || (seen.size < jobStates.length && step < 10 * stepsMin); step++) {
      await anyOf(steps)?.();
      for (const { state } of model.jobs.values()) seen.add(state);
      const { value: stored } = await store.many(jobs, [...model.jobs.keys()], { deadline: Date.now() + 10_000 });
      const found = stored.map(({ id, value }) => [id, value['state'], value['attempt'], value['claim']]).toSorted();
      const expected = [...model.jobs].map(([id, { state, attempt, claim }]) => [id, state, attempt, claim]).toSorted();
      expect([seed, step, ...found]).toEqual([seed, step, ...expected]);
    }
    expect([...seen].toSorted()).toEqual([...jobStates].toSorted());
  }, 120_000);
});
