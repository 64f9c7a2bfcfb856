/** `write()`: attempts of one transaction for a group of calls, until each is committed, answered from a record, or out of time. */
import { type ClientSession, type Db, MongoError, type MongoClient } from 'mongodb';
import { Fault } from '../../../shared/contract/fault.ts';
import { storeLimits } from '../limits.ts';
import type { Mutation, WriteOptions, Written } from '../store.ts';
import { keyOf } from './decide.ts';
import { codeOf, codes, deadlineExceeded, hasLabel, isOutOfReach, toStoreFault } from './errors.ts';
import { type Call, GroupQueue } from './group-queue.ts';
import { type Head, mustOperationTime } from './head.ts';
import type { RawTexts } from './raw-texts.ts';
import { onceOf } from './system-collections.ts';
import { CommitUnknown, MutationRefused, RecordMet, type Result, Stale, toNonce, toOnceId, Transaction } from './transaction.ts';

export interface WriterOptions {
  readonly client: MongoClient;
  readonly database: Db;
  readonly texts: RawTexts;
  readonly head: Head;
  readonly clock: () => number;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #queue: GroupQueue;
  readonly #ending = new Set<Promise<void>>();

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#queue = new GroupQueue({ clock: options.clock, run: (calls) => this.#untilSettled(calls), late: ({ options: of }) => late(of) });
  }

  async write(mutations: readonly Mutation[], options: WriteOptions): Promise<Written> {
    const { nonce, once } = options;
    const timeoutMS = this.#left(options);
    if (mutations.length === 0 && nonce === undefined && once === undefined)
      return { outcomes: [], position: await this.#options.head.refresh({ timeoutMS }), replayed: undefined };
    if (this.#queue.length >= storeLimits.writesQueuedMax) throw new Fault('overloaded', { detail: 'too many writes wait for the database', headers: { 'retry-after': '1' } });
    const records = [...(nonce === undefined ? [] : [toNonce(nonce)._id]), ...(once === undefined ? [] : [toOnceId(once.key)])];
    return this.#queue.submit({ mutations, options, records, keys: [...mutations.map(keyOf), ...records], refused: new Map(), settled: Promise.withResolvers() });
  }

  /** What failed attempts left open on the server is closed. */
  async close(): Promise<void> {
    await Promise.allSettled(this.#ending);
  }

  async #untilSettled(calls: readonly Call[]): Promise<void> {
    try {
      await this.#attempts(calls);
    } catch (error) {
      for (const { settled } of calls) settled.reject(error);
    }
  }

  async #attempts(calls: readonly Call[]): Promise<void> {
    const { client, database, texts, clock } = this.#options;
    let left = calls;
    for (let tries = 0; ; tries++) {
      left = left.filter((call) => this.#isInTime(call));
      if (left.length === 0) return;
      const deadline = Math.min(...left.map(({ options }) => options.deadline));
      const session = client.startSession();
      try {
        const results = await new Transaction({ database, session, texts, clock }).attempt(left, deadline);
        return this.#settle(results, session);
      } catch (error) {
        left = await this.#afterFailure(left, error);
        if (left.length > 0 && !(error instanceof MutationRefused) && !(error instanceof RecordMet)) await this.#pause(deadline, tries);
      } finally {
        this.#end(session);
      }
    }
  }

  /** Not waited for: without a primary the abort of an attempt looks for one for 2 s, and its outcome changes nothing. */
  #end(session: ClientSession): void {
    const ended: Promise<void> = session.endSession().catch(ignoreAbort).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  #settle(results: ReadonlyMap<Call, Result>, session: ClientSession): void {
    const position = this.#options.head.moveTo(mustOperationTime(session));
    for (const [{ settled }, result] of results) {
      if ('thrown' in result) settled.reject(result.thrown);
      else settled.resolve({ outcomes: result, position, replayed: undefined });
    }
  }

  /** Those that are to be tried again; the others are settled. */
  async #afterFailure(calls: readonly Call[], error: unknown): Promise<readonly Call[]> {
    if (error instanceof MutationRefused) {
      error.call.refused.set(error.mutation, error.fault);
      return calls;
    }
    if (error instanceof RecordMet) return (await this.#answerFromRecord(error)) ? calls.filter((call) => call !== error.call) : calls;
    if (error instanceof Stale || (hasLabel(error, 'TransientTransactionError') && !isOutOfReach(error))) return calls;
    if (error instanceof CommitUnknown) {
      for (const { settled, options } of calls) settled.reject(late(options, error));
      return [];
    }
    const [, second] = calls;
    // One call's fault is not its neighbours': each goes its own way.
    if (second !== undefined && !isOutOfReach(error)) {
      for (const call of calls) await this.#untilSettled([call]);
      return [];
    }
    for (const { settled, options } of calls) settled.reject(error instanceof MongoError && this.#options.clock() >= options.deadline ? late(options, error) : toStoreFault(error));
    return [];
  }

  /** False: the record has expired meanwhile, and the call is a new one. */
  async #answerFromRecord({ call, which }: RecordMet): Promise<boolean> {
    try {
      const written = which === 'nonce' ? replayedHop() : await this.#replay(call.options);
      if (written !== undefined) call.settled.resolve(written);
      return written !== undefined;
    } catch (error) {
      call.settled.reject(toStoreFault(error));
      return true;
    }
  }

  /** The recorded answer. The nonce of this request is spent all the same. */
  async #replay(options: WriteOptions): Promise<Written | undefined> {
    const { database, head, clock } = this.#options;
    const { nonce, once } = options;
    const records = onceOf(database);
    const record = once === undefined ? null : await records.findOne({ _id: toOnceId(once.key) }, { readConcern: { level: 'majority' }, timeoutMS: this.#left(options) });
    if (record === null) return undefined;
    if (record.expiresAt.getTime() <= clock()) {
      await records.deleteOne({ _id: record._id, expiresAt: record.expiresAt }, { timeoutMS: this.#left(options) });
      return undefined;
    }
    if (nonce !== undefined) await records.insertOne(toNonce(nonce), { timeoutMS: this.#left(options) }).catch(replayedIfKnown);
    if (record.fingerprint !== once?.fingerprint) throw new Fault('idempotency_mismatch');
    return { outcomes: [], position: await head.refresh({ timeoutMS: this.#left(options) }), replayed: record.answer };
  }

  #isInTime({ options, settled }: Call): boolean {
    const isInTime = this.#options.clock() < options.deadline;
    if (!isInTime) settled.reject(late(options));
    return isInTime;
  }

  /** Longer each time, and never the same: those that met once shall not meet again. */
  async #pause(deadline: number, tries: number): Promise<void> {
    const ms = Math.random() * Math.min(100, 2 ** tries * 2);
    await Bun.sleep(Math.max(0, Math.min(ms, deadline - this.#options.clock())));
  }

  #left({ deadline }: WriteOptions): number {
    const left = Math.ceil(deadline - this.#options.clock());
    if (left <= 0) throw deadlineExceeded();
    return left;
  }
}

/** A key that somebody else was still working under. */
function late({ once }: WriteOptions, cause?: unknown): Fault {
  return once === undefined ? deadlineExceeded(cause) : new Fault('idempotency_running', { headers: { 'retry-after': '1' }, cause });
}

function replayedHop(): never {
  throw new Fault('hop_replayed');
}

function replayedIfKnown(error: unknown): void {
  throw codeOf(error) === codes.duplicateKey ? new Fault('hop_replayed') : error;
}

/** An attempt that failed is over on the server, or ends there by itself. */
function ignoreAbort(): void {}
