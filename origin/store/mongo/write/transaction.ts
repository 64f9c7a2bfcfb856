/**
 * One attempt of a group of writes as one transaction: read the documents, decide, then the records (nonce, idempotency) as
 * its first insert, those of what is named and removed (held-documents.ts), the consumers' cursors, the documents, the commit.
 * What it came to is returned (attempt.ts); an attempt that ends early leaves nothing behind.
 *
 *   find ──▶ decide ──▶ insert records, move cursors ──▶ bulk writes ──▶ commit ──▶ settled
 *    │          │ missing    │ met before: met          │ refused        │ not answered: sent again, then unknown
 *    │          └─ is read ──┤                          │                │
 *    └───────────────────────┴──────────────────────────┴────────────────┴──▶ conflict, unreachable, failed
 *
 * What is made under an id of its own is not asked for, unless an attempt before met a conflict.
 */
import type { ClientSession, Db } from 'mongodb';
import { Fault } from '../../../../shared/wire/fault.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { storeLimits } from '../../limits.ts';
import { toConflict } from '../../conflict.ts';
import { isUndone } from '../../outcomes.ts';
import type { About, CursorMove } from '../../store.ts';
import { type Attempt, attempt, type Ended, type Met, type Result, toEnded } from './attempt.ts';
import { type Decided, decideAll, type Operation, toModels } from './decide.ts';
import { keyOf, nothing, Standings } from './standings.ts';
import type { Stored } from '../read/documents.ts';
import type { Call } from './group-queue.ts';
import { type Held, toHeldModels } from './held-documents.ts';
import { isNonce, toOnceId, toOnceRecords } from './once-records.ts';
import {
  codeOf, codes, deadlineExceeded, firstWriteError, hasLabel, indexNameIn, isUnreachable, toInvalid, toRefusal, withoutBulk,
  type WriteFailure,
} from '../connection/errors.ts';
import { inTime } from '../connection/in-time.ts';
import { toldFields, toldInvalid } from './told-places.ts';
import { TransactionReader } from './transaction-reader.ts';
import type { WriterOptions } from './writer.ts';
import { cursorsOf, onceOf, type OnceRecord } from '../install/system-records.ts';

interface OfCall<T> {
  readonly call: Call;
  readonly value: T;
}

/** What the calls of an attempt come to, before anything is written. */
interface Work {
  readonly results: Map<Call, Result>;
  readonly records: OfCall<OnceRecord>[];
  readonly cursors: CursorMove[];
  readonly operations: OfCall<Operation>[];
  readonly held: Map<string, Held>;
}

const conflict: Ended = { kind: 'conflict' };

export class Transaction {
  readonly #database: Db;
  readonly #session: ClientSession;
  readonly #reader: TransactionReader;
  readonly #clock: () => number;
  readonly #asksAll: boolean;

  /** `asksAll`: an attempt before met a conflict, and whatever is written is asked for. */
  constructor(given: Omit<WriterOptions, 'client' | 'head'> & { readonly session: ClientSession; readonly asksAll: boolean }) {
    this.#database = given.database;
    this.#session = given.session;
    this.#reader = new TransactionReader(given, (deadline, ask) => this.#inTime(deadline, ask));
    this.#clock = given.clock;
    this.#asksAll = given.asksAll;
  }

  /** Never throws. */
  async attempt(calls: readonly Call[], deadline: number): Promise<Attempt> {
    try {
      return await this.#run(calls, deadline);
    } catch (error) {
      return toEnded(error);
    }
  }

