/** What a consumer has in hand: it ends in time, or nobody waits for it any longer and what it gives is dropped. */

/** Of the time for a stop, so much is left for what follows the work: its write, and to let the lease go. */
const afterWorkMs = 500;

export class Work {
  readonly #msMax: number;
  readonly #cut = new AbortController();
  #stopBy = Number.POSITIVE_INFINITY;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(msMax: number) {
    this.#msMax = msMax;
  }

  /** Everything ends by `deadline`, in milliseconds of the epoch. */
  endBy(deadline: number): void {
    this.#stopBy = deadline;
    this.#timer = setTimeout(() => this.#cut.abort(new Error('the origin stops')), Math.max(0, deadline - afterWorkMs - Date.now()));
  }

  /** The deadline of a write that may take so long. */
  deadline(msMax: number): number {
    return Math.min(Date.now() + msMax, this.#stopBy);
  }

  /** Rejects when the time is over; `run` is told by its signal, and may go on. */
  async inTime<T>(run: (signal: AbortSignal) => T | Promise<T>): Promise<T> {
    const late = new AbortController();
    const timer = setTimeout(() => late.abort(new Error(`took longer than ${this.#msMax} ms`)), this.#msMax);
    const ends = AbortSignal.any([late.signal, this.#cut.signal]);
    try {
      ends.throwIfAborted();
      return await Promise.race([run(ends), untilAborted(ends)]);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    clearTimeout(this.#timer);
  }
}

function untilAborted(signal: AbortSignal): Promise<never> {
  return new Promise((_, reject) => signal.addEventListener('abort', () => reject(signal.reason), { once: true }));
}
