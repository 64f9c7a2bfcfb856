/**
 * The store on the SQLite inside Bun: one file, which one process has alone or several share, documents as JSON text.
 *
 * A write is durable before it is answered (WAL, synchronous=FULL); a crash loses what was not. Other programs
 * may read and write the same file with plain SQL: triggers keep log, checks and side tables, and their
 * commits are noticed within 20 ms. If they break the triggers, those are put back, a new epoch begins, and
 * every reader of the feed is told that history is lost.
 */
import { dirname, join } from 'node:path';
import type { Position } from '../../../shared/wire/position.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { makeDataDir } from '../../data-dir.ts';
import { OpenDocuments } from '../examination/open-documents.ts';
import type { Figures } from '../../services/figures.ts';
import { storeLimits } from '../limits.ts';
import type {
  CountRequest, HeldResources, HeldState, ListRequest, Mutation, News, Read, ReadOptions, Row, Store, StoreNews, StoreState, TallyRequest,
  WriteOptions, Written,
} from '../store.ts';
import type { StoredDocument } from '../stored-document.ts';
import { type ToWritten, toWritten } from '../entries.ts';
import { Cursors } from './write/cursors.ts';
import { closeWriter, type Connection, databaseName, openReader, openWriter } from './connection/database.ts';
import { mustBeInTime, storeClosed, toStartError } from './connection/errors.ts';
import { ForeignCommits } from './feed/foreign-commits.ts';
import { type Committed, GroupCommit } from './write/group-commit.ts';
import { Head } from './feed/head.ts';
import { mustBeWhole } from './backup/whole.ts';
import { acquireLease, joinLease, type Lease } from './connection/lease.ts';
import { ChangeLog } from './feed/log.ts';
import { toPosition } from './feed/positions.ts';
import { lookedAtIn } from './read/examined-documents.ts';
import { HeldStates } from './read/held-state.ts';
import { holderOf } from './read/holder.ts';
import { Reader } from './read/reader.ts';
import { Mending } from './install/mending.ts';
import { beginEpoch, type History, prepareFile, warnOfKeys } from './install/prepare-file.ts';
import { type SqliteStoreOptions, type Surroundings, toSurroundings, untilOwn } from './options.ts';
import { Snapshot } from './read/snapshot.ts';
import { TallyReader } from './read/tally.ts';
import { SharedWal } from './write/shared-wal.ts';
import { Tidy } from './write/tidy.ts';
import { Turn } from './connection/turn.ts';
import { untilUnlocked } from './connection/unlocked.ts';
import { newsOf, type WatchSource, watchLog } from './feed/watch.ts';
import { WriteCalls } from './write/write-call.ts';

interface Opened {
  readonly lease: Lease;
  readonly path: string;
  readonly resources: readonly Resource[];
  readonly writer: Connection;
  readonly options: Surroundings;
}

export async function openSqliteStore(options: SqliteStoreOptions): Promise<Store> {
  makeDataDir(options.dataDir);
  const { dataDir, isShared = false } = options;
  const lease = isShared ? await joinLease(dataDir, untilOwn(options)) : acquireLease(dataDir);
  try {
    return await SqliteStore.open(lease, options);
  } catch (error) {
    lease.release();
    throw toStartError(error, dataDir);
  }
}

