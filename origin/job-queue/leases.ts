/** The leases of the attempts that run in this process: extended by beats, of all of them in one write. */
import { pause } from '../pause.ts';
import type { Store } from '../store/store.ts';
import type { Attempt } from './attempt.ts';
import { inTime } from './claims.ts';

/** Beats in the time of a lease. */
const beatsOfLease = 3;

interface Keeping {
  readonly store: Store;
  readonly leaseMs: number;
  /** By the database's clock. */
  now(): Promise<number>;
  attempts(): readonly Attempt[];
  onTrouble(message: string, cause: unknown): void;
}

/** Until the signal aborts; never throws. */
export async function keepLeases({ store, leaseMs, now, attempts, onTrouble }: Keeping, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    await pause(leaseMs / beatsOfLease, signal);
    const beating = attempts();
    if (signal.aborted || beating.length === 0) continue;
    try {
      const nowMs = await now();
      const { outcomes } = await store.write(beating.map((attempt) => attempt.beat(nowMs)), inTime());
      for (const [index, attempt] of beating.entries()) attempt.beaten(outcomes[index]?.kind === 'written');
    } catch (cause) {
      onTrouble('the leases of running jobs could not be kept', cause);
      for (const attempt of beating) attempt.beaten(undefined);
    }
  }
}
