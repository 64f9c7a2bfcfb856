/** A short run of what `npm run soak -- --only 'one process'` does at length. */
import { expect, test } from 'bun:test';
import { runKilledProcess } from './killed-process.ts';

test('ten times killed: no limit is passed, no ticket is good twice or lost, no effect is done twice, nothing is missing', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { figures, violations } = await runKilledProcess({ engine: 'sqlite', seed, rounds: 10 });
  expect({ seed, violations }).toEqual({ seed, violations: [] });
  // The limit was met, or nothing was shown.
  expect(figures.refused).toBeGreaterThan(0);
});
