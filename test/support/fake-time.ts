/** A time of the tests' own, for code that waits by timers. */
import { jest } from 'bun:test';

/**
 * What `run` gives, in a time that passes only while everything waits for it, `stepMs` at once: what the machine does takes none
 * of it.
 */
export async function inItsTime<T>(run: () => Promise<T>, stepMs = 1): Promise<T> {
  jest.useFakeTimers();
  let isOver = false;
  const running = run().finally(() => (isOver = true));
  running.catch(() => undefined);
  while (!isOver) {
    for (let turn = 0; turn < 100; turn++) await undefined;
    jest.advanceTimersByTime(stepMs);
  }
  jest.useRealTimers();
  return running;
}
