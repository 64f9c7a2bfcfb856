/**
 * The database's time between two looks at it: leases are granted and ended by it, so that no process's clock decides whether
 * another one lives.
 */
import type { Store } from '../store/store.ts';

/** The clock of a machine drifts by less than 2 ms in that time, and a new primary may tell another time. */
const lookMs = 10_000;

export class DatabaseClock {
  readonly #store: Pick<Store, 'time'>;
  #aheadMs = 0;
  #lookedAtMs: number | undefined;

  constructor(store: Pick<Store, 'time'>) {
    this.#store = store;
  }

  /** Milliseconds of the epoch. Throws a Fault where the database cannot be asked. */
  async now(): Promise<number> {
    if (this.#lookedAtMs === undefined || performance.now() - this.#lookedAtMs > lookMs) {
      const time = await this.#store.time();
      this.#lookedAtMs = performance.now();
      this.#aheadMs = time - this.#lookedAtMs;
    }
    return Math.floor(performance.now() + this.#aheadMs);
  }
}
