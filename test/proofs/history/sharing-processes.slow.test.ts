/** A short run of what `npm run soak` does at length: the promises hold for processes that share a SQLite file. */
import { expect, test } from 'bun:test';
import { check } from './check.ts';
import { runSharing } from './sharing-processes.ts';

test('processes of one SQLite file that are killed, stand still and are replaced lose, double, delay and hide nothing', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { history, figures } = await runSharing({ seed, processes: 2, rounds: 1, writesBetween: 40 });
  expect({ seed, violations: check(history).slice(0, 10) }).toEqual({ seed, violations: [] });
  // A run in which nothing happens proves nothing.
  expect(figures.writes.acked).toBeGreaterThan(200);
  expect(figures.reads).toBeGreaterThan(100);
  for (const count of [figures.events, figures.reconnects]) expect(count).toBeGreaterThan(0);
}, 120_000);
