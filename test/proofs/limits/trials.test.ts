/** A short run of what `npm run soak -- --only limits` does ten thousand times in each place. */
import { expect, test } from 'bun:test';
import { testThat } from '../../support/needs.ts';
import { redisServer } from '../../support/redis.ts';
import { places, runTrials } from './trials.ts';

for (const place of places) {
  const testPlace = place === 'redis' ? testThat(redisServer) : test;
  testPlace(`no limit of up to 20 is over by one, or refuses early, however many ask at once (${place})`, async () => {
    const { figures, violations } = await runTrials(place, { seed: 1, trials: place === 'redis' ? 500 : 200 });
    expect(violations).toEqual([]);
    expect(figures.granted).toBeGreaterThan(figures.trials);
    expect(figures.asked).toBeGreaterThan(figures.granted);
  });
}
