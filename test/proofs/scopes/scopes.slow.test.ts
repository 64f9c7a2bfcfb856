/** Nobody is ever answered what was made for another: everybody asks for everything while everything changes. */
import { expect, test } from 'bun:test';
import { worlds } from '../../support/whole-world.ts';
import { runScopes } from './run.ts';

test.each(worlds)('every answer is what its caller’s rights give, at a moment within the bound, on %s in %s', async (engine, stack) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { findings, figures } = await runScopes({
    engine, stack, seed, writes: 60, answers: 1_000, memoMs: 300, feedSilentMs: 400,
  });
  expect({ engine, stack, seed, wrong: findings.wrong.slice(0, 5), leaked: findings.leaked.slice(0, 5) }).toEqual({
    engine,
    stack,
    seed,
    wrong: [],
    leaked: [],
  });
  expect(figures.notModified).toBeGreaterThan(0);
  // The cache is at work, for those who are signed in as well.
  expect(figures.hits['films anyone']).toBeGreaterThan(0);
  expect(figures.hits['films signed in']).toBeGreaterThan(0);
  expect(figures.hits['reviews signed in']).toBeGreaterThan(0);
  expect(figures.hits['orders signed in']).toBeGreaterThan(0);
  for (const how of [' by key', ' by session']) expect(Object.keys(figures.hits).filter((key) => key.endsWith(how))).not.toEqual([]);
  expect(Object.keys(figures.hits).filter((key) => key.includes(' with '))).not.toEqual([]);
});
