/**
 * The store on MongoDB: a replica set (a standalone: standalone-store.ts), one collection a resource, documents as BSON that other programs read and
 * write beside us.
 *
 * A write is answered when a majority has it in its journal. Many origins may share a database: conflicts are
 * decided by its transactions, and each origin hears of everything through its change streams. If the database is
 * dropped or its history is lost, a new epoch begins and every reader of the feed is told.
 */
import type { Db, MongoClient } from 'mongodb';
import type { Position } from '../../../shared/wire/position.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { compiledModule } from '../../compute/module.ts';
import { storeLimits } from '../limits.ts';
import { StoreNotReady } from '../not-ready.ts';
import type { ChangeBatch, HistoryLost, ListRequest, Mutation, Read, ReadOptions, Store, WriteOptions, Written } from '../store.ts';
import { mustServe } from './connection/server-checks.ts';
import { toClient, toDatabaseName } from './connection/client.ts';
import { majorityTime } from './connection/cluster-time.ts';
import { ensureEpoch, replaceEpoch } from './feed/epoch.ts';
import { deadlineExceeded, isPassing, storeUnavailable, toStoreFault } from './connection/errors.ts';
import { Head } from './feed/head.ts';
import { inTime } from './connection/in-time.ts';
import { inspectedMax, install, type Installed } from './install/install.ts';
import { RawTexts } from './read/raw-texts.ts';
import { type Reading, Reader } from './read/reader.ts';
import { StandaloneStore } from './standalone-store.ts';
import { cursorsOf } from './install/system-records.ts';
import { watchChanges } from './feed/watch.ts';
import { Writer } from './write/writer.ts';

export interface MongoStoreOptions {
  /** A connection string; its path names the database. */
  readonly uri: string;
  readonly resources: Iterable<Resource>;
  /** Milliseconds of the epoch. */
  readonly clock?: () => number;
  /** So many random bytes in hex. */
  readonly random?: (bytes: number) => string;
  readonly onWarning?: (message: string, facts: Readonly<Record<string, unknown>>) => void;
  /** The database cannot be put back into a state that can be served from. */
  readonly onFatal?: (error: Error) => void;
}

/** For the last words to the server, after everything accepted is finished. */
const closeMsMax = 2_000;

type Surroundings = Required<Omit<MongoStoreOptions, 'uri' | 'resources'>>;

interface Opened {
  readonly client: MongoClient;
  readonly database: Db;
  readonly resources: ReadonlyMap<string, Resource>;
  readonly installed: Installed;
  readonly head: Head;
  readonly module: WebAssembly.Module;
  readonly options: Surroundings;
}

export async function openMongoStore(options: MongoStoreOptions): Promise<Store> {
  const client = toClient(options.uri);
  try {
    await client.connect();
    const database = client.db(toDatabaseName(options.uri));
    const filled = { clock: options.clock ?? Date.now, random: options.random ?? randomHex, onWarning: options.onWarning ?? ignore, onFatal: options.onFatal ?? fail };
    const resources = new Map([...options.resources].map((resource) => [resource.name, resource]));
    const deployment = await mustServe(database, [...resources.values()], filled.clock);
    const installed = await install(database, [...resources.values()], deployment);
    warn(installed, filled);
    const opened = { client, database, resources, installed, module: await compiledModule(), options: filled };
    if (deployment === 'standalone') return await StandaloneStore.open(opened);
    const epoch = await ensureEpoch(database, filled.random(8));
    const head = new Head(database, { epoch, time: await majorityTime(database) });
    return new MongoStore({ ...opened, head });
  } catch (error) {
    await client.close();
    throw error instanceof Error && isPassing(error) ? new StoreNotReady(toDatabaseName(options.uri), [`no primary answered (${error.message}); is mongod running, is MONGODB_URI right, does the network let us through?`]) : toStoreFault(error);
  }
}

class MongoStore implements Store {
  readonly engine = 'mongodb';
  readonly #client: MongoClient;
  readonly #database: Db;
  readonly #resources: ReadonlyMap<string, Resource>;
  readonly #options: Surroundings;
  readonly #head: Head;
  readonly #reader: Reader;
  readonly #writer: Writer;
  readonly #closing = new AbortController();
  /** What is accepted and not finished. */
  readonly #running = new Set<Promise<unknown>>();
  #installed: Installed;
  #mending: Promise<void> = Promise.resolve();
  #nextMending: Promise<void> | undefined;

