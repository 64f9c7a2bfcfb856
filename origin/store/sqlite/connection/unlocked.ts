/** Waits for a lock of another process without freezing the event loop, as long as there is time. */
import { storeLimits } from '../../limits.ts';
import { isBusy, storeBusy, toStoreFault } from './errors.ts';

interface Until {
  readonly clock: () => number;
  readonly deadline: number;
}

/** Runs `run`, which is synchronous and changes nothing when it meets a lock, until it meets none. */
export async function untilUnlocked<T>(run: () => T, { clock, deadline }: Until): Promise<T> {
  for (;;) {
    try {
      return run();
    } catch (error) {
      if (!isBusy(error)) throw toStoreFault(error);
      if (clock() + storeLimits.lockRetryMs >= deadline) throw storeBusy(error);
      await Bun.sleep(storeLimits.lockRetryMs);
    }
  }
}
