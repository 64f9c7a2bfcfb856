import { afterEach, expect, test } from 'bun:test';
import { ComputeFault, PoolFull, type ComputeReason } from '../../../../origin/compute/faults.ts';
import { sessionsPerThreadMax } from '../../../../origin/compute/limits.ts';
import { ComputePool } from '../../../../origin/compute/pool.ts';
import { eventually } from '../../../support/eventually.ts';
import { tombolo } from '../../wasm/module.ts';
import type { FaultyCalls } from './faulty.worker.ts';

const signal = new AbortController().signal;
const pools: ComputePool<FaultyCalls>[] = [];

function pool(threads: number, waitingCallsMax = 4): ComputePool<FaultyCalls> {
  const made = new ComputePool<FaultyCalls>({
    script: new URL('faulty.worker.ts', import.meta.url),
    module: tombolo(),
    threads,
    waitingCallsMax,
  });
  pools.push(made);
  return made;
}

afterEach(async () => {
  for (const each of pools.splice(0)) await each.close();
});

async function reasonOf(promise: Promise<unknown>): Promise<ComputeReason | undefined> {
  const error = await promise.then(
    () => undefined,
    (rejected: unknown) => rejected,
  );
  if (!(error instanceof ComputeFault)) throw new Error(`not refused by the pool: ${error}`);
  return error.reason;
}

/** A call that keeps its thread until `let go`. */
function held(of: ComputePool<FaultyCalls>) {
  const shared = new SharedArrayBuffer(4);
  const reply = of.call('hold', shared, { signal });
  const letGo = () => {
    Atomics.store(new Int32Array(shared), 0, 1);
    Atomics.notify(new Int32Array(shared), 0);
  };
  return { reply, letGo };
}

test('a call past its deadline loses its thread, and the next call has a new one', async () => {
  const one = pool(1);
  expect(await one.call('echo', 'started', { signal })).toBe('started');
  const shared = new SharedArrayBuffer(4);
  const spinning = one.call('spin', shared, { signal, msMax: 200 });
  expect(await reasonOf(spinning)).toBe('compute_deadline');
  expect(new Int32Array(shared)[0]).toBe(1);
  expect(one.stats()).toMatchObject({ deadlines: 1, threads: 0, busy: 0 });
  expect(await one.call('echo', 'alive', { signal })).toBe('alive');
  expect(one.stats()).toMatchObject({ threads: 1, replies: 2 });
});

test('a call that waited behind a lost thread runs on the next one', async () => {
  const one = pool(1);
  const spinning = one.call('spin', new SharedArrayBuffer(4), { signal, msMax: 200 });
  const waiting = one.call('echo', 'waited', { signal });
  expect(await reasonOf(spinning)).toBe('compute_deadline');
  expect(await waiting).toBe('waited');
});

test('a session on a lost thread fails, whoever lost it', async () => {
  const one = pool(1);
  const session = one.session();
  expect(await session.call('echo', 'before', { signal })).toBe('before');
  const spinning = one.call('spin', new SharedArrayBuffer(4), { signal, msMax: 200 });
  const pinned = session.call('echo', 'behind', { signal });
  expect(await reasonOf(spinning)).toBe('compute_deadline');
  expect(await reasonOf(pinned)).toBe('compute_thread_lost');
  expect(await reasonOf(session.call('echo', 'after', { signal }))).toBe('compute_thread_lost');
  session.close();
  expect(await one.session().call('echo', 'new', { signal })).toBe('new');
});

test('a full queue refuses at once, with when to come again, and begins nothing', async () => {
  const one = pool(1, 2);
  const { reply, letGo } = held(one);
  const waiting = ['a', 'b'].map((text) => one.call('echo', text, { signal }));
  const refused = one.call('echo', 'c', { signal });
  expect(refused).rejects.toBeInstanceOf(PoolFull);
  expect(await refused.catch((error: PoolFull) => error.retryAfterSeconds)).toBeGreaterThan(0);
  expect(one.stats()).toMatchObject({ calls: 3, refused: 1, waiting: 2, busy: 1 });
  letGo();
  expect(await Promise.all([reply, ...waiting])).toEqual(['held', 'a', 'b']);
});

