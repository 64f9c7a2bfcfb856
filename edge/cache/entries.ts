/** Stored answers: the isolate's memory, bounded in bytes, and behind it the platform's store. */
import { edgeLimits } from '../limits.ts';
import type { Host } from '../host/host.ts';
import type { Entry } from './entry.ts';

/** Rough bytes of a Map's slot and of an entry's headers and numbers. */
const overheadBytes = 1_024;

export class Entries {
  readonly #bytesMax: number;
  #bytes = 0;
  /** Entries in order of use: the least recently used goes first. */
  readonly #held = new Map<string, Entry>();

  readonly #store: Host['store'];

  constructor(store: Host['store'], bytesMax: number = edgeLimits.entriesBytesMax) {
    this.#store = store;
    this.#bytesMax = bytesMax;
  }

  recall(key: string): Entry | undefined {
    const found = this.#held.get(key);
    if (found === undefined) return undefined;
    this.#held.delete(key);
    this.#held.set(key, found);
    return found;
  }

  /** Loads an entry from the platform's store, where another isolate may have put a later one. */
  async load(key: string): Promise<Entry | undefined> {
    const loaded = await this.#store.load(key);
    const held = this.#held.get(key);
    if (loaded === undefined || (held !== undefined && held.validatedAt >= loaded.validatedAt)) return held;
    this.#hold(key, loaded);
    return loaded;
  }

  /** Keeps an entry in memory at once; the promise is the platform store's work, for `waitUntil`. */
  store(key: string, entry: Entry): Promise<void> {
    const held = this.#held.get(key);
    this.#hold(key, entry);
    return held !== undefined && isSameState(held, entry) ? Promise.resolve() : this.#store.keep(key, entry);
  }

  #hold(key: string, entry: Entry): void {
    const replaced = this.#held.get(key);
    if (replaced !== undefined) this.#drop(key, replaced);
    this.#held.set(key, entry);
    this.#bytes += weigh(key, entry);
    for (const [oldest, old] of this.#held) {
      if (this.#bytes <= this.#bytesMax) break;
      this.#drop(oldest, old);
    }
  }

  #drop(key: string, entry: Entry): void {
    this.#held.delete(key);
    this.#bytes -= weigh(key, entry);
  }
}

/** Whether two entries hold one state: a mere revalidation while the feed is silent need not be written to the store. */
function isSameState(left: Entry, right: Entry): boolean {
  return left.body === right.body && left.position.epoch === right.position.epoch && left.generations.join() === right.generations.join();
}

function weigh(key: string, entry: Entry): number {
  return entry.body.byteLength + 2 * key.length + overheadBytes;
}
