/**
 * One attempt of a write as one transaction: read the documents, decide, then the records (nonce, idempotency) as
 * its first insert, the documents, the commit. Whatever is thrown leaves nothing behind.
 *
 *   find ──▶ decide ──▶ insert records ──▶ bulk writes ──▶ commit ──▶ committed
 *    │                      │ met before: RecordMet │ refused: MutationRefused │ result unknown: commit again
 *    └──────────────────────┴── conflict, election, lost connection: labelled, and tried again from the start
 */
import { type ClientSession, type Db, MongoBulkWriteError } from 'mongodb';
import type { Fault } from '../../../shared/contract/fault.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { storeLimits } from '../limits.ts';
import type { Mutation, Outcome, WriteOptions } from '../store.ts';
import { type Decided, decideAll, keyOf, type Operation, type Standing, toModels, toRuns } from './decide.ts';
import { fromStoredId, type Stored, toDocument, toStoredId } from './documents.ts';
import { codes, deadlineExceeded, hasLabel, toRefusal } from './errors.ts';
import { onceOf, type OnceRecord } from './system-collections.ts';

export interface Call {
  readonly mutations: readonly Mutation[];
  readonly options: WriteOptions;
  /** What the database refused in earlier attempts, by number of the mutation. */
  readonly refused: Map<number, Fault>;
}

/** A nonce or an idempotency key that somebody has committed. */
export class RecordMet extends Error {
  readonly which: 'nonce' | 'once';

  constructor(which: 'nonce' | 'once') {
    super(`this ${which} was used before`);
    this.which = which;
  }
}

export class MutationRefused extends Error {
  readonly mutation: number;
  readonly fault: Fault;

  constructor(mutation: number, fault: Fault) {
    super(fault.message, { cause: fault });
    this.mutation = mutation;
    this.fault = fault;
  }
}

/** The snapshot was older than a document that is there: as a conflict, though the server calls it a duplicate. */
export class Stale extends Error {}

export class Transaction {
  readonly #database: Db;
  readonly #session: ClientSession;
  readonly #clock: () => number;

  constructor(given: { readonly database: Db; readonly session: ClientSession; readonly clock: () => number }) {
    this.#database = given.database;
    this.#session = given.session;
    this.#clock = given.clock;
  }

  async attempt({ mutations, options, refused }: Call): Promise<readonly Outcome[]> {
    const { deadline } = options;
    this.#session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true } });
    const standing = await this.#read(mutations, deadline);
    const decided = decideAll(mutations, standing, refused);
    const records = this.#toRecords(options, decided);
    if (records.length === 0 && decided.operations.length === 0) {
      await this.abort(deadline);
      return decided.outcomes;
    }
    if (records.length > 0) await this.#insert(records, options);
    for (const run of toRuns(decided.operations)) await this.#carryOut(run, deadline);
    await this.#commit(deadline);
    return decided.outcomes;
  }

  async abort(deadline: number): Promise<void> {
    if (this.#session.inTransaction()) await this.#session.abortTransaction(this.#within(deadline));
  }

  /** All documents of one resource in one question, with the types that they have. */
  async #read(mutations: readonly Mutation[], deadline: number): Promise<Map<string, Standing>> {
    const standing = new Map<string, Standing>();
    for (const [resource, ids] of byResource(mutations)) {
      const keys = [...ids].flatMap((id) => toStoredId(resource, id) ?? []);
      const found = await this.#collection(resource).find({ _id: { $in: keys } }, { session: this.#session, promoteValues: false, batchSize: keys.length + 1, ...this.#within(deadline) }).toArray();
      for (const stored of found) {
        const id = fromStoredId(resource, stored._id);
        if (id !== undefined) standing.set(keyOf({ resource, id }), { document: toDocument(id, stored), stored });
      }
    }
    return standing;
  }

  #toRecords({ nonce, once }: WriteOptions, { outcomes }: Decided): readonly OnceRecord[] {
    return [
      ...(nonce === undefined ? [] : [toNonce(nonce)]),
      ...(once === undefined ? [] : [{ _id: toOnceId(once.key), expiresAt: new Date(this.#clock() + storeLimits.onceMs), fingerprint: once.fingerprint, answer: once.answer(outcomes) }]),
    ];
  }

  async #insert(records: readonly OnceRecord[], { deadline }: WriteOptions): Promise<void> {
    try {
      await onceOf(this.#database).insertMany([...records], { session: this.#session, ...this.#within(deadline) });
    } catch (error) {
      const failed = firstWriteError(error);
      if (failed?.code !== codes.duplicateKey) throw error;
      throw new RecordMet(records[failed.index]?._id.startsWith(noncePrefix) === true ? 'nonce' : 'once');
    }
  }

  async #carryOut(run: readonly Operation[], deadline: number): Promise<void> {
    const [first] = run;
    if (first === undefined) return;
    try {
      await this.#collection(first.resource).bulkWrite([...toModels(run)], { ordered: true, session: this.#session, ...this.#within(deadline) });
    } catch (error) {
      const failed = firstWriteError(error);
      const mutation = failed === undefined ? undefined : run[failed.index]?.mutation;
      if (failed === undefined || mutation === undefined || hasLabel(error, 'TransientTransactionError')) throw error;
      if (failed.code === codes.duplicateKey && /index: _id_/.test(failed.errmsg ?? '')) throw new Stale('another write made this document meanwhile', { cause: error });
      if (failed.code !== codes.duplicateKey && failed.code !== codes.documentValidation) throw error;
      throw new MutationRefused(mutation, toRefusal(failed));
    }
  }

  /** Sent again while its result is unknown: the server knows a transaction that it has committed. */
  async #commit(deadline: number): Promise<void> {
    for (;;) {
      try {
        return await this.#session.commitTransaction(this.#within(deadline));
      } catch (error) {
        if (!hasLabel(error, 'UnknownTransactionCommitResult') || hasLabel(error, 'TransientTransactionError')) throw error;
        if (this.#clock() + storeLimits.lockRetryMs >= deadline) throw deadlineExceeded(error);
        await Bun.sleep(storeLimits.lockRetryMs);
      }
    }
  }

  #within(deadline: number): { readonly timeoutMS: number } {
    const timeoutMS = Math.ceil(deadline - this.#clock());
    if (timeoutMS <= 0) throw deadlineExceeded();
    return { timeoutMS };
  }

  #collection(resource: Resource) {
    return this.#database.collection<Stored>(resource.name);
  }
}

const noncePrefix = 'nonce:';

export function toNonce({ value, expiresAt }: NonNullable<WriteOptions['nonce']>): OnceRecord {
  return { _id: noncePrefix + value, expiresAt: new Date(expiresAt) };
}

export function toOnceId(key: string): string {
  return `once:${key}`;
}

interface WriteFailure {
  readonly index: number;
  readonly code: number;
  readonly errmsg: string | undefined;
  readonly errInfo: unknown;
}

function firstWriteError(error: unknown): WriteFailure | undefined {
  if (!(error instanceof MongoBulkWriteError)) return undefined;
  const first = Array.isArray(error.writeErrors) ? error.writeErrors[0] : error.writeErrors;
  return first === undefined ? undefined : { index: first.index, code: first.code, errmsg: first.errmsg, errInfo: first.err.errInfo };
}

function byResource(mutations: readonly Mutation[]): ReadonlyMap<Resource, ReadonlySet<string>> {
  const found = new Map<Resource, Set<string>>();
  for (const { resource, id } of mutations) found.set(resource, (found.get(resource) ?? new Set()).add(id));
  return found;
}
