/**
 * What the stores of this engine have in common: reads, calls that are finished before the store closes and fail in Faults,
 * and an installation that is put back when others drop it.
 */
import type { Db, MongoClient, Timestamp } from 'mongodb';
import type { Position } from '../../../shared/wire/position.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import type { Unique } from '../../../shared/contract/unique.ts';
import type { Scalar } from '../../../shared/wire/values.ts';
import { storeLimits } from '../limits.ts';
import type { OpenDocuments } from '../examination/open-documents.ts';
import type { CountRequest, HeldResources, HeldState, ListRequest, Read, ReadOptions, StoreState, TallyRequest } from '../store.ts';
import { codeOf, codes, deadlineExceeded, storeUnavailable, toStoreFault } from './connection/errors.ts';
import { inTime } from './connection/in-time.ts';
import type { PoolFigures } from './connection/pool-figures.ts';
import type { Installed, Target } from './install/install.ts';
import { Installation, shapeNotReady } from './install/installation.ts';
import type { RawTexts } from './read/raw-texts.ts';
import { ReadShare } from './read/read-share.ts';
import { HeldSession, type Holding } from './read/held-state.ts';
import { type Reading, Reader } from './read/reader.ts';

export interface Opened {
  readonly client: MongoClient;
  readonly pool: PoolFigures;
  readonly target: Target;
  readonly database: Db;
  /** By the names of their collections. */
  readonly resources: ReadonlyMap<string, Resource>;
  readonly installed: Installed;
  readonly documents: OpenDocuments;
  readonly texts: RawTexts;
  readonly options: {
    clock(): number;
    random(bytes: number): string;
    onWarning(message: string, facts: Readonly<Record<string, unknown>>): void;
    onFatal(error: Error): void;
  };
}

/** What a read finds: a state at `time` or after it, and what may be said of it. */
interface ReadState {
  /** The least cluster time; `undefined`: whatever the server has. */
  readonly time: Timestamp | undefined;
  readonly position: Position;
}

/** The time for the last commands to the server, after everything accepted is finished. */
const closeMsMax = 2_000;

export abstract class ConnectedStore {
  readonly engine = 'mongodb';
  readonly isAlone = false;
  protected readonly opened: Opened;
  protected readonly installation: Installation;
  readonly #reader: Reader;
  readonly #closing = new AbortController();
  /** Calls that are accepted and not finished. */
  readonly #running = new Set<Promise<unknown>>();

  constructor(opened: Opened) {
    const { client, target, database, installed, texts } = opened;
    this.opened = opened;
    this.installation = new Installation(installed, {
      ...target, closing: this.closing,
      onMended: () => opened.options.onWarning('others dropped or renamed collections or indexes; what is missing was put back', {}),
      onPending: (pending) => warnOfPending(pending, opened.options),
      onFailed: (cause) => this.onUnmended(cause),
    });
    this.#reader = new Reader({ client, database, texts, installation: this.installation, share: toReadShare(client) });
  }

  /** The state that a read at or after `atLeast` is given. */
  protected abstract stateFor(atLeast: Position | undefined): ReadState | Promise<ReadState>;
  /** Whether the server shows one state to several reads. */
  protected abstract readonly holdsStates: boolean;
  /** Called when what others dropped cannot be put back. */
  protected abstract onUnmended(cause: unknown): void;

  state(): StoreState {
    const { documents } = this.opened;
    if (documents.isStale && !this.closing.aborted) void this.track(documents.look());
    return { pending: this.installation.pending, adopted: this.installation.adopted, open: documents.lines };
  }

