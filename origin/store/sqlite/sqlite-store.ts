/**
 * The store on the SQLite inside Bun: one file, one writing process, documents as JSON text.
 *
 * A write is durable before it is answered (WAL, synchronous=FULL); a crash loses what was not. Other programs
 * may read and write the same file with plain SQL: triggers keep log, checks and side tables, and their
 * commits are noticed within 20 ms. If they break the triggers, those are put back, a new epoch begins, and
 * every reader of the feed is told that history is lost.
 */
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { eq } from 'drizzle-orm';
import type { Position } from '../../../shared/contract/position.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { storeLimits } from '../limits.ts';
import type { ListRequest, Mutation, Read, ReadOptions, Row, Store, WriteOptions, Written } from '../store.ts';
import type { StoredDocument } from '../stored-document.ts';
import { Cursors } from './cursors.ts';
import { type Connection, openReader, openWriter } from './database.ts';
import { isBusy, mustBeInTime, storeBusy, toStoreFault } from './errors.ts';
import { ForeignCommits } from './foreign-commits.ts';
import { type Committed, GroupCommit } from './group-commit.ts';
import { Head } from './head.ts';
import { install, type Installed } from './install.ts';
import { acquireLease, type Lease } from './lease.ts';
import { ChangeLog } from './log.ts';
import { toPosition } from './log-position.ts';
import { Reader } from './reader.ts';
import { meta } from './system-tables.ts';
import { Tidy } from './tidy.ts';
import { watchLog } from './watch.ts';
import { WriteCalls } from './write-call.ts';

export interface SqliteStoreOptions {
  readonly dataDir: string;
  readonly resources: Iterable<Resource>;
  /** Milliseconds of the epoch. */
  readonly clock?: () => number;
  /** So many random bytes in hex. */
  readonly random?: (bytes: number) => string;
  readonly onWarning?: (message: string, facts: Readonly<Record<string, unknown>>) => void;
  /** The file is not ours any more: stop, or what is written is lost. */
  readonly onFatal?: (error: Error) => void;
}

type Surroundings = Required<Omit<SqliteStoreOptions, 'dataDir' | 'resources'>>;

interface Opened {
  readonly lease: Lease;
  readonly path: string;
  readonly resources: readonly Resource[];
  readonly writer: Connection;
  readonly options: Surroundings;
}

/** Exported for tests and tools that open the file beside us: backups, other programs' writes. */
export const databaseName = 'tombolo.sqlite';

export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  mkdirSync(options.dataDir, { recursive: true });
  const lease = acquireLease(options.dataDir);
  try {
    return await SqliteStore.open(lease, options);
  } catch (error) {
    lease.release();
    throw error;
  }
}

class SqliteStore implements Store {
  readonly engine = 'sqlite';
  readonly #lease: Lease;
  readonly #writer: Connection;
  readonly #readerConnection: Connection;
  readonly #resources: readonly Resource[];
  readonly #options: Surroundings;
  readonly #log: ChangeLog;
  readonly #head: Head;
  readonly #reader: Reader;
  readonly #commits: GroupCommit;
  readonly #calls: WriteCalls;
  readonly #cursors: Cursors;
  readonly #foreign: ForeignCommits;
  readonly #tidy: Tidy;
  readonly #closing = new AbortController();

  static async open(lease: Lease, options: SqliteStoreOptions): Promise<Store> {
    const path = join(options.dataDir, databaseName);
    const resources = [...options.resources];
    const filled = {
      clock: options.clock ?? Date.now, random: options.random ?? randomHex,
      onWarning: options.onWarning ?? ignore, onFatal: options.onFatal ?? fail,
    };
    const writer = await untilUnlocked(() => openWriter(path), filled.clock);
    try {
      await untilUnlocked(() => prepareFile(writer, resources, filled), filled.clock);
      return new SqliteStore({ lease, path, resources, writer, options: filled });
    } catch (error) {
      writer.database.close();
      throw error;
    }
  }

  constructor(opened: Opened) {
    const { writer, resources, options } = opened;
    this.#lease = opened.lease;
    this.#resources = resources;
    this.#options = options;
    this.#writer = writer;
    this.#readerConnection = openReader(opened.path);
    this.#log = new ChangeLog(this.#readerConnection.queries);
    this.#head = new Head(this.#log);
    this.#reader = new Reader(this.#readerConnection, resources);
    const log = new ChangeLog(writer.queries);
    this.#commits = new GroupCommit({ database: writer.database, log, clock: options.clock, onCommit: (end) => this.#head.moveTo(end) });
    this.#calls = new WriteCalls(writer.queries, resources, options.clock);
    this.#cursors = new Cursors({ reader: this.#readerConnection.queries, writer: writer.queries });
    this.#foreign = new ForeignCommits({ database: writer.database, path: opened.path, onCommit: ({ schema }) => this.#noticed(schema), onFatal: options.onFatal });
    this.#tidy = new Tidy({ queries: writer.queries, log, clock: options.clock, commit: (run) => this.#ownWrite(run), onWarning: options.onWarning });
  }

  async get(resource: Resource, id: string, options: ReadOptions): Promise<Read<StoredDocument | undefined>> {
    return this.#read(options, () => this.#reader.get(resource, id));
  }

