/**
 * The store on MongoDB: a replica set (a standalone: standalone-store.ts), one collection a resource, documents as BSON
 * that other programs read and write beside us.
 *
 * A write is answered when a majority has it in its journal. Many origins may share a database: conflicts are
 * decided by its transactions, and each origin hears of everything through its change streams. If the database is
 * dropped or its history is lost, a new epoch begins and every reader of the feed is told.
 */
import type { Db } from 'mongodb';
import { Fault } from '../../../shared/wire/fault.ts';
import type { Position } from '../../../shared/wire/position.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { asStored } from '../../../shared/contract/as-stored.ts';
import { compiledModule } from '../../compute/module.ts';
import { OpenDocuments } from '../examination/open-documents.ts';
import type { Figures } from '../../services/figures.ts';
import { StoreNotReady } from '../not-ready.ts';
import type { ChangeBatch, HistoryLost, Mutation, SharedTexts, Store, WriteOptions, Written } from '../store.ts';
import { fail, ignore, randomHex } from '../surroundings.ts';
import { type ToWritten, toWritten } from '../entries.ts';
import { ConnectedStore, type Opened, warnOfPending } from './connected-store.ts';
import { patiently, toClient, toDatabaseName } from './connection/client.ts';
import { majorityTime } from './connection/cluster-time.ts';
import { codeOf, codes } from './connection/errors.ts';
import { watchPool } from './connection/pool-figures.ts';
import { toStartError } from './connection/start-errors.ts';
import { type Deployment, type Doing, mustServe } from './connection/server-checks.ts';
import { ensureEpoch, replaceEpoch, standInEpoch } from './feed/epoch.ts';
import { Head } from './feed/head.ts';
import { watchChanges } from './feed/watch.ts';
import { install, type Installed, type Target } from './install/install.ts';
import { ownershipOf } from './install/ownership.ts';
import { isOwnStep, toSteps } from './install/steps.ts';
import { survey } from './install/survey.ts';
import { cursorsOf } from './install/system-records.ts';
import { lookedAtIn } from './read/examined-documents.ts';
import { RawTexts } from './read/raw-texts.ts';
import { StandaloneStore } from './standalone-store.ts';
import { MongoSharedTexts } from './write/shared-texts.ts';
import { Writer } from './write/writer.ts';

export interface MongoStoreOptions {
  /** A connection string; its path names the database. */
  readonly uri: string;
  readonly resources: Iterable<Resource>;
  /** Names of resources whose changes a hook is owed, whoever writes them. */
  readonly followed?: ReadonlySet<string>;
  /** Milliseconds of the epoch. */
  readonly clock?: () => number;
  /** That many random bytes, in hex. */
  readonly random?: (bytes: number) => string;
  readonly onWarning?: (message: string, facts: Readonly<Record<string, unknown>>) => void;
  /** The database cannot be put back into a state that can be served from. */
  readonly onFatal?: (error: Error) => void;
  /** For so long a database that is away is waited for; unless said, the first look decides. */
  readonly awayMsMax?: number;
}

type Surroundings = Required<Omit<MongoStoreOptions, 'uri' | 'resources' | 'followed' | 'awayMsMax'>>;

export async function openMongoStore(options: MongoStoreOptions): Promise<Store> {
  const givenUpAtMs = performance.now() + (options.awayMsMax ?? 0);
  for (;;) {
    try {
      return await openOnce(options);
    } catch (error) {
      if (!(error instanceof StoreNotReady && error.isPassing) || performance.now() >= givenUpAtMs) throw error;
      options.onWarning?.('the database is away, and is waited for', { problem: error.message });
      await Bun.sleep(awayRetryMs);
    }
  }
}

const awayRetryMs = 1_000;

async function openOnce(options: MongoStoreOptions): Promise<Store> {
  const client = toClient(options.uri);
  const pool = watchPool(client);
  try {
    await client.connect();
    const database = client.db(toDatabaseName(options.uri));
    const filled = {
      clock: options.clock ?? Date.now,
      random: options.random ?? randomHex,
      onWarning: options.onWarning ?? ignore,
      onFatal: options.onFatal ?? fail,
    };
    const resources = new Map([...options.resources].map((resource) => [resource.collection, resource]));
    const declared = [...resources.values()];
    const doing = (deployment: Deployment) => doingIn(database, { resources: declared, deployment });
    const deployment = await mustServe(database, declared, { clock: filled.clock, doing, followed: options.followed });
    const target: Target = { database, resources: declared, deployment, patiently: (use) => patiently(options.uri, use) };
    const installed = await install(target);
    warn(installed, filled);
    const stored = declared.map((each) => asStored(each, installed.ownership.adopted));
    const documents = new OpenDocuments(lookedAtIn(database, stored));
    await documents.look();
    documents.tell(filled.onWarning);
    const opened = {
      client,
      pool,
      target,
      database,
      resources,
      installed,
      documents,
      texts: new RawTexts(await compiledModule(), filled.onWarning),
      options: filled,
    };
    if (deployment === 'standalone') return await StandaloneStore.open(opened);
    const standIn = installed.ownership.isInstalled ? undefined : await standInEpoch(database, declared);
    const epoch = standIn ?? (await ensureEpoch(database, filled.random(8)));
    const head = new Head(database, { epoch, standIn, time: await majorityTime(database) });
    return new MongoStore(opened, head);
  } catch (error) {
    await client.close();
    throw toStartError(error, options.uri);
  }
}