class SqliteStore implements Store {
  readonly engine = 'sqlite';
  readonly isAlone: boolean;
  readonly #lease: Lease;
  readonly #writer: Connection;
  readonly #readerConnection: Connection;
  /** Not the documents' reader, whose snapshot may be older. Of a file of its own it is the writer, which is in no transaction then. */
  readonly #logConnection: Connection;
  readonly #options: Surroundings;
  readonly #history: History;
  readonly #documents: OpenDocuments;
  readonly #log: ChangeLog;
  readonly #head: Head;
  readonly #feed: WatchSource;
  readonly news: StoreNews = { head: () => this.#head.position, since: (from) => this.#newsSince(from) };
  readonly #mending: Mending;
  readonly #path: string;
  readonly #reader: Reader;
  readonly #tallies: TallyReader;
  readonly #snapshot: Snapshot;
  readonly #commits: GroupCommit;
  readonly #calls: WriteCalls;
  readonly #toWritten: ToWritten;
  readonly #cursors: Cursors;
  readonly #foreign: ForeignCommits;
  readonly #tidy: Tidy;
  readonly #turn: Turn;
  readonly #closing = new AbortController();
  readonly #held: HeldStates;

  static async open(lease: Lease, options: SqliteStoreOptions): Promise<Store> {
    const path = join(options.dataDir, databaseName);
    mustBeWhole(path);
    const resources = [...options.resources];
    const filled = toSurroundings(options);
    const until = untilOwn(filled);
    const writer = await untilUnlocked(() => openWriter(path), until);
    const prepare = () => untilUnlocked(() => prepareFile({ writer, ...filled }, resources, lease), until);
    try {
      warnOfKeys(await prepare(), filled);
      if (filled.isShared && lease.isAlone) {
        await untilUnlocked(() => lease.share(), until);
        // Whoever took the files in between prepared them as it declares them.
        await prepare();
      }
      // Others hold the lock often: a try that meets it is repeated, and does not keep the event loop waiting.
      if (filled.isShared) writer.database.run('PRAGMA busy_timeout = 0');
      const store = new SqliteStore({ lease, path, resources, writer, options: filled });
      await store.#documents.look();
      store.#documents.tell(filled.onWarning);
      return store;
    } catch (error) {
      writer.database.close();
      throw error;
    }
  }

  /** The file is Tombolo's own: a start brings it to what is declared, and no collection in it is others'. */
  state(): StoreState {
    if (this.#documents.isStale && !this.#closing.signal.aborted) void this.#documents.look();
    return { pending: [], adopted: new Set(), open: this.#documents.lines, trouble: this.#commits.trouble() };
  }

  async figures(): Promise<Figures> {
    const wal = Bun.file(`${this.#path}-wal`);
    return { ...this.#commits.figures(), walBytes: (await wal.exists()) ? wal.size : 0 };
  }

  constructor(opened: Opened) {
    this.#path = opened.path;
    const { writer, resources, options } = opened;
    this.#lease = opened.lease;
    this.isAlone = !options.isShared;
    this.#held = new HeldStates(opened.path, options.clock);
    this.#options = options;
    this.#history = { writer, ...options };
    this.#writer = writer;
    this.#readerConnection = openReader(opened.path);
    this.#logConnection = options.isShared ? openReader(opened.path) : writer;
    this.#documents = new OpenDocuments(lookedAtIn(this.#readerConnection.database, resources));
    this.#reader = new Reader(this.#readerConnection, resources, () => (this.#mending.isRunning ? undefined : this.#foreign.schema));
    this.#snapshot = new Snapshot(this.#readerConnection.database);
    this.#log = new ChangeLog(this.#logConnection);
    this.#head = new Head(this.#log, () => this.#snapshot.end());
    this.#tallies = new TallyReader(opened.path, resources, { ...options, head: this.#head, closing: this.#closing.signal });
    this.#feed = { log: this.#log, head: this.#head, resources: new Map(resources.map((resource) => [resource.name, resource])) };
    this.#cursors = new Cursors({ reader: this.#logConnection.queries, writer: writer.queries });
    this.#calls = new WriteCalls(writer, resources, { cursors: this.#cursors, clock: options.clock });
    const log = new ChangeLog(writer);
    const onBegin = () => this.#snapshot.end();
    this.#commits = new GroupCommit({
      database: writer.database,
      log, clock: options.clock, onBegin,
      held: this.#calls.held,
      onCommit: (end) => this.#head.moveTo(end),
      turns: options.isShared ? storeLimits.sharedTurns : { retryMs: storeLimits.lockRetryMs, pauseMs: 0 },
    });
    this.#toWritten = toWritten(resources);
    this.#mending = new Mending({
      ...options, history: this.#history, resources, log: this.#log, head: this.#head, foreign: () => this.#foreign,
      commit: (run) => this.#ownWrite(run),
    });
    this.#foreign = new ForeignCommits({
      database: writer.database,
      path: opened.path,
      isShared: options.isShared,
      onCommit: ({ schema }) => this.#mending.noticed(schema),
      onFatal: options.onFatal,
    });
    this.#turn = new Turn(dirname(opened.path), this.isAlone);
    this.#tidy = new Tidy({
      writer,
      log,
      logBytesMax: options.logBytesMax,
      clock: options.clock,
      isTurn: () => this.#turn.take(),
      wal: options.isShared ? new SharedWal({ database: writer.database, path: opened.path, onBegin }) : undefined,
      commit: (run) => this.#ownWrite(run),
      onWarning: options.onWarning,
    });
  }

  get(resource: Resource, id: string, options: ReadOptions): Promise<Read<StoredDocument | undefined>> {
    return this.#read(options, () => this.#reader.get(resource, id));
  }

  many(resource: Resource, ids: readonly string[], options: ReadOptions): Promise<Read<readonly StoredDocument[]>> {
    return this.#read(options, () => ids.flatMap((id) => this.#reader.get(resource, id) ?? []));
  }

  holder(...[resource, unique, values, options]: Parameters<Store['holder']>) {
    return this.#read(options, () => holderOf(this.#readerConnection, { resource, unique, values }));
  }

  list(resource: Resource, request: ListRequest, options: ReadOptions): Promise<Read<readonly Row[]>> {
    return this.#read(options, (inTime) => this.#reader.list(resource, request, inTime));
  }

  lists(resource: Resource, requests: readonly ListRequest[], options: ReadOptions): Promise<Read<readonly (readonly Row[])[]>> {
    return this.#read(options, (inTime) => requests.map((request) => this.#reader.list(resource, request, inTime)));
  }

  count(resource: Resource, request: CountRequest, max: number, options: ReadOptions): Promise<Read<number>> {
    return this.#read(options, (inTime) => this.#reader.count(resource, request, max, inTime));
  }

  tally(resource: Resource, request: TallyRequest, options: ReadOptions) {
    return this.#tallies.tally(resource, request, options);
  }

  hold(resources: HeldResources, options: ReadOptions): Promise<HeldState> {
    return this.#once(options, (position) => this.#held.open(resources, position));
  }

  async write(mutations: readonly Mutation[], options: WriteOptions): Promise<Written> {
    const { value, end } = await this.#commits.commit({
      deadline: options.deadline,
      size: mutations.length,
      run: (among) => this.#calls.apply(this.#toWritten(mutations), options, among),
    });
    if ('fault' in value) throw value.fault;
    return { ...value, position: toPosition(end) };
  }

  /** Who shares the file shares the machine's clock. */
  async time(): Promise<number> {
    return this.#options.clock();
  }

  async head(): Promise<Position> {
    return this.#head.position;
  }

  watch(from: Position, signal: AbortSignal) {
    return watchLog(this.#feed, from, AbortSignal.any([signal, this.#closing.signal]));
  }

  #newsSince(from: Position): News | undefined {
    if (this.#closing.signal.aborted || !this.#foreign.look() || this.#mending.isRunning) return undefined;
    return newsOf(this.#feed, from);
  }

  async cursor(consumer: string): Promise<Position | undefined> {
    return this.#cursors.find(consumer);
  }

  async renewEpoch(): Promise<Position> {
    const { end } = await this.#ownWrite(() => beginEpoch(this.#history));
    return toPosition(end);
  }

  async close(): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#tidy.stop();
    this.#foreign.stop();
    await this.#commits.close();
    this.#closing.abort();
    await this.#tallies.close();
    this.#snapshot.end();
    this.#held.close();
    this.#readerConnection.database.close();
    if (this.#logConnection !== this.#writer) this.#logConnection.database.close();
    closeWriter(this.#writer);
    this.#turn.end();
    this.#lease.release();
  }

  /** Reads; the position is known before, so that what is read is at or after it. */
  #read<T>(options: ReadOptions, read: (inTime: () => void) => T): Promise<Read<T>> {
    return this.#once(options, (position, inTime) => {
      this.#snapshot.begin();
      return { value: read(inTime), position };
    });
  }

  #once<T>(options: ReadOptions, run: (position: Position, inTime: () => void) => T): Promise<T> {
    if (this.#closing.signal.aborted) return Promise.reject(storeClosed());
    const { clock } = this.#options;
    const inTime = () => mustBeInTime(clock(), options.deadline);
    return untilUnlocked(() => {
      inTime();
      // What others have committed since it began ends the snapshot of this turn.
      if (!this.isAlone && !this.#foreign.look()) this.#snapshot.end();
      return run(this.#head.mustReach(options.atLeast), inTime);
    }, { clock, deadline: options.deadline });
  }

  #ownWrite<T>(run: () => T extends PromiseLike<unknown> ? never : T): Promise<Committed<T>> {
    return this.#commits.commit<T>({ ...untilOwn(this.#options), size: 1, run: () => this.#calls.held.after(run) });
  }
}
