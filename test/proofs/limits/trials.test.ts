/** A short run of what `npm run soak -- --only limits` does ten thousand times in each place. */
import { expect, test } from 'bun:test';
import { places, runTrials } from './trials.ts';

test.each(places)('no limit of up to 20 is over by one, or refuses early, however many ask at once (%s)', async (place) => {
  const { figures, violations } = await runTrials(place, { seed: 1, trials: 200 });
  expect(violations).toEqual([]);
  expect(figures.granted).toBeGreaterThan(figures.trials);
  expect(figures.asked).toBeGreaterThan(figures.granted);
});
