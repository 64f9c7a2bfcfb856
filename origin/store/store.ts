/**
 * The store port: what Tombolo asks of a database, and nothing more. Both engines pass `test/suites/store`.
 *
 * Who owns what: a store owns durability, order and positions; the contract's pure functions decide what may
 * be written; nobody else touches the database. Writes are given as `Mutation`s whose `decide` runs inside the
 * transaction on the document as it is there, is synchronous and may run more than once; so a transaction
 * cannot be left open over an `await`, on either engine.
 *
 * Every call takes a deadline and throws a `Fault`: `deadline_exceeded`, `store_busy`, `store_unavailable`.
 */
import type { Change } from '../../shared/contract/change.ts';
import type { Fault } from '../../shared/wire/fault.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { Range } from '../../shared/contract/filter.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Predicate } from '../../shared/contract/rules.ts';
import type { SortKey } from '../../shared/contract/shapes.ts';
import type { Unique } from '../../shared/contract/unique.ts';
import type { JsonObject, Scalar, SortValue } from '../../shared/wire/values.ts';
import type { Figures } from '../services/figures.ts';
import type { StoredDocument } from './stored-document.ts';

export interface ReadOptions {
  /** Milliseconds of the epoch after which the answer is of no use to anyone. */
  readonly deadline: number;
  /** The state read must be at or after this. */
  readonly atLeast?: Position;
}

/** What was read, and a position that the state read from is at or after. */
export interface Read<T> {
  readonly value: T;
  readonly position: Position;
}

export interface ListRequest {
  /** Every equality of the shape as parsed, each with one or more values. */
  readonly equal: Readonly<Record<string, readonly Scalar[]>>;
  readonly range: Range | undefined;
  /** A total order, ending in id; already reversed when paging backwards. */
  readonly sort: readonly SortKey[];
  /** What the read rule leaves for this caller. */
  readonly where: Predicate;
  /** Exclusive start: the sort values of the last document seen, one for each key of `sort`. */
  readonly after: readonly SortValue[] | undefined;
  /** Documents wanted, at most. */
  readonly limit: number;
}

export interface Row {
  readonly document: StoredDocument;
  /** One for each key of the request's `sort`: what a cursor is made of. */
  readonly keys: readonly SortValue[];
}

/** What a write that causes others says of them; what is caused causes nothing further. */
interface Causing {
  /** Decided and written in the same transaction, right after; if one of them is refused, so is what caused it. */
  readonly also?: readonly FollowUp[];
}

export type PlainDecision =
  /** Store this as the whole document, without `id`; `rev` and the times are inside. */
  | { readonly kind: 'put'; readonly document: JsonObject }
  | { readonly kind: 'remove' }
  /** Nothing differs: nothing is written, so there is no revision and no change. */
  | { readonly kind: 'keep' }
  | { readonly kind: 'refuse'; readonly fault: Fault };

export type Decision = PlainDecision & Causing;

/** Which document something is about. */
export interface About {
  readonly resource: Resource;
  readonly id: string;
  /** The id was made for this write, so that no document has it, and none need be asked for. */
  readonly isFresh?: boolean | undefined;
}

export interface FollowUp extends About {
  /** Called inside the transaction with the document as it is there; pure, synchronous, repeatable. */
  decide(before: StoredDocument | undefined): PlainDecision;
}

export interface Mutation extends About {
  /** Like that of a follow-up, and sees what is there beside its document. */
  decide(before: StoredDocument | undefined, reach: Reach): Decision;
}

/** Documents whose field holds one of several values. */
export interface Naming {
  readonly resource: Resource;
  readonly field: string;
  /** By which the field holds the ids of the documents that are named. */
  readonly values: readonly Scalar[];
  /** Documents wanted, at most. */
  readonly max: number;
}

/**
 * What a decision sees beside its own document: what is there in its transaction, after the mutations before it. There is one
 * for each time that a write is decided. An engine that has yet to read what is asked for answers as if nothing were there,
 * and decides all of the write anew.
 */
