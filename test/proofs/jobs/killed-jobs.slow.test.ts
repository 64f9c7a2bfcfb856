/** A short run of what `npm run soak` does at length: jobs under kill -9, on MongoDB of two processes, and of members that fail. */
import { expect, test } from 'bun:test';
import { type Left, runKilledJobs, violationsIn } from './killed-jobs.ts';

/** Fifty kills, of a seed each. */
const runs = [
  { title: 'on sqlite', engine: 'sqlite', kills: 22, membersFail: false },
  { title: 'on mongodb', engine: 'mongodb', kills: 14, membersFail: false },
  { title: 'on mongodb whose primary fails', engine: 'mongodb', kills: 14, membersFail: true },
] as const;

test.each(runs)('killed at steps of the queue $title, no job is lost, and of each one end is accepted', async (run) => {
  const { engine, kills, membersFail } = run;
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { figures, violations } = await runKilledJobs({ engine, kills, membersFail, seed });
  expect({ seed, violations: violations.slice(0, 10) }).toEqual({ seed, violations: [] });
  // A run in which nothing happens proves nothing.
  expect(figures.kills).toBe(kills);
  expect(Object.keys(figures.steps).length).toBeGreaterThan(1);
  expect(figures.failovers > 0).toBe(membersFail);
  expect(figures.committed).toBeGreaterThan(0);
  expect(figures.done).toBeGreaterThan(0);
  expect(figures.begunAgain).toBeGreaterThan(0);
}, 300_000);

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
