/**
 * In which order the origins are asked for a caller: weighted rendezvous hashing, so that a caller stays with one, and only
 * the callers of an origin that goes or comes change (Schindelhauer and Schomaker, "Weighted Distributed Hash Tables", 2005).
 */
import { hash32 } from '../../shared/wire/hash.ts';

export interface Weighted {
  readonly weight: number;
  /** Names the origin in hashes. */
  readonly seed: number;
}

/** Which callers go to a canary must not depend on which of the others they go to. */
const canarySeed = 0x3c6ef372;

/** The first is the caller's own; those without weight are none's. */
export function rankedFor<Origin extends Weighted>(origins: readonly Origin[], caller: string): readonly Origin[] {
  return origins
    .filter(({ weight }) => weight > 0)
    .map((origin) => ({ origin, rank: -Math.log(pointOf(caller, origin.seed)) / origin.weight }))
    .sort((a, b) => a.rank - b.rank)
    .map(({ origin }) => origin);
}

export function isForCanary(caller: string, percent: number): boolean {
  return pointOf(caller, canarySeed) * 100 <= percent;
}

/** Above 0, and 1 at most. */
function pointOf(caller: string, seed: number): number {
  return (hash32(caller, seed) + 1) / 2 ** 32;
}