  get(resource: Resource, id: string, options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.get(resource, id, reading));
  }

  many(resource: Resource, ids: readonly string[], options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.many(resource, ids, reading));
  }

  holder(resource: Resource, unique: Unique, values: readonly Scalar[], options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.holder(resource, unique, values, reading));
  }

  list(resource: Resource, request: ListRequest, options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.list(resource, request, reading));
  }

  lists(resource: Resource, requests: readonly ListRequest[], options: ReadOptions) {
    return this.#read(options, (reading) => Promise.all(requests.map((request) => this.#reader.list(resource, request, reading))));
  }

  count(resource: Resource, request: CountRequest, max: number, options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.count(resource, request, max, reading));
  }

  estimate(resource: Resource, options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.estimate(resource, reading));
  }

  tally(resource: Resource, request: TallyRequest, options: ReadOptions) {
    return this.#read(options, (reading) => this.#reader.tally(resource, request, reading));
  }

  hold([resource]: HeldResources, { deadline, atLeast }: ReadOptions): Promise<HeldState> {
    return this.run(() => inTime(this.#left(deadline), async () => {
      const { time, position } = await this.stateFor(atLeast);
      const session = this.holdsStates ? await this.#reader.beginHeld(resource, this.#left(deadline)) : undefined;
      const run: Holding['run'] = (options, read) => this.run(() => inTime(this.#left(options.deadline), () => {
        const maxTimeMS = this.#left(options.deadline);
        return session === undefined ? this.#reader.at(time, maxTimeMS, read) : read({ session, maxTimeMS });
      }));
      return new HeldSession({ position, session, reader: this.#reader, run });
    }));
  }

  /** The primary's, at the middle of the round trip. */
  time(): Promise<number> {
    return this.own(async () => {
      const askedAtMs = performance.now();
      const { localTime } = await this.opened.database.command({ hello: 1 }, { readPreference: 'primary' });
      if (!(localTime instanceof Date)) throw storeUnavailable(undefined, 'the server does not tell its time');
      return localTime.getTime() + (performance.now() - askedAtMs) / 2;
    });
  }

  async close(): Promise<void> {
    this.#closing.abort();
    while (this.#running.size > 0) await Promise.allSettled(this.#running);
    // What the server has not been told (the end of sessions) expires there by itself; a dead connection answers nobody.
    await inTime(closeMsMax, async () => {
      await this.leave();
      await this.opened.client.close();
    }).catch(() => this.opened.options.onWarning('the database did not hear that we leave', {}));
  }

  /** Ends what must end before the connections do. */
  protected async leave(): Promise<void> {}

  protected get closing(): AbortSignal {
    return this.#closing.signal;
  }

  #read<T>({ deadline, atLeast }: ReadOptions, read: (reading: Reading) => Promise<T>): Promise<Read<T>> {
    return this.run(() => inTime(this.#left(deadline), async () => {
      const { time, position } = await this.stateFor(atLeast);
      return { value: await this.#reader.at(time, this.#left(deadline), read), position };
    }));
  }

  #left(deadline: number): number {
    const left = Math.ceil(deadline - this.opened.options.clock());
    if (left <= 0) throw deadlineExceeded();
    return left;
  }

  /** Runs the store's own questions, which carry no request's deadline. */
  protected own<T>(work: () => Promise<T>): Promise<T> {
    return this.run(() => inTime(storeLimits.ownWriteMsMax, work));
  }

  /** Runs a call from outside: refused when closed, finished before we close, failing in Faults. */
  protected async run<T>(work: () => Promise<T>): Promise<T> {
    if (this.closing.aborted) throw storeUnavailable(undefined, 'the store is closed');
    try {
      return await this.track(work());
    } catch (error) {
      throw this.toFault(error);
    }
  }

  /** Nobody tells us that others dropped or hid an index: the list that misses it does. */
  protected toFault(error: unknown): unknown {
    if (!isIndexMissing(error)) return toStoreFault(error);
    void this.mend();
    return shapeNotReady('others have taken its index away, and it is being looked for', error);
  }

  protected async track<T>(running: Promise<T>): Promise<T> {
    this.#running.add(running);
    try {
      return await running;
    } finally {
      this.#running.delete(running);
    }
  }

  protected mend(): Promise<void> {
    return this.track(this.installation.mend());
  }
}

/** Three quarters of the pool. To the driver, 0 is no bound. */
function toReadShare({ options: { maxPoolSize, waitQueueTimeoutMS } }: MongoClient): ReadShare {
  return new ReadShare({
    connectionsMax: maxPoolSize === 0 ? Infinity : Math.floor(maxPoolSize * 0.75),
    waitMsMax: waitQueueTimeoutMS === 0 ? timerMsMax : waitQueueTimeoutMS,
  });
}

/** The longest that a timer takes; a request's own deadline comes before. */
const timerMsMax = 2_147_483_647;

export function warnOfPending(pending: readonly string[], { onWarning }: Opened['options']): void {
  onWarning(
    pending.length === 0
      ? 'nothing is pending in the database any more'
      : 'the database is not yet what the declaration asks for, and what is pending is not for a start to do: ' +
        '`npm run plan` shows each step and what it does, `npm run apply` does them',
    { pending },
  );
}

function isIndexMissing(error: unknown): boolean {
  return codeOf(error) === codes.badValue && error instanceof Error && error.message.includes('hint provided');
}
