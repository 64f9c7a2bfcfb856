/** A short run of what `npm run soak` does at length: the promises hold while the origin is killed under load. */
import { expect, test } from 'bun:test';
import { check } from './check.ts';
import type { Stack } from '../../support/whole-world.ts';
import { runHistory } from './killed-origin.ts';

const stacks: readonly Stack[] = ['workerd', 'one process'];

test.each([...stacks])('an origin that is killed under load loses, doubles, delays and hides nothing, in %s', async (stack) => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const bounds = { memoMs: 300, feedSilentMs: 400 };
  const { history, figures } = await runHistory({ stack, seed, kills: 3, writesBetween: 60, forgetEvery: 2, ...bounds });
  expect({ seed, violations: check(history).slice(0, 10) }).toEqual({ seed, violations: [] });
  // A run in which nothing happens proves nothing.
  expect(figures.writes.acked).toBeGreaterThan(180);
  expect(figures.reads).toBeGreaterThan(100);
  // Replays and resyncs depend on where a kill falls; the soak, with more kills, counts them.
  for (const count of [figures.hits, figures.events, figures.reconnects]) expect(count).toBeGreaterThan(0);
});