export interface Reach {
  /** The changes that decisions of this write have caused so far, which they count themselves. */
  caused: number;
  /**
   * A document that is named. One that `stays` is not removed by a transaction beside this one that asks who is `naming` it:
   * one of the two sees what the other has written.
   */
  named(resource: Resource, id: string, how: { readonly stays: boolean }): StoredDocument | undefined;
  /** Those that name a document of several that are removed, in no order, but for the removed among them. */
  naming(named: readonly About[], naming: Naming): readonly StoredDocument[];
}

export type Outcome =
  | { readonly kind: 'written'; readonly before: StoredDocument | undefined; readonly after: StoredDocument | undefined }
  | { readonly kind: 'refused'; readonly fault: Fault }
  /** It would have been written, but for another mutation of the same atomic write. */
  | { readonly kind: 'undone' };

/** A consumer's cursor, moved with what it wrote, and only from where it stands: of several processes one moves it. */
export interface CursorMove {
  readonly consumer: string;
  /** `undefined`: the consumer has none yet. */
  readonly from: Position | undefined;
  readonly to: Position;
}

export interface WriteOptions {
  readonly deadline: number;
  /** All or nothing: one refused mutation leaves the others `undone`, and a cursor where it was. */
  readonly atomic?: true;
  /** Standing elsewhere than `from`, the whole write is `cursor_moved`: another process has handled these changes. */
  readonly cursor?: CursorMove;
  /** A hop's nonce: spent in this transaction; met a second time, the whole write is `hop_replayed`. */
  readonly nonce?: { readonly value: string; readonly expiresAt: number };
  /** An idempotency record: the first insert of the transaction (SEMANTICS §10). */
  readonly once?: {
    /** Scoped by the caller to principal, method and path. */
    readonly key: string;
    /** A digest of the request; another one under the same key is `idempotency_mismatch`. */
    readonly fingerprint: string;
    /** What a replay answers; computed inside the transaction and committed with it. */
    answer(outcomes: readonly Outcome[]): string;
  };
}

export interface Written {
  /** One for each mutation, in order. What was refused or undone left nothing; the others are committed. */
  readonly outcomes: readonly Outcome[];
  /** A position at or after every change of this write. */
  readonly position: Position;
  /** The recorded answer, when this key had been used before; nothing was written then. */
  readonly replayed: string | undefined;
}

export interface ChangeBatch {
  readonly changes: readonly Change[];
  /** Everything up to here has been given; the next batch begins after it. */
  readonly through: Position;
  /** `performance.now()` of a moment at which nothing committed lay beyond `through`; `undefined` where more follows. */
  readonly completeAtMs: number | undefined;
}

/** The cursor given is not in this store's history any more: told before any newer change. */
export interface HistoryLost {
  readonly lost: true;
  readonly head: Position;
}

/** What was committed after a position, and where history ends now. */
export interface News {
  readonly head: Position;
  /** In commit order; `undefined`: more than one batch, or the position is not in this history. */
  readonly changes: readonly Change[] | undefined;
}

/** What is new, asked of nobody and waited for by nobody. */
export interface StoreNews {
  /** The last committed position: the commits of this process are in it, those of others maybe not yet. */
  head(): Position;
  /**
   * What anybody had committed after `from` when this turn of the event loop began: a read of this turn sees the same.
   * `undefined`: not now, since another program holds the file or has broken it.
   */
  since(from: Position): News | undefined;
}

/** A small text that processes on one database change by turns. */
export interface SharedText {
  readonly text: string;
  /** Another one after each change. */
  readonly version: string;
}

/** Kept beside documents and no part of the feed; each is gone some time after it expires. */
export interface SharedTexts {
  find(name: string): Promise<SharedText | undefined>;
  /** Puts a text in place of the one of `version`, or where there is none; false: another is there by now, and stays. */
  put(name: string, next: { readonly text: string; readonly expiresAt: number }, version: string | undefined): Promise<boolean>;
}

export type CountRequest = Omit<ListRequest, 'after' | 'limit'>;

export interface TallyRequest extends CountRequest {
  /** Fields of one value, each in `sort`. */
  readonly fields: readonly string[];
  /** A field that is many: a document counts once for each different element, and once for null where it has none. */
  readonly each: string | undefined;
  /** More that is counted is too much. */
  readonly max: number;
}

