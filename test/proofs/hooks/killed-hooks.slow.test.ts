/** A short run of what `npm run soak` does at length: hooks under kill -9, on MongoDB of two processes. */
import { expect, test } from 'bun:test';
import type { DocumentChange } from '../../../shared/contract/change.ts';
import { checkOutside, runKilledHooks } from './killed-hooks.ts';

const runs = [{ engine: 'sqlite', kills: 5 }, { engine: 'mongodb', kills: 3 }] as const;

const title = 'killed at random moments on $engine, a hook that fails at times tells of each change, in order, and counts it once';

test.each(runs)(title, async (given) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { figures, violations } = await runKilledHooks({ ...given, seed });
  expect({ seed, violations: violations.slice(0, 10) }).toEqual({ seed, violations: [] });
  // A run in which nothing happens proves nothing.
  expect(figures.committed).toBeGreaterThan(60);
  expect(figures.told).toBe(figures.committed);
  expect(figures.toldAgain).toBeGreaterThan(0);
}, 120_000);

test('what was never told, told out of order or under another id is found', () => {
  const change = (order: string, after: number): DocumentChange => ({
    kind: 'document', resource: 'subjects', id: 's', position: { epoch: 'e', order }, before: {}, after: { n: after },
  });
  const committed = [change('1', 1), change('2', 2)];
  const line = (order: string, n: number) => ({ program: 'p', eventId: `e.${order}`, id: 's', what: `updated ${n}` });
  expect(checkOutside(committed, [line('1', 1), line('1', 1), line('2', 2)])).toEqual([]);
  expect(checkOutside(committed, [line('1', 1)])).toEqual(['e.2: s updated 2 was never told']);
  expect(checkOutside(committed, [line('2', 2), line('1', 1)])).toEqual(['events of s were first told in another order than committed']);
  expect(checkOutside(committed, [line('1', 1), line('2', 1)])).toEqual(['e.2: s updated 1 was told, s updated 2 was committed']);
});
