/**
 * One attempt of a group of writes as one transaction: read the documents, decide, then the records (nonce, idempotency) as
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
import { type Stored, toStoredId } from './documents.ts';
import type { Call } from './group-queue.ts';
import { codes, deadlineExceeded, hasLabel, toRefusal } from './errors.ts';
import { asBytes, mustBytes, toRawDocument, toTyped } from './raw-documents.ts';
import type { RawTexts } from './raw-texts.ts';
import { onceOf, type OnceRecord } from './system-collections.ts';

/** Of a call in a group: its outcomes, or what its own code threw. */
export type Result = readonly Outcome[] | { readonly thrown: unknown };

interface OfCall<T> {
  readonly call: Call;
  readonly value: T;
}

/** A nonce or an idempotency key that somebody has committed. */
export class RecordMet extends Error {
  readonly call: Call;
  readonly which: 'nonce' | 'once';

  constructor(call: Call, which: 'nonce' | 'once') {
    super(`this ${which} was used before`);
    this.call = call;
    this.which = which;
  }
}

export class MutationRefused extends Error {
  readonly call: Call;
  readonly mutation: number;
  readonly fault: Fault;

  constructor(call: Call, mutation: number, fault: Fault) {
    super(fault.message, { cause: fault });
    this.call = call;
    this.mutation = mutation;
    this.fault = fault;
  }
}

/** The snapshot was older than a document that is there: as a conflict, though the server calls it a duplicate. */
export class Stale extends Error {}

/** The commit was sent and not answered in time. */
export class CommitUnknown extends Error {}

export class Transaction {
  readonly #database: Db;
  readonly #session: ClientSession;
  readonly #texts: RawTexts;
  readonly #clock: () => number;

  constructor(given: { readonly database: Db; readonly session: ClientSession; readonly texts: RawTexts; readonly clock: () => number }) {
    this.#database = given.database;
    this.#session = given.session;
    this.#texts = given.texts;
    this.#clock = given.clock;
  }

  async attempt(calls: readonly Call[], deadline: number): Promise<ReadonlyMap<Call, Result>> {
    this.#session.startTransaction({ readConcern: { level: 'snapshot' }, writeConcern: { w: 'majority', journal: true } });
    const standing = await this.#read(calls.flatMap(({ mutations }) => mutations), deadline);
    const results = new Map<Call, Result>();
    const records: OfCall<OnceRecord>[] = [];
    const operations: OfCall<Operation>[] = [];
    for (const call of calls) {
      const decided = this.#decide(call, standing);
      results.set(call, 'thrown' in decided ? decided : decided.outcomes);
      if ('thrown' in decided) continue;
      records.push(...decided.records.map((value) => ({ call, value })));
      operations.push(...decided.operations.map((value) => ({ call, value })));
    }
    if (records.length === 0 && operations.length === 0) {
      await this.#session.abortTransaction(this.#within(deadline));
      return results;
    }
    if (records.length > 0) await this.#insert(records, deadline);
    for (const run of toRuns(operations, ({ value }) => value.resource.name)) await this.#carryOut(run, deadline);
    // The deadline of the most patient: the others' changes are in it, whoever still waits.
    await this.#commit(Math.max(...calls.map(({ options }) => options.deadline)));
    return results;
  }

  /** All documents of one resource in one question, with the types that they have. */
  async #read(mutations: readonly Mutation[], deadline: number): Promise<Map<string, Standing>> {
    const standing = new Map<string, Standing>();
    for (const [resource, ids] of byResource(mutations)) {
      const keys = [...ids].flatMap((id) => toStoredId(resource, id) ?? []);
      const found = await this.#collection(resource).find({ _id: { $in: keys } }, { session: this.#session, batchSize: keys.length + 1, ...asBytes, ...this.#within(deadline) }).toArray();
      const raw = found.flatMap((each) => toRawDocument(resource, mustBytes(each)) ?? []);
      const documents = await this.#texts.all(raw);
      raw.forEach(({ id, bytes }, index) => standing.set(keyOf({ resource, id }), { document: documents[index], stored: toTyped(bytes) }));
    }
    return standing;
  }

  /** A call whose code throws leaves nothing, and the calls behind it see nothing of it. */
  #decide(call: Call, standing: Map<string, Standing>): (Decided & { readonly records: readonly OnceRecord[] }) | { readonly thrown: unknown } {
    const own = new Map(call.mutations.flatMap((mutation) => {
      const found = standing.get(keyOf(mutation));
      return found === undefined ? [] : [[keyOf(mutation), found] as const];
    }));
    try {
      const decided = decideAll(call.mutations, own, call.refused);
      const records = this.#toRecords(call.options, decided);
      for (const [key, after] of own) standing.set(key, after);
      return { ...decided, records };
    } catch (thrown) {
      return { thrown };
    }
  }

  #toRecords({ nonce, once }: WriteOptions, { outcomes }: Decided): readonly OnceRecord[] {
    return [
      ...(nonce === undefined ? [] : [toNonce(nonce)]),
      ...(once === undefined ? [] : [{ _id: toOnceId(once.key), expiresAt: new Date(this.#clock() + storeLimits.onceMs), fingerprint: once.fingerprint, answer: once.answer(outcomes) }]),
    ];
  }

  async #insert(records: readonly OfCall<OnceRecord>[], deadline: number): Promise<void> {
    try {
      await onceOf(this.#database).insertMany(records.map(({ value }) => value), { session: this.#session, ...this.#within(deadline) });
    } catch (error) {
      const failed = firstWriteError(error);
      const met = failed?.code === codes.duplicateKey ? records[failed.index] : undefined;
      throw met === undefined ? error : new RecordMet(met.call, met.value._id.startsWith(noncePrefix) ? 'nonce' : 'once');
    }
  }

  async #carryOut(run: readonly OfCall<Operation>[], deadline: number): Promise<void> {
    const [first] = run;
    if (first === undefined) return;
    const models = toModels(run.map(({ value }) => value));
    try {
      await this.#collection(first.value.resource).bulkWrite([...models], { ordered: true, session: this.#session, ...this.#within(deadline) });
    } catch (error) {
      const failed = firstWriteError(error);
      const refused = failed === undefined ? undefined : run[failed.index];
      if (failed === undefined || refused === undefined || hasLabel(error, 'TransientTransactionError')) throw error;
      if (failed.code === codes.duplicateKey && /index: _id_/.test(failed.errmsg ?? '')) throw new Stale('another write made this document meanwhile', { cause: error });
      if (failed.code !== codes.duplicateKey && failed.code !== codes.documentValidation) throw error;
      throw new MutationRefused(refused.call, refused.value.mutation, toRefusal(failed));
    }
  }

  /**
   * Sent again while its result is unknown: the server knows a transaction that it has committed. What stays
   * unknown is never tried from the start, or it might be applied twice.
   */
  async #commit(deadline: number): Promise<void> {
    for (;;) {
      try {
        return await this.#session.commitTransaction(this.#within(deadline));
      } catch (error) {
        const isUnknown = hasLabel(error, 'UnknownTransactionCommitResult');
        if (!isUnknown && hasLabel(error, 'TransientTransactionError')) throw error;
        if (!isUnknown || this.#clock() + storeLimits.lockRetryMs >= deadline) throw new CommitUnknown('nobody told whether this was committed', { cause: error });
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