  constructor({ client, database, resources, installed, head, module, options }: Opened) {
    this.#client = client;
    this.#database = database;
    this.#resources = resources;
    this.#installed = installed;
    this.#head = head;
    this.#options = options;
    const texts = new RawTexts(module, options.onWarning);
    this.#reader = new Reader({ client, database, texts, mayBeOdd: ({ name }) => this.#installed.mayBeOdd.has(name) });
    this.#writer = new Writer({ client, database, texts, head, clock: options.clock });
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

  write(mutations: readonly Mutation[], options: WriteOptions): Promise<Written> {
    return this.#run(() => this.#writer.write(mutations, options));
  }

  head(): Promise<Position> {
    return this.#own(() => this.#head.refresh());
  }

  async *watch(from: Position, signal: AbortSignal): AsyncGenerator<ChangeBatch | HistoryLost, void, undefined> {
    const source = {
      client: this.#client, database: this.#database, resources: this.#resources, head: this.#head,
      reset: () => this.#reset(), onSchemaChange: () => void this.#mend(),
    };
    const ends = AbortSignal.any([signal, this.#closing.signal]);
    const changes = watchChanges(source, from, ends);
    try {
      for (;;) {
        const { done, value } = await this.#track(changes.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      await this.#track(changes.return());
    }
  }

  cursor(consumer: string): Promise<Position | undefined> {
    return this.#own(async () => {
      const found = await cursorsOf(this.#database).findOne({ _id: consumer });
      return found === null ? undefined : { epoch: found.epoch, order: found.order };
    });
  }

  renewEpoch(): Promise<Position> {
    return this.#own(async () => {
      const epoch = this.#options.random(8);
      return this.#head.begin(epoch, await replaceEpoch(this.#client, this.#database, epoch));
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    // What is still to be said to the server ends there by itself; a connection that died under it answers nobody.
    await inTime(closeMsMax, async () => {
      await this.#writer.close();
      await this.#client.close();
    }).catch(() => this.#options.onWarning('the database did not hear that we leave', {}));
  }

  #read<T>({ deadline, atLeast }: ReadOptions, read: (reading: Reading) => Promise<T>): Promise<Read<T>> {
    return this.#run(() => inTime(this.#left(deadline), async () => {
      const position = await this.#head.mustReach(atLeast);
      return { value: await this.#reader.at(this.#head.time, this.#left(deadline), read), position };
    }));
  }

  /** The store's own questions, which carry no request's deadline. */
  #own<T>(work: () => Promise<T>): Promise<T> {
    return this.#run(() => inTime(storeLimits.ownWriteMsMax, work));
  }

  #left(deadline: number): number {
    const left = Math.ceil(deadline - this.#options.clock());
    if (left <= 0) throw deadlineExceeded();
    return left;
  }

  /** A call from outside: refused when closed, finished before we close, failing in Faults. */
  async #run<T>(work: () => Promise<T>): Promise<T> {
    if (this.#closing.signal.aborted) throw storeUnavailable(undefined, 'the store is closed');
    try {
      return await this.#track(work());
    } catch (error) {
      throw toStoreFault(error);
    }
  }

  async #track<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  async #reset(): Promise<Position> {
    await this.#mend();
    const epoch = await ensureEpoch(this.#database, this.#options.random(8));
    return this.#head.begin(epoch, await majorityTime(this.#database));
  }

  /** Readers may notice the same drop at once; it is mended once. One that comes while others are mended is mended after them. */
  #mend(): Promise<void> {
    this.#nextMending ??= this.#track(this.#mending.catch(ignore).then(() => {
      this.#nextMending = undefined;
      return (this.#mending = this.#putBack());
    }));
    return this.#nextMending;
  }

  async #putBack(): Promise<void> {
    try {
      this.#installed = await this.#install();
      this.#options.onWarning('others dropped or renamed collections; indexes, validators and images were put back', {});
    } catch (cause) {
      if (!this.#closing.signal.aborted) this.#options.onFatal(new Error('collections were dropped or renamed by others and cannot be put back', { cause }));
    }
  }

  /** Again while the database is away. */
  async #install(): Promise<Installed> {
    for (;;) {
      try {
        return await install(this.#database, [...this.#resources.values()]);
      } catch (error) {
        if (!isPassing(error) || this.#closing.signal.aborted) throw error;
        await Bun.sleep(storeLimits.lockRetryMs);
      }
    }
  }
}

function warn({ invalid, mayBeOdd }: Installed, { onWarning }: Surroundings): void {
  if (Object.keys(invalid).length > 0) onWarning(`documents that were here before do not fit the schema; they are served or refused as \`invalid\` says, and checked when they are written`, { ofTheFirst: inspectedMax, invalid });
  if (mayBeOdd.size > 0) onWarning('documents hold arrays or objects where plain values are declared; lists read them beside their index', { collections: [...mayBeOdd] });
}

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}

function ignore(): void {}

function fail(error: Error): void {
  throw error;
}
