/** A short run of what `npm run soak -- --only limits` does ten thousand times in each place. */
import { expect, test } from 'bun:test';
import { testThat } from '../../support/needs.ts';
import { redisServer } from '../../support/redis.ts';
import { places, runTrials } from './trials.ts';
import { runUnderWayTrials } from './under-way-trials.ts';

for (const place of places) {
  const isRedis = place === 'redis';
  const testPlace = isRedis ? testThat(redisServer) : test;
  testPlace(`no limit of up to 20 is over by one, or refuses early, however many ask at once (${place})`, async () => {
    const { figures, violations } = await runTrials(place, { seed: 1, trials: isRedis ? 500 : 200 });
    expect(violations).toEqual([]);
    expect(figures.granted).toBeGreaterThan(figures.trials);
    expect(figures.asked).toBeGreaterThan(figures.granted);
  });

  testPlace(`never are more under way than a plan has, and each slot is given back (${place})`, async () => {
    const { figures, violations } = await runUnderWayTrials(place, { seed: 1, trials: 150 });
    expect(violations).toEqual([]);
    expect(figures.refused).toBeGreaterThan(figures.trials);
    // All that there is was in use in many of them: in how many is a matter of chance.
    expect(figures.full).toBeGreaterThan(figures.trials / 4);
  });
}