test('sessions are bounded for each thread and spread over all, busy or not', async () => {
  const two = pool(2);
  const { reply, letGo } = held(two);
  const sessions = Array.from({ length: 2 * sessionsPerThreadMax }, () => two.session());
  expect(two.stats()).toMatchObject({ threads: 2, sessionsOpen: 2 * sessionsPerThreadMax });
  expect(() => two.session()).toThrow(PoolFull);
  sessions[5]?.close();
  sessions[5]?.close();
  two.session();
  expect(() => two.session()).toThrow(PoolFull);
  letGo();
  expect(await reply).toBe('held');
});

test('a trap and an exit fail their call and cost the thread; a plain error costs only its call', async () => {
  const one = pool(1);
  expect(await reasonOf(one.call('fail', null, { signal }))).toBe('compute_failed');
  expect(one.stats()).toMatchObject({ threads: 1, traps: 0, losses: 0 });
  expect(await reasonOf(one.call('trap', null, { signal }))).toBe('compute_trapped');
  expect(one.stats()).toMatchObject({ threads: 0, traps: 1, losses: 0 });
  expect(await reasonOf(one.call('exit', null, { signal }))).toBe('compute_thread_lost');
  expect(one.stats()).toMatchObject({ threads: 0, traps: 1, losses: 1 });
  expect(await one.call('echo', 'alive', { signal })).toBe('alive');
});

test('a script that cannot start fails its callers, not the process', async () => {
  const broken = new ComputePool<FaultyCalls>({ script: new URL('no-such.worker.ts', import.meta.url), module: tombolo(), threads: 1 });
  pools.push(broken);
  expect(await reasonOf(broken.call('echo', 'x', { signal }))).toBe('compute_thread_lost');
  expect(await reasonOf(broken.call('echo', 'x', { signal }))).toBe('compute_thread_lost');
});

test('an aborted call is taken out of the queue and never runs', async () => {
  const one = pool(1);
  const { reply, letGo } = held(one);
  const abort = new AbortController();
  const waiting = one.call('exit', null, { signal: abort.signal });
  abort.abort(new Error('the client left'));
  expect(waiting).rejects.toThrow('the client left');
  expect(one.stats().waiting).toBe(0);
  letGo();
  expect(await reply).toBe('held');
  expect(await one.call('echo', 'alive', { signal })).toBe('alive');
  expect(one.stats().losses).toBe(0);
});

test('an aborted call that runs is answered at once, and its thread goes on afterwards', async () => {
  const one = pool(1);
  expect(await one.call('echo', 'started', { signal })).toBe('started');
  const shared = new SharedArrayBuffer(4);
  const abort = new AbortController();
  const running = one.call('hold', shared, { signal: abort.signal });
  abort.abort(new Error('the client left'));
  expect(running).rejects.toThrow('the client left');
  Atomics.store(new Int32Array(shared), 0, 1);
  Atomics.notify(new Int32Array(shared), 0);
  expect(await one.call('echo', 'alive', { signal })).toBe('alive');
  expect(one.stats()).toMatchObject({ threads: 1, deadlines: 0 });
});

test('closing ends every thread and every call, and nothing runs afterwards', async () => {
  const one = pool(1);
  const spinning = one.call('spin', new SharedArrayBuffer(4), { signal });
  const waiting = one.call('echo', 'x', { signal });
  const reasons = Promise.all([reasonOf(spinning), reasonOf(waiting)]);
  await one.close();
  expect(await reasons).toEqual(['compute_closed', 'compute_closed']);
  expect(await reasonOf(one.call('echo', 'x', { signal }))).toBe('compute_closed');
  expect(() => one.session()).toThrow('compute_closed');
  expect(one.stats()).toMatchObject({ threads: 0, waiting: 0 });
});

test('what waits behind a long call runs on the thread that is free first', async () => {
  const two = pool(2);
  const [long, short] = [held(two), held(two)];
  const waiting = ['a', 'b'].map((text) => two.call('echo', text, { signal }));
  short.letGo();
  expect(await Promise.all(waiting)).toEqual(['a', 'b']);
  expect(two.stats().busy).toBe(1);
  long.letGo();
  await Promise.all([long.reply, short.reply]);
});

test('a call that ends its thread does so with its signal, and what waited behind it runs on another', async () => {
  const one = pool(1);
  const cut = new AbortController();
  const shared = new SharedArrayBuffer(4);
  const spinning = one.call('spin', shared, { signal: cut.signal, msMax: 60_000, endsThread: true });
  const next = one.call('echo', 'next', { signal });
  await eventually('it runs', () => new Int32Array(shared)[0] === 1);
  cut.abort(new Error('cancelled'));
  expect(await spinning.catch(String)).toBe('Error: cancelled');
  expect(await next).toBe('next');
});
