/** A short run of what can go on at length: read models under kill -9 and changing declarations, on MongoDB by two processes. */
import { expect, test } from 'bun:test';
import { engines } from '../../support/whole-world.ts';
import { differencesIn, runKilledModels } from './killed-models.ts';

test.each([...engines])('killed at random moments on %s, rows are of one declaration, and what a recomputation says', async (engine) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { figures, violations } = await runKilledModels({ engine, seed, killsMin: 3, turnsMin: 1 });
  expect({ seed, violations: violations.slice(0, 10) }).toEqual({ seed, violations: [] });
  // A run in which nothing happens proves nothing.
  expect(figures.turns).toBeGreaterThanOrEqual(1);
  expect(figures.rows).toBeGreaterThan(10);
}, 300_000);

test('a row that is away, one too many and one that says something else are found', () => {
  const documents = [{ id: 'a', shelf: 's', pages: 2 }, { id: 'b', shelf: 's', pages: 3 }];
  const row = { id: 's', declaration: 'first', books: 2, pages: 5 };
  expect(differencesIn(documents, [row])).toEqual([]);
  expect(differencesIn(documents, [])).toEqual(['s is away, and its documents come to first 2 5']);
  expect(differencesIn(documents, [{ ...row, pages: 4 }])).toEqual(['s is first 2 4, and its documents come to first 2 5']);
  expect(differencesIn([], [row])).toEqual(['s is first 2 5, and its documents come to nothing']);
});
