/**
 * Order among the writes of one process: those that share a document, a nonce or an idempotency key wait for each
 * other in the order of their arrival, instead of meeting in the database as conflicts that are thrown away and
 * tried again. Between processes the database decides.
 */
export class Locks {
  /** By key: ends when the last one in the queue is done. */
  readonly #tails = new Map<string, Promise<void>>();

  /** Runs when all before it that share a key are done; keys are taken at once, so nobody waits in a circle. */
  async hold<T>(keys: readonly string[], untilMs: number, run: () => Promise<T>, late: () => Error): Promise<T> {
    const own = new Set(keys);
    const before = Promise.all([...own].flatMap((key) => this.#tails.get(key) ?? []));
    const done = Promise.withResolvers<void>();
    for (const key of own) this.#tails.set(key, done.promise);
    let timer: ReturnType<typeof setTimeout> | undefined;
    try {
      await Promise.race([before, new Promise((_resolve, reject) => (timer = setTimeout(() => reject(late()), Math.max(0, untilMs))))]);
      return await run();
    } finally {
      clearTimeout(timer);
      // One that gave up waiting keeps its place until it is reached: whoever follows still waits for those before.
      void before.then(() => this.#release(own, done));
    }
  }

  #release(keys: ReadonlySet<string>, done: PromiseWithResolvers<void>): void {
    for (const key of keys) if (this.#tails.get(key) === done.promise) this.#tails.delete(key);
    done.resolve();
  }
}
