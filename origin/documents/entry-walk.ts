/** Walks of entries, a few at a time and so many in all: of one index here, over the map in map-walk.ts. */
import type { Resource } from '../../shared/contract/resource.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { ListRequest, ReadOptions, Row, Store } from '../store/store.ts';

export interface Walked {
  readonly entries: readonly Row[];
  /** There is nothing behind them. */
  readonly isLast: boolean;
  /** Where a walk goes on that has looked at as many as it may. */
  readonly brokenOffAt: Row['keys'] | undefined;
}

export interface Walk {
  /** So many at most. */
  next(count: number): Promise<Walked>;
}

/** Entries looked at in one go: some 5 ms of reading and folding. */
export const lookedAtOnce = 100;

/** Reads entries of one state and later ones, and counts them. */
export class EntryReader {
  examined = 0;
  readonly #store: Pick<Store, 'list'>;
  readonly #entries: Resource;
  readonly #options: ReadOptions;
  #readAt: Position | undefined;
  #inOneGo = 0;

  constructor(store: Pick<Store, 'list'>, entries: Resource, options: ReadOptions) {
    this.#store = store;
    this.#entries = entries;
    this.#options = options;
  }

  /** The position of the first read: whatever has changed since comes after it. */
  get readAt(): Position {
    if (this.#readAt === undefined) throw new Error('no entry was read');
    return this.#readAt;
  }

  async list(request: ListRequest): Promise<readonly Row[]> {
    if (this.#inOneGo >= lookedAtOnce) {
      // Others have their turn.
      await Bun.sleep(0);
      this.#inOneGo = 0;
    }
    const since = this.#readAt === undefined ? this.#options : { ...this.#options, atLeast: this.#readAt };
    const { value, position } = await this.#store.list(this.#entries, request, since);
    this.#readAt ??= position;
    // A read of nothing is work, too.
    const count = Math.max(value.length, 1);
    this.examined += count;
    this.#inOneGo += count;
    return value;
  }
}

/** In the order of an index. */
export class EntryWalk implements Walk {
  readonly #reader: EntryReader;
  #request: ListRequest;

  constructor(reader: EntryReader, request: ListRequest) {
    this.#reader = reader;
    this.#request = request;
  }

  async next(count: number): Promise<Walked> {
    const limit = Math.min(count, limits.textExaminedMax - this.#reader.examined);
    const entries = await this.#reader.list({ ...this.#request, limit });
    const after = entries.at(-1)?.keys ?? this.#request.after;
    this.#request = { ...this.#request, after };
    const isSpent = this.#reader.examined >= limits.textExaminedMax;
    return { entries, isLast: entries.length < limit, brokenOffAt: isSpent ? after : undefined };
  }
}
