/** A short run of what `npm run soak` does at length: jobs under kill -9, on MongoDB of two processes. */
import { expect, test } from 'bun:test';
import { type Left, runKilledJobs, violationsIn } from './killed-jobs.ts';

const runs = [{ engine: 'sqlite', kills: 30 }, { engine: 'mongodb', kills: 20 }] as const;

test.each(runs)('killed at random moments on $engine, no job is lost, and each has one accepted end', async (given) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { figures, violations } = await runKilledJobs({ ...given, seed, killingMsMax: 18_000 });
  expect({ seed, violations: violations.slice(0, 10) }).toEqual({ seed, violations: [] });
  // A run in which nothing happens proves nothing.
  expect(figures.kills).toBeGreaterThan(5);
  expect(figures.committed).toBeGreaterThan(figures.kills);
  expect(figures.done).toBeGreaterThan(figures.kills);
  expect(figures.begunAgain).toBeGreaterThan(0);
}, 180_000);

test('a lost job, one of nothing, a claim of two and an end that is not the state’s are found', () => {
  const payload = (n: number) => JSON.stringify({ of: 's', n });
  const done = { payload: payload(1), state: 'done', attempt: 1 } as const;
  const right: Left = { owed: [payload(1)], jobs: new Map([['a', done]]), ends: new Set(['a']), begun: [{ id: 'a', attempt: 1 }] };
  const found = (wrong: Partial<Left>) => violationsIn({ ...right, ...wrong });
  expect(found({})).toEqual([]);
  expect(found({ owed: [payload(1), payload(1)] })).toEqual([`${payload(1)}: was written, and its job is lost`]);
  expect(found({ owed: [] })).toEqual([`${payload(1)}: has a job, and was not written`]);
  expect(found({ begun: [{ id: 'a', attempt: 1 }, { id: 'a', attempt: 1 }] })).toEqual(['a attempt 1: was begun more than once']);
  expect(found({ ends: new Set() })).toEqual(['a: is done, and has no end']);
  const dead = new Map([['a', { ...done, state: 'dead' } as const]]);
  expect(found({ jobs: dead })).toEqual(['a: is dead, and its end was accepted', 'a: died too early']);
});
