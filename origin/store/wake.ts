/** Wakes those who wait for news; whoever is not waiting misses nothing, because it looks before it waits. */
export class Wake {
  readonly #waiting = new Set<() => void>();

  all(): void {
    for (const resolve of [...this.#waiting]) resolve();
  }

  /** Waits for news, for `ms`, or until the signal aborts; never throws. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (signal.aborted) return;
    const { promise, resolve } = Promise.withResolvers<void>();
    const timer = setTimeout(resolve, ms);
    this.#waiting.add(resolve);
    signal.addEventListener('abort', resolve as () => void, { once: true });
    try {
      await promise;
    } finally {
      clearTimeout(timer);
      this.#waiting.delete(resolve);
      signal.removeEventListener('abort', resolve as () => void);
    }
  }
}
