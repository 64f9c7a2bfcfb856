import { seededRandom as unitsFrom } from '../faults.ts';

/** A seeded source of choices: the same seed asks the same questions, on every machine. */
export type Random = {
  /** A number from 0 up to but not including 1. */
  unit(): number;
  below(bound: number): number;
  chance(probability: number): boolean;
  pick<T>(items: readonly T[]): T;
  /** One of the makers, by weight. */
  weighted<T>(...makers: readonly (readonly [weight: number, make: () => T])[]): T;
  list<T>(lengthMax: number, make: () => T): T[];
};

export function seededRandom(seed: number): Random {
  const unit = unitsFrom(seed);
  const below = (bound: number) => Math.floor(unit() * bound);
  return {
    unit,
    below,
    chance: probability => unit() < probability,
    pick: items => items[below(items.length)] as (typeof items)[number],
    weighted: (...makers) => {
      let left = unit() * makers.reduce((sum, [weight]) => sum + weight, 0);
      const found = makers.find(([weight]) => (left -= weight) < 0) ?? makers[0];
      if (found === undefined) throw new Error('nothing to choose from');
      return found[1]();
    },
    list: (lengthMax, make) => Array.from({ length: below(lengthMax + 1) }, make),
  };
}
