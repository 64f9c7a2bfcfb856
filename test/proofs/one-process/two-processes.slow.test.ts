/** Two processes on one MongoDB, and clients that change from one to the other with each request: one history. */
import { expect, test } from 'bun:test';
import { check } from '../history/check.ts';
import { runTwoProcesses } from './two-processes.ts';

test('two processes of which one after the other is killed lose, double, delay and hide nothing', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { history, figures } = await runTwoProcesses({ seed, kills: 3, writesBetween: 30 });
  expect({ seed, violations: check(history).slice(0, 10) }).toEqual({ seed, violations: [] });
  expect(figures.writes.acked).toBeGreaterThan(180);
  for (const count of [figures.reads, figures.hits, figures.events, figures.reconnects]) expect(count).toBeGreaterThan(0);
});