  async list(resource: Resource, request: ListRequest, options: ReadOptions): Promise<Read<readonly Row[]>> {
    return this.#read(options, () => this.#reader.list(resource, request, () => this.#mustBeInTime(options)));
  }

  async count(resource: Resource, request: Omit<ListRequest, 'after' | 'limit'>, max: number, options: ReadOptions): Promise<Read<number>> {
    return this.#read(options, () => this.#reader.count(resource, request, max, () => this.#mustBeInTime(options)));
  }

  async write(mutations: readonly Mutation[], options: WriteOptions): Promise<Written> {
    const { value, end } = await this.#commits.commit({ deadline: options.deadline, size: mutations.length, run: () => this.#calls.apply(mutations, options) });
    if ('fault' in value) throw value.fault;
    return { ...value, position: toPosition(end) };
  }

  async head(): Promise<Position> {
    return this.#head.position;
  }

  watch(from: Position, signal: AbortSignal) {
    return watchLog({ log: this.#log, head: this.#head }, from, AbortSignal.any([signal, this.#closing.signal]));
  }

  async cursor(consumer: string): Promise<Position | undefined> {
    return this.#cursors.find(consumer);
  }

  async keepCursor(consumer: string, position: Position): Promise<void> {
    await this.#ownWrite(() => this.#cursors.keep(consumer, position));
  }

  async renewEpoch(): Promise<Position> {
    const { end } = await this.#ownWrite(() => beginEpoch(this.#writer, this.#options));
    return toPosition(end);
  }

  async close(): Promise<void> {
    this.#tidy.stop();
    this.#foreign.stop();
    await this.#commits.close();
    this.#closing.abort();
    this.#readerConnection.database.close();
    this.#writer.database.run('PRAGMA wal_checkpoint(TRUNCATE)');
    this.#writer.database.close();
    this.#lease.release();
  }

  /** The position is known before the read begins, so that what is read is at or after it. */
  async #read<T>(options: ReadOptions, read: () => T): Promise<Read<T>> {
    for (;;) {
      this.#mustBeInTime(options);
      const position = this.#head.mustReach(options.atLeast);
      try {
        return { value: read(), position };
      } catch (error) {
        if (!isBusy(error)) throw toStoreFault(error);
        if (this.#options.clock() + storeLimits.lockRetryMs >= options.deadline) throw storeBusy(error);
        await Bun.sleep(storeLimits.lockRetryMs);
      }
    }
  }

  #mustBeInTime({ deadline }: ReadOptions): void {
    mustBeInTime(this.#options.clock(), deadline);
  }

  #ownWrite<T>(run: () => T extends PromiseLike<unknown> ? never : T): Promise<Committed<T>> {
    return this.#commits.commit<T>({ deadline: this.#options.clock() + storeLimits.ownWriteMsMax, size: 1, run });
  }

  #noticed(schema: boolean): void {
    if (schema) this.#mend().catch((error) => this.#options.onFatal(new Error('the schema was changed by others and cannot be mended', { cause: error })));
    this.#head.refresh();
  }

  async #mend(): Promise<void> {
    const { value: installed } = await this.#ownWrite(() => installHere(this.#writer, this.#resources, this.#options));
    this.#foreign.adopt();
    if (installed.changed) this.#options.onWarning('others changed the schema; it was put back', { holes: installed.holes });
  }
}

function prepareFile(writer: Connection, resources: readonly Resource[], surroundings: Surroundings): void {
  writer.database.run('BEGIN IMMEDIATE');
  try {
    installHere(writer, resources, surroundings);
    writer.database.run('COMMIT');
  } catch (error) {
    if (writer.database.inTransaction) writer.database.run('ROLLBACK');
    throw error;
  }
}

/** Needs a write transaction. A hole in history, as by triggers that were missing, begins a new epoch. */
function installHere(writer: Connection, resources: readonly Resource[], surroundings: Surroundings): Installed {
  const installed = install(writer.database, resources);
  const known = writer.queries.select().from(meta).where(eq(meta.key, 'epoch')).get();
  if (known === undefined || installed.holes.length > 0) beginEpoch(writer, surroundings, installed.holes);
  return installed;
}

/** Needs a write transaction. */
function beginEpoch(writer: Connection, { clock, random }: Surroundings, holes: readonly string[] = []): void {
  const epoch = random(8);
  writer.queries.insert(meta).values({ key: 'epoch', value: epoch }).onConflictDoUpdate({ target: meta.key, set: { value: epoch } }).run();
  const log = new ChangeLog(writer.queries);
  log.mark('start', '', clock());
  for (const resource of holes) log.mark('resource', resource, clock());
}

async function untilUnlocked<T>(open: () => T, clock: () => number): Promise<T> {
  const deadline = clock() + storeLimits.ownWriteMsMax;
  for (;;) {
    try {
      return open();
    } catch (error) {
      if (!isBusy(error) || clock() >= deadline) throw toStoreFault(error);
      await Bun.sleep(storeLimits.lockRetryMs);
    }
  }
}

function randomHex(bytes: number): string {
  return Buffer.from(crypto.getRandomValues(new Uint8Array(bytes))).toString('hex');
}

function ignore(): void {}

function fail(error: Error): void {
  throw error;
}