  async #run(calls: readonly Call[], deadline: number): Promise<Attempt> {
    // The deadline of the most patient: once it commits the others' changes are in it, whoever still waits.
    const commitDeadline = Math.max(...calls.map(({ options }) => options.deadline));
    this.#session.startTransaction({
      readConcern: { level: 'snapshot' },
      writeConcern: { w: 'majority', journal: true },
      maxCommitTimeMS: this.#left(commitDeadline),
    });
    const standings = new Standings();
    const [known, asked] = this.#toAsked(calls.flatMap(({ mutations }) => mutations));
    for (const about of known) standings.set(keyOf(about), nothing);
    await this.#reader.documents(asked, standings, deadline);
    const work: Work = { results: new Map(), records: [], cursors: [], operations: [], held: new Map() };
    for (const call of calls) {
      const met = await this.#add(call, work, standings, deadline);
      if (met !== undefined) return met;
    }
    const { results, records, cursors, operations } = work;
    const writes = records.length + cursors.length + operations.length > 0;
    if (!writes) await this.#inTime(deadline, () => this.#session.abortTransaction());
    const ended = writes ? ((await this.#write(work, deadline)) ?? (await this.#commit(commitDeadline))) : undefined;
    return ended ?? { kind: 'settled', results };
  }

  /** Those of which it is known that no document is there, and the others. */
  #toAsked(mutations: readonly About[]): readonly [readonly About[], readonly About[]] {
    const isKnown = ({ isFresh }: About) => isFresh === true && !this.#asksAll;
    return [mutations.filter(isKnown), mutations.filter((mutation) => !isKnown(mutation))];
  }

  /** What one call comes to, added to that of those before it. */
  async #add(
    call: Call,
    { results, records, cursors, operations, held }: Work,
    standings: Standings,
    deadline: number,
  ): Promise<Met | undefined> {
    const decided = await this.#decide(call, standings, deadline);
    results.set(call, 'thrown' in decided ? decided : decided.outcomes);
    if ('thrown' in decided) return this.#metBefore(call, deadline);
    const { atomic, cursor } = call.options;
    if (cursor !== undefined && !(atomic === true && isUndone(decided.outcomes))) cursors.push(cursor);
    records.push(...decided.records.map((value) => ({ call, value })));
    operations.push(...decided.operations.map((value) => ({ call, value })));
    if (decided.operations.length > 0) for (const [key, how] of decided.held) if (how === 'left' || !held.has(key)) held.set(key, how);
    return undefined;
  }

  async #write({ records, cursors, operations, held }: Work, deadline: number): Promise<Ended | undefined> {
    const met = records.length === 0 ? undefined : await this.#insert(records, deadline);
    if (met !== undefined) return met;
    if (held.size > 0 && !(await this.#hold(held, deadline))) return conflict;
    for (const cursor of cursors) {
      const ended = await this.#move(cursor, deadline);
      if (ended !== undefined) return ended;
    }
    // Those of one resource go together, each document's in order: entries stand between the documents that they are of.
    for (const run of Map.groupBy(operations, ({ value }) => value.resource.name).values()) {
      const ended = await this.#carryOut(run, deadline);
      if (ended !== undefined) return ended;
    }
    return undefined;
  }

  /** A call whose code throws leaves nothing, and the calls behind it see nothing of it. */
  async #decide(
    call: Call,
    standings: Standings,
    deadline: number,
  ): Promise<(Decided & { readonly records: readonly OnceRecord[] }) | { readonly thrown: unknown }> {
    const { cursor, atomic = false } = call.options;
    if (cursor !== undefined && !(await this.#stands(cursor, deadline))) return { thrown: new Fault('cursor_moved') };
    for (;;) {
      const own = new Standings(standings);
      const decided = attempt(() => decideAll(call.mutations, own, { refused: call.refused, atomic, asksAll: this.#asksAll }));
      if ('thrown' in decided) return decided;
      if ('missing' in decided) {
        await this.#reader.read(decided.missing, standings, deadline);
        continue;
      }
      const recorded = attempt(() => ({ ...decided, records: toOnceRecords(call.options, decided, this.#clock()) }));
      if (!('thrown' in recorded) && !(atomic && isUndone(decided.outcomes))) own.keep();
      return recorded;
    }
  }

  async #stands({ consumer, from }: CursorMove, deadline: number): Promise<boolean> {
    const standing = await this.#inTime(deadline, (limit) =>
      cursorsOf(this.#database).findOne({ _id: consumer }, { session: this.#session, ...limit }),
    );
    return standing?.epoch === from?.epoch && standing?.order === from?.order;
  }

  /** Another process that moves it meanwhile is a conflict, which the server labels; its first cursor of all is a duplicate. */
  async #move({ consumer, to: { epoch, order } }: CursorMove, deadline: number): Promise<Ended | undefined> {
    try {
      await this.#inTime(deadline, (limit) =>
        cursorsOf(this.#database).replaceOne({ _id: consumer }, { epoch, order }, { upsert: true, session: this.#session, ...limit }),
      );
      return undefined;
    } catch (error) {
      if (codeOf(error) === codes.duplicateKey) return conflict;
      throw error;
    }
  }

  /** What is refused now may have been done under the same key: its answer is that of the first time. */
  async #metBefore(call: Call, deadline: number): Promise<Met | undefined> {
    const { once } = call.options;
    if (once === undefined) return undefined;
    const met = await this.#inTime(deadline, (limit) =>
      onceOf(this.#database).findOne({ _id: toOnceId(once.key) }, { session: this.#session, ...limit }),
    );
    return met === null ? undefined : { kind: 'met', call, which: 'once' };
  }

  async #insert(records: readonly OfCall<OnceRecord>[], deadline: number): Promise<Met | undefined> {
    try {
      await this.#inTime(deadline, (limit) =>
        onceOf(this.#database).insertMany(
          records.map(({ value }) => value),
          { session: this.#session, ...limit },
        ),
      );
      return undefined;
    } catch (error) {
      const failed = firstWriteError(error);
      const met = failed?.code === codes.duplicateKey ? records[failed.index] : undefined;
      if (met === undefined) throw withoutBulk(error);
      return { kind: 'met', call: met.call, which: isNonce(met.value) ? 'nonce' : 'once' };
    }
  }

  /** False: somebody else names or removes one of them meanwhile. */
  async #hold(held: Work['held'], deadline: number): Promise<boolean> {
    try {
      const models = toHeldModels(held, this.#clock());
      await this.#inTime(deadline, (limit) => onceOf(this.#database).bulkWrite(models, { session: this.#session, ...limit }));
      return true;
    } catch (error) {
      if (firstWriteError(error)?.code === codes.duplicateKey) return false;
      throw withoutBulk(error);
    }
  }

  async #carryOut(run: readonly OfCall<Operation>[], deadline: number): Promise<Ended | undefined> {
    const [first] = run;
    if (first === undefined) return undefined;
    const models = toModels(run.map(({ value }) => value));
    try {
      await this.#inTime(deadline, (limit) =>
        this.#collection(first.value.resource).bulkWrite([...models], { ordered: true, session: this.#session, ...limit }),
      );
      return undefined;
    } catch (error) {
      const failed = firstWriteError(error);
      const blamed = failed === undefined ? undefined : run[failed.index];
      if (failed === undefined || blamed === undefined || hasLabel(error, 'TransientTransactionError')) throw withoutBulk(error);
      const ended = await this.#toRefusal(failed, blamed, deadline);
      if (ended === undefined) throw error;
      return ended;
    }
  }

  /** `undefined`: no document can be blamed. */
  async #toRefusal(
    failed: WriteFailure,
    { call, value: { resource, mutation } }: OfCall<Operation>,
    deadline: number,
  ): Promise<Ended | undefined> {
    const { code, errmsg, errInfo } = failed;
    if (code !== codes.duplicateKey) {
      const fault = code === codes.documentValidation ? toldInvalid(resource, toInvalid(errInfo)) : toRefusal(failed);
      return fault && { kind: 'refused', call, mutation, fault };
    }
    const name = indexNameIn(errmsg);
    // The snapshot is older than a document that is there: a conflict, though the server calls it a duplicate.
    if (name === '_id_') return conflict;
    const indexes = await this.#inTime(deadline, () => this.#collection(resource).listIndexes().toArray());
    const fields = Object.keys(indexes.find((index) => index['name'] === name)?.['key'] ?? {});
    return { kind: 'refused', call, mutation, fault: toConflict(toldFields(resource, fields), errmsg) };
  }

  /**
   * Sent again while its result is unknown: the server knows a transaction that it has committed. What stays
   * unknown is never tried from the start, or it might be applied twice.
   */
  async #commit(deadline: number): Promise<Ended | undefined> {
    for (;;) {
      try {
        await this.#inTime(deadline, () => this.#session.commitTransaction());
        return undefined;
      } catch (error) {
        const isUnknown = hasLabel(error, 'UnknownTransactionCommitResult') || isUnreachable(error);
        if (!isUnknown && hasLabel(error, 'TransientTransactionError')) return conflict;
        if (!isUnknown || performance.now() + storeLimits.lockRetryMs >= deadline) return { kind: 'unknown', error };
        await Bun.sleep(storeLimits.lockRetryMs);
      }
    }
  }

  async #inTime<T>(deadline: number, ask: (limit: { readonly maxTimeMS: number }) => Promise<T>): Promise<T> {
    const maxTimeMS = this.#left(deadline);
    return inTime(maxTimeMS, () => ask({ maxTimeMS }));
  }

  #left(deadline: number): number {
    const left = Math.ceil(deadline - performance.now());
    if (left <= 0) throw deadlineExceeded();
    return left;
  }

  #collection(resource: Resource) {
    return this.#database.collection<Stored>(resource.collection);
  }
}
