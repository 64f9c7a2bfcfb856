/**
 * Trials of how many requests are under way: many at once, from several isolates or processes, begin and end as they come, and at
 * each moment those that were let in are counted. At the end of each all slots are free again.
 */
import { plans } from '../../../shared/limits/plans.ts';
import { Random } from '../../support/random.ts';
import { RestRedis } from '../../support/redis.ts';
import { type CounterPlace, openPlace, toIsolate } from './trials.ts';

export interface UnderWayRun {
  readonly figures: { readonly trials: number; readonly granted: number; readonly refused: number; readonly full: number };
  readonly violations: readonly string[];
}

const concurrentMax = 8;

export async function runUnderWayTrials(
  place: CounterPlace, given: { readonly seed: number; readonly trials: number },
): Promise<UnderWayRun> {
  const random = new Random(given.seed);
  await using redis = place === 'redis' ? await RestRedis.start() : undefined;
  const asks = openPlace(place, random, redis);
  const figures = { trials: given.trials, granted: 0, refused: 0, full: 0 };
  const violations: string[] = [];
  for (let trial = 0; trial < given.trials; trial++) {
    const concurrent = 1 + random.below(concurrentMax);
    const { signedIn: plan } = plans({
      anonymous: 'a', signedIn: 'a', plans: { a: { windows: [{ limit: 1_000, seconds: 60 }], concurrent } },
    });
    const isolates = Array.from({ length: 1 + random.below(4) }, (_, index) => toIsolate(asks[index % asks.length]));
    const ends: Promise<unknown>[] = [];
    let running = 0;
    let most = 0;
    const spend = async () => isolates[random.below(isolates.length)]?.spend({
      caller: `subject:${trial}`, plan, cost: 1, kind: 'reads', keepsDays: false, unavailable: 'refuse', underWayMsMax: 10_000,
      waitUntil: (work) => void ends.push(work),
    });
    await Promise.all(Array.from({ length: concurrent + 1 + random.below(24) }, async () => {
      const verdict = await spend();
      if (verdict?.kind !== 'granted') return void figures.refused++;
      most = Math.max(most, ++running);
      figures.granted++;
      // Longer than an answer of the counter takes, which Redis gives over a socket.
      if (redis !== undefined) await Bun.sleep(random.below(60));
      else for (let turns = random.below(40); turns > 0; turns--) await undefined;
      running--;
      verdict.leave?.();
    }));
    await Promise.all(ends.splice(0));
    if (most > concurrent) violations.push(`${place}, trial ${trial}: ${most} at once of ${concurrent}`);
    if (most === concurrent) figures.full++;
    const again = await Promise.all(Array.from({ length: concurrent }, spend));
    const granted = again.filter((verdict) => verdict?.kind === 'granted').length;
    if (granted < concurrent) violations.push(`${place}, trial ${trial}: ${granted} of ${concurrent} slots were given back`);
    for (const verdict of again) verdict?.leave?.();
    await Promise.all(ends);
  }
  return { figures, violations };
}
