/** A short run of what `npm run soak` does at length: a thousand restarts and rotations, and no 401 that was not due. */
import { expect, test } from 'bun:test';
import { runRotations } from './rotations.ts';

test('whoever has a good credential is told so through restarts and rotations, and whoever has a revoked one is not', async () => {
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { figures, violations } = await runRotations({ engine: 'sqlite', seed, restartsEach: 1, changesEach: 4 });
  expect({ seed, violations: violations.slice(0, 10) }).toEqual({ seed, violations: [] });
  // A run in which nobody asks proves nothing.
  expect(figures['answered']).toBeGreaterThan(20);
  expect(figures['revoked']).toBeGreaterThanOrEqual(4);
}, 120_000);
