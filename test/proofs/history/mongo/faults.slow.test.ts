/** Random faults over random writes, reads and subscriptions on MongoDB; `npm run soak` has a thousand and more. */
import { expect, test } from 'bun:test';
import { disturbances } from './disturbances.ts';
import { judgeSeeds } from './evidence.ts';

const seeds = Array.from({ length: 50 }, (_, index) => index + 1);
const atOnce = 4;

test('fifty seeds of dying, deposed and forgetful members lose, double, delay and hide nothing', async () => {
  const verdicts = await judgeSeeds(seeds, atOnce);
  expect(verdicts.flatMap(({ violations }) => violations.slice(0, 3))).toEqual([]);
  // Runs in which nothing happens prove nothing.
  const figures = verdicts.flatMap((verdict) => verdict.figures ?? []);
  const sum = (of: (figures: (typeof verdicts)[number]['figures'] & {}) => number) => figures.reduce((total, each) => total + of(each), 0);
  expect(new Set(figures.flatMap(({ rounds }) => rounds.map((round) => round.replace(/ and .*/, '')))).size).toBe(
    Object.keys(disturbances).length,
  );
  expect(sum(({ writes }) => writes.acked)).toBeGreaterThan(1_000);
  for (const count of [
    sum(({ writes }) => writes.unknown),
    sum(({ replays }) => replays),
    sum(({ events }) => events),
    sum(({ resyncs }) => resyncs),
    sum(({ rolledBack }) => rolledBack),
    sum(({ commandFaults }) => commandFaults),
  ]) {
    expect(count).toBeGreaterThan(0);
  }
  expect(sum(({ reads }) => reads)).toBeGreaterThan(1_000);
}, 600_000);
