/** Waits for a lock of another process without freezing the event loop, as long as there is time. */
import { storeLimits } from '../../limits.ts';
import { isBusy, toStoreFault } from './errors.ts';

export interface Until {
  readonly clock: () => number;
  readonly deadline: number;
  /** Between two tries. */
  readonly retryMs?: number;
}

/** Runs `run`, which is synchronous and changes nothing when it meets a lock, until it meets none; throws what a store throws. */
export function untilUnlocked<T>(run: () => T, until: Until): Promise<T> {
  return tried(run, until, toStoreFault);
}

/** The same, which throws what `run` throws, and SQLite's own error of a lock that is not freed in time. */
export function unlocked<T>(run: () => T, until: Until): Promise<T> {
  return tried(run, until, (error) => error);
}

async function tried<T>(
  run: () => T, { clock, deadline, retryMs = storeLimits.lockRetryMs }: Until, toThrown: (error: unknown) => unknown,
): Promise<T> {
  for (;;) {
    try {
      return run();
    } catch (error) {
      if (!isBusy(error) || clock() + retryMs >= deadline) throw toThrown(error);
    }
    await Bun.sleep(retryMs);
  }
}
