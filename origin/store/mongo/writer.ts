/** `write()`: attempts of one transaction until it is committed, answered from a record, or out of time. */
import { type Db, MongoError, type MongoClient } from 'mongodb';
import { Fault } from '../../../shared/contract/fault.ts';
import type { Mutation, WriteOptions, Written } from '../store.ts';
import { keyOf } from './decide.ts';
import { codeOf, codes, deadlineExceeded, hasLabel, isOutOfReach, toStoreFault } from './errors.ts';
import { type Head, mustOperationTime } from './head.ts';
import { Locks } from './locks.ts';
import { onceOf } from './system-collections.ts';
import { type Call, MutationRefused, RecordMet, Stale, toNonce, toOnceId, Transaction } from './transaction.ts';

export interface WriterOptions {
  readonly client: MongoClient;
  readonly database: Db;
  readonly head: Head;
  readonly clock: () => number;
}

export class Writer {
  readonly #options: WriterOptions;
  readonly #locks = new Locks();

  constructor(options: WriterOptions) {
    this.#options = options;
  }

  async write(mutations: readonly Mutation[], options: WriteOptions): Promise<Written> {
    const { nonce, once } = options;
    const timeoutMS = this.#left(options);
    if (mutations.length === 0 && nonce === undefined && once === undefined)
      return { outcomes: [], position: await this.#options.head.refresh({ timeoutMS }), replayed: undefined };
    const keys = [...mutations.map(keyOf), ...(nonce === undefined ? [] : [toNonce(nonce)._id]), ...(once === undefined ? [] : [toOnceId(once.key)])];
    return this.#locks.hold(keys, timeoutMS, () => this.#untilCommitted({ mutations, options, refused: new Map() }), () => late(options));
  }

  async #untilCommitted(call: Call): Promise<Written> {
    const { client, database, head, clock } = this.#options;
    const session = client.startSession();
    const transaction = new Transaction({ database, session, clock });
    try {
      for (let tries = 0; ; tries++) {
        try {
          const outcomes = await transaction.attempt(call);
          return { outcomes, position: head.moveTo(mustOperationTime(session)), replayed: undefined };
        } catch (error) {
          await transaction.abort(call.options.deadline).catch(ignoreAbort);
          const answered = await this.#afterFailure(call, error);
          if (answered !== undefined) return answered;
          if (!(error instanceof MutationRefused)) await this.#pause(call.options, tries);
        }
      }
    } finally {
      await session.endSession();
    }
  }

  /** `undefined`: to be tried again. */
  async #afterFailure(call: Call, error: unknown): Promise<Written | undefined> {
    if (error instanceof MutationRefused) {
      call.refused.set(error.mutation, error.fault);
      return undefined;
    }
    if (error instanceof RecordMet) return error.which === 'nonce' ? replayedHop() : this.#replay(call.options);
    if (error instanceof Stale || (hasLabel(error, 'TransientTransactionError') && !isOutOfReach(error))) return undefined;
    throw error instanceof MongoError && this.#options.clock() >= call.options.deadline ? late(call.options, error) : toStoreFault(error);
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

  /** Longer each time, and never the same: those that met once shall not meet again. */
  async #pause(options: WriteOptions, tries: number): Promise<void> {
    const ms = Math.random() * Math.min(100, 2 ** tries * 2);
    if (this.#options.clock() + ms >= options.deadline) throw late(options);
    await Bun.sleep(ms);
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