/** Who may not even look is told all that is missing. */
async function doingIn(database: Db, asked: Pick<Target, 'resources' | 'deployment'>): Promise<Doing> {
  try {
    const there = await survey(database, asked.resources);
    const ownership = ownershipOf(there, asked.resources);
    if (!ownership.isInstalled) return 'reads';
    return toSteps(there, { ...asked, ownership }).some((step) => isOwnStep(step, ownership)) ? 'makes' : 'serves';
  } catch (error) {
    if (codeOf(error) !== codes.unauthorized) throw error;
    return 'makes';
  }
}

class MongoStore extends ConnectedStore implements Store {
  protected override readonly holdsStates = true;
  readonly #head: Head;
  readonly #writer: Writer;
  readonly #toWritten: ToWritten;
  readonly #shared: MongoSharedTexts;
  /** Of consumers, while there is no collection for them. */
  readonly #cursors = new Map<string, Position>();

  constructor(opened: Opened, head: Head) {
    super(opened);
    const { client, database, texts, options } = opened;
    this.#head = head;
    this.#shared = new MongoSharedTexts(database);
    this.#toWritten = toWritten(opened.resources.values());
    this.#writer = new Writer({ client, database, texts, head, clock: options.clock, installation: this.installation });
  }

  write(given: readonly Mutation[], options: WriteOptions): Promise<Written> {
    const mutations = this.#toWritten(given);
    const write = () => (this.installation.isComplete ? this.#writer.write(mutations, options) : this.#withoutRecords(mutations, options));
    return this.run(write);
  }

  figures(): Figures {
    return { ...this.#writer.figures(), ...this.opened.pool() };
  }

  head(): Promise<Position> {
    return this.own(() => this.#head.refresh());
  }

  async *watch(from: Position, signal: AbortSignal): AsyncGenerator<ChangeBatch | HistoryLost, void, undefined> {
    const source = {
      client: this.opened.client, database: this.opened.database, resources: this.opened.resources, head: this.#head,
      reset: () => this.#reset(), onSchemaChange: () => void this.mend(),
      onImageMissing: () => this.installation.lookSoon(),
    };
    const ends = AbortSignal.any([signal, this.closing]);
    const changes = watchChanges(source, from, ends);
    try {
      for (;;) {
        const { done, value } = await this.track(changes.next());
        if (done === true) return;
        yield value;
      }
    } finally {
      await this.track(changes.return());
    }
  }

  /** Nothing is put into a database of others unasked. */
  get shared(): SharedTexts | undefined {
    if (!this.installation.isComplete) return undefined;
    return {
      find: (name) => this.own(() => this.#shared.find(name)),
      put: (name, next, version) => this.own(() => this.#shared.put(name, next, version)),
    };
  }

  cursor(consumer: string): Promise<Position | undefined> {
    return this.own(async () => {
      if (!this.installation.isComplete) return this.#cursors.get(consumer);
      const found = await cursorsOf(this.opened.database).findOne({ _id: consumer });
      return found === null ? undefined : { epoch: found.epoch, order: found.order };
    });
  }

  renewEpoch(): Promise<Position> {
    return this.own(async () => {
      const epoch = this.opened.options.random(8);
      if (!this.installation.isComplete) return this.#head.standIn(epoch);
      return this.#head.begin(epoch, await replaceEpoch(this.opened.client, this.opened.database, epoch));
    });
  }

  protected override leave(): Promise<void> {
    return this.#writer.close();
  }

  protected override async stateFor(atLeast: Position | undefined) {
    const position = await this.#head.mustReach(atLeast);
    return { time: this.#head.time, position };
  }

  protected override onUnmended(cause: unknown): void {
    this.opened.options.onFatal(new Error('collections were dropped or renamed by others and cannot be put back', { cause }));
  }

  /** A write needs a place for its nonce, and none is made in a database of others unasked; consumers that write nothing go on. */
  async #withoutRecords(mutations: readonly Mutation[], { cursor }: WriteOptions): Promise<Written> {
    if (mutations.length > 0 || cursor === undefined) {
      throw new Fault('store_read_only', {
        detail: 'this database is another program\'s, and Tombolo has not been installed in it: `npm run apply` does that',
        headers: { 'retry-after': '60' },
      });
    }
    this.#cursors.set(cursor.consumer, cursor.to);
    return { outcomes: [], position: this.#head.position, replayed: undefined };
  }

  async #reset(): Promise<Position> {
    await this.mend();
    const fresh = this.opened.options.random(8);
    if (!this.installation.isComplete) return this.#head.standIn(fresh);
    const epoch = await ensureEpoch(this.opened.database, fresh);
    return this.#head.begin(epoch, await majorityTime(this.opened.database));
  }
}

function warn({ foreignIds, mayBeOdd, hidesOdd, pending }: Installed, surroundings: Surroundings): void {
  const { onWarning } = surroundings;
  if (pending.length > 0) warnOfPending(pending.map(({ name }) => name), surroundings);
  if (foreignIds.length > 0) onWarning('documents have an _id that is not of the declared kind', { foreignIds });
  if (hidesOdd.size > 0) {
    onWarning('documents that hold arrays or objects where plain values are declared are left out of lists until their index is there', {
      collections: [...hidesOdd],
    });
  }
  const odd = [...mayBeOdd].filter((name) => !hidesOdd.has(name));
  if (odd.length > 0) {
    onWarning('documents hold arrays or objects where plain values are declared; lists read them beside their index', {
      collections: odd,
    });
  }
}