/** How many documents have this combination of values: those of the fields, then the element. */
export interface Tallied {
  readonly values: readonly SortValue[];
  readonly count: number;
}

export type HeldResources = readonly [Resource, ...Resource[]];

/**
 * Resources as they were at one moment, read in steps: each shows that moment, whatever its options ask for. Until it is closed
 * its engine may forget nothing that it shows, so it is closed soon; a step that comes too late for the engine is
 * `deadline_exceeded`.
 */
export interface HeldState extends Pick<Store, 'list' | 'many'> {
  /** What it shows is at or after this. */
  readonly position: Position;
  /** Asked once or more often. */
  close(): Promise<void>;
}

/** What of the database is not as the declaration asks, and is not Tombolo's to change (SEMANTICS §15). */
export interface StoreState {
  /** Names of steps. */
  readonly pending: readonly string[];
  /** Declared collections that others made. */
  readonly adopted: ReadonlySet<string>;
  /** Lines about documents that do not fit what is declared, by resource and count. */
  readonly open: readonly string[];
  /** What keeps it from being written to, such as a full disk; `undefined`: nothing. */
  readonly trouble?: string | undefined;
}

export interface Store {
  readonly engine: 'sqlite' | 'mongodb';
  /** No other origin uses the database meanwhile, so what one does at a time needs no lease. */
  readonly isAlone: boolean;
  state(): StoreState;
  figures(): Figures | Promise<Figures>;
  get(resource: Resource, id: string, options: ReadOptions): Promise<Read<StoredDocument | undefined>>;
  /** The documents of the ids that are there, in one read, in no order. */
  many(resource: Resource, ids: readonly string[], options: ReadOptions): Promise<Read<readonly StoredDocument[]>>;
  /** The document that has a unique key; `values`: one for each of its fields. */
  holder(
    resource: Resource, unique: Unique, values: readonly Scalar[], options: ReadOptions,
  ): Promise<Read<StoredDocument | undefined>>;
  list(resource: Resource, request: ListRequest, options: ReadOptions): Promise<Read<readonly Row[]>>;
  /** Several lists of one resource, each with its own limit, in one read. */
  lists(resource: Resource, requests: readonly ListRequest[], options: ReadOptions): Promise<Read<readonly (readonly Row[])[]>>;
  /** Counts to `max` and no further. */
  count(
    resource: Resource,
    request: CountRequest,
    max: number,
    options: ReadOptions,
  ): Promise<Read<number>>;
  /** About how many documents the resource has, whoever may see them: there for engines that know without counting. */
  estimate?(resource: Resource, options: ReadOptions): Promise<Read<number>>;
  /** Every combination of values of one state, what aggregates are made of; `undefined` where more than `max` would be counted. */
  tally(resource: Resource, request: TallyRequest, options: ReadOptions): Promise<Read<readonly Tallied[] | undefined>>;
  /** Holds what these resources have now. A standalone MongoDB holds no state: each step shows what is there then. */
  hold(resources: HeldResources, options: ReadOptions): Promise<HeldState>;
  /** All mutations in one durable transaction; each refused or written on its own, unless the write is `atomic`. */
  write(mutations: readonly Mutation[], options: WriteOptions): Promise<Written>;
  /** The database's clock, in milliseconds of the epoch: the same for all processes that share it, to a round trip. */
  time(): Promise<number>;
  /** The last committed position that this process knows of. */
  head(): Promise<Position>;
  /**
   * Changes after `from`, in commit order, without end, pulled by the reader: nothing is buffered beyond one
   * batch. An empty batch comes at least every 100 ms, so that `through` keeps moving (an idle watermark).
   */
  watch(from: Position, signal: AbortSignal): AsyncIterable<ChangeBatch | HistoryLost>;
  /** There for engines that can tell at once what is new. */
  readonly news?: StoreNews;
  /** There where other processes may use the same database, and Tombolo has its own place in it. */
  readonly shared?: SharedTexts | undefined;
  /** A consumer's durable cursor; a write moves it. */
  cursor(consumer: string): Promise<Position | undefined>;
  /** State was lost or restored: a new epoch, in which no old position means anything. */
  renewEpoch(): Promise<Position>;
  /** Closes once what is accepted is finished. */
  close(): Promise<void>;
}
