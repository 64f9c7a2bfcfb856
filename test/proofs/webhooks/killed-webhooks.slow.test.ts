/** A short run of what can go on at length: webhooks under kill -9, on MongoDB of two processes. */
import { expect, test } from 'bun:test';
import { runKilledWebhooks, violationsIn } from './killed-webhooks.ts';

const runs = [{ engine: 'sqlite', changes: 500, killsMin: 3 }, { engine: 'mongodb', changes: 80, killsMin: 3 }] as const;

test.each(runs)('killed at random moments on $engine, each change comes to its owner, and to nobody else', async (given) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { figures, violations } = await runKilledWebhooks({ ...given, seed });
  expect({ seed, violations: violations.slice(0, 10) }).toEqual({ seed, violations: [] });
  // A run in which nothing happens proves nothing.
  expect(figures.owed).toBeGreaterThanOrEqual(given.changes);
  expect(figures.again).toBeGreaterThan(0);
}, 180_000);

test('what has not come, what nobody owed and what came to another are found', () => {
  const owed = [{ id: 'a', document: 'ada-1', author: 'ada' }];
  const came = { id: 'a', path: '/ada', body: { type: 'notes.created', data: { id: 'ada-1' } } };
  expect(violationsIn(owed, [came])).toEqual([]);
  expect(violationsIn(owed, [])).toEqual(['a of ada-1 has not come']);
  expect(violationsIn([], [came])).toEqual(['a came to /ada of ada-1']);
  expect(violationsIn(owed, [came, { ...came, path: '/bob' }])).toEqual(['a came to /bob of ada-1']);
  const two = [{ id: 'b', document: 'bob-1', author: 'bob' }, { id: 'c', document: 'bob-1', author: 'bob' }];
  const inOrder = two.map(({ id }) => ({ id, path: '/bob', body: { type: 'notes.changed', data: { id: 'bob-1' } } }));
  expect(violationsIn(two, inOrder)).toEqual([]);
  expect(violationsIn(two, inOrder.toReversed())).toEqual(['b of bob-1 came after a later one']);
  const shown = { ...came, body: { ...came.body, data: { id: 'ada-1', document: { author: 'bob' } } } };
  expect(violationsIn(owed, [shown])).toEqual(['a came to /ada of ada-1']);
});
