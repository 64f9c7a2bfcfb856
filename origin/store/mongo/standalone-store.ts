/**
 * The store on a standalone MongoDB, for resources that nobody writes through us and that are neither cached nor
 * live (server-checks.ts): it has no transactions and no change feed. What other programs write is in the next read, whatever
 * preference and concern a resource declares: the server is its own majority, and the only one to ask.
 *
 * So positions order nothing here. There is one for each run of the server, the same for every origin on it; each
 * read has reached it, and the feed tells of no change after it.
 */
import { createHash } from 'node:crypto';
import type { Db, MongoClient } from 'mongodb';
import { Fault } from '../../../shared/wire/fault.ts';
import type { Position } from '../../../shared/wire/position.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { storeLimits } from '../limits.ts';
import type { ChangeBatch, HistoryLost, ListRequest, Mutation, Read, ReadOptions, Store, WriteOptions, Written } from '../store.ts';
import { Wake } from '../wake.ts';
import { codeOf, codes, deadlineExceeded, storeUnavailable, toStoreFault } from './connection/errors.ts';
import { inTime } from './connection/in-time.ts';
import { install, type Installed } from './install/install.ts';
import { RawTexts } from './read/raw-texts.ts';
import { type Reading, Reader } from './read/reader.ts';

interface Opened {
  readonly client: MongoClient;
  readonly database: Db;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly installed: Installed;
  readonly module: WebAssembly.Module;
  readonly options: {
    clock(): number;
    onWarning(message: string, facts: Readonly<Record<string, unknown>>): void;
  };
}

export class StandaloneStore implements Store {
  readonly engine = 'mongodb';
  readonly #opened: Opened;
  readonly #reader: Reader;
  readonly #cursors = new Map<string, Position>();
  readonly #news = new Wake();
  readonly #closing = new AbortController();
  /** What is accepted and not finished. */
  readonly #running = new Set<Promise<unknown>>();
  #position: Position;
  #installed: Installed;
  #mending: Promise<void> | undefined;

  static async open(opened: Opened): Promise<Store> {
    return new StandaloneStore(opened, await positionOf(opened.database));
  }

  private constructor(opened: Opened, position: Position) {
    const { client, database, module, installed, options } = opened;
    this.#opened = opened;
    this.#position = position;
    this.#installed = installed;
    this.#reader = new Reader({
      client, database, texts: new RawTexts(module, options.onWarning),
      mayBeOdd: ({ name }) => this.#installed.mayBeOdd.has(name),
    });
  }

  get(resource: Resource, id: string, options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.get(resource, id, reading));
  }

  many(resource: Resource, ids: readonly string[], options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.many(resource, ids, reading));
  }

  list(resource: Resource, request: ListRequest, options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.list(resource, request, reading));
  }

  count(resource: Resource, request: Omit<ListRequest, 'after' | 'limit'>, max: number, options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.count(resource, request, max, reading));
  }

  /** The rules refuse every write of documents before it comes here; consumers that write none still move their cursors. */
  async write(mutations: readonly Mutation[], { cursor }: WriteOptions): Promise<Written> {
    if (mutations.length === 0 && cursor !== undefined) {
      this.#cursors.set(cursor.consumer, cursor.to);
      return { outcomes: [], position: this.#position, replayed: undefined };
    }
    throw new Fault('forbidden', { detail: 'a standalone MongoDB has no transactions, so nothing is written through Tombolo' });
  }

  /** The server may have been started again since: another run, another position. */
  head(): Promise<Position> {
    return this.#run(() => inTime(storeLimits.ownWriteMsMax, async () => {
      const position = await positionOf(this.#opened.database);
      const isNew = position.epoch !== this.#position.epoch;
      this.#position = position;
      if (isNew) this.#news.all();
      return position;
    }));
  }

  async *watch(from: Position, signal: AbortSignal): AsyncGenerator<ChangeBatch | HistoryLost, void, undefined> {
    const ends = AbortSignal.any([signal, this.#closing.signal]);
    while (!ends.aborted) {
      if (from.epoch !== this.#position.epoch || from.order !== this.#position.order) return yield { lost: true, head: this.#position };
      yield { changes: [], through: from, completeAtMs: performance.now() };
      await this.#news.wait(storeLimits.watermarkMs, ends);
    }
  }

  /** Kept in memory only: a standalone has no change feed, so a consumer that loses its cursor has missed nothing. */
  async cursor(consumer: string): Promise<Position | undefined> {
    return this.#cursors.get(consumer);
  }

  /** No position promises anything that could be lost. */
  renewEpoch(): Promise<Position> {
    return this.head();
  }

  async close(): Promise<void> {
    this.#closing.abort();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    await this.#opened.client.close();
    await this.#mending;
  }

  #read<T>({ deadline }: ReadOptions, read: (reading: Reading) => Promise<T>): Promise<Read<T>> {
    const position = this.#position;
    return this.#run(() => {
      const msLeft = Math.ceil(deadline - this.#opened.options.clock());
      if (msLeft <= 0) throw deadlineExceeded();
      return inTime(msLeft, async () => ({ value: await this.#reader.at(undefined, msLeft, read), position }));
    });
  }

  /** A call from outside: refused when closed, finished before we close, failing in Faults. */
  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing.signal.aborted) throw storeUnavailable(undefined, 'the store is closed');
    const running = work();
    this.#running.add(running);
    try {
      return await running;
    } catch (error) {
      if (!isIndexMissing(error)) throw toStoreFault(error);
      this.#mend();
      throw storeUnavailable(error, 'an index is being put back');
    } finally {
      this.#running.delete(running);
    }
  }

  /** Nobody tells us that a collection was dropped, or loaded anew: the list that misses its index does. */
  #mend(): void {
    const { database, resources, options } = this.#opened;
    const put = async () => {
      try {
        this.#installed = await install(database, [...resources.values()], 'standalone');
        options.onWarning('others dropped collections or indexes; indexes and validators were put back', {});
      } catch (cause) {
        if (!this.#closing.signal.aborted) options.onWarning('others dropped collections or indexes, which cannot be put back', { cause: String(cause) });
      } finally {
        this.#mending = undefined;
      }
    };
    this.#mending ??= put();
  }
}

/** Of the width of the other positions of this engine, and before them all. */
const order = '0'.repeat(28);

async function positionOf(database: Db): Promise<Position> {
  const { topologyVersion } = await database.command({ hello: 1 });
  return { epoch: createHash('sha256').update(String(topologyVersion?.processId)).digest('hex').slice(0, 16), order };
}

function isIndexMissing(error: unknown): boolean {
  return codeOf(error) === codes.badValue && error instanceof Error && error.message.includes('hint provided');
}
