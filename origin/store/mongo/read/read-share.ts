/**
 * The connections that reads may have at once. What is left of the pool belongs to writes and to the feed, so that slow
 * reads hold up nobody but other reads. In memory; a read that finds no place waits, and is then refused as `store_busy`.
 */
import { Fault } from '../../../../shared/wire/fault.ts';

interface ReadShareOptions {
  readonly connectionsMax: number;
  readonly waitMsMax: number;
}

export class ReadShare {
  readonly #options: ReadShareOptions;
  /** In the order in which they came. */
  readonly #waiting = new Set<() => void>();
  #running = 0;

  constructor(options: ReadShareOptions) {
    this.#options = options;
  }

  /** Runs one question to the server. Who holds a place asks for no other, so nobody waits in a circle. */
  async run<T>(ask: () => Promise<T>): Promise<T> {
    if (this.#running < this.#options.connectionsMax) this.#running++;
    else await this.#turn();
    try {
      return await ask();
    } finally {
      this.#handOn();
    }
  }

  #turn(): Promise<void> {
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    const begin = () => {
      clearTimeout(timer);
      resolve();
    };
    const timer = setTimeout(() => {
      this.#waiting.delete(begin);
      reject(new Fault('store_busy', { detail: 'all connections for reads are in use', headers: { 'retry-after': '1' } }));
    }, this.#options.waitMsMax);
    this.#waiting.add(begin);
    return promise;
  }

  #handOn(): void {
    const [next] = this.#waiting;
    if (next === undefined) return void this.#running--;
    this.#waiting.delete(next);
    next();
  }
}
