/** `write()`: attempts of one transaction for a group of calls, until each is committed, answered from a record, or out of time. */
import { type ClientSession, type Db, MongoError, type MongoClient } from 'mongodb';
import { Fault } from '../../../../shared/wire/fault.ts';
import type { Figures } from '../../../services/figures.ts';
import { storeLimits } from '../../limits.ts';
import type { Mutation, WriteOptions, Written } from '../../store.ts';
import { mustOperationTime } from '../connection/cluster-time.ts';
import type { Attempt, Met, Result } from './attempt.ts';
import { keyOf } from './standings.ts';
import { codeOf, codes, deadlineExceeded, isOutOfReach, toStoreFault } from '../connection/errors.ts';
import { type Call, GroupQueue, halved } from './group-queue.ts';
import type { Head } from '../feed/head.ts';
import { inTime } from '../connection/in-time.ts';
import type { RawTexts } from '../read/raw-texts.ts';
import type { Installation } from '../install/installation.ts';
import { onceOf } from '../install/system-records.ts';
import { toNonce, toOnceId } from './once-records.ts';
import { LeftOpen } from './left-open.ts';
import { Transaction } from './transaction.ts';

export interface WriterOptions {
  readonly client: MongoClient;
  readonly database: Db;
  readonly texts: RawTexts;
  readonly head: Head;
  readonly clock: () => number;
  readonly installation: Pick<Installation, 'mayBeOdd' | 'mustHint' | 'mustUniqueHint'>;
}

/** Connections that break are tried anew for so long; together with the wait for a primary, the answer comes within 2 s. */
const lostMsMax = 300;

/**
 * A group that still meets conflicts is halved: one of its documents may be held by a transaction that a killed program left
 * open (left-open.ts), and its neighbours shall not wait for it.
 */
const conflictsTogetherMax = 2;

/** Conflicts among writers that live are over sooner: who meets them for longer has what was left open looked for. */
const conflictsMsMax = 250;

export class Writer {
  readonly #options: WriterOptions;
  readonly #queue: GroupQueue;
  readonly #leftOpen: LeftOpen;
  readonly #ending = new Set<Promise<void>>();
  readonly #counts = { transactions: 0, transactionRetries: 0 };

  constructor(options: WriterOptions) {
    this.#options = options;
    this.#leftOpen = new LeftOpen(options.client);
    this.#queue = new GroupQueue({ run: (calls) => this.#untilSettled(calls), late: ({ options: of }) => late(of) });
  }

  figures(): Figures {
    return { ...this.#counts, writesWaiting: this.#queue.length, writesWaitingMax: storeLimits.writesQueuedMax };
  }

  async write(mutations: readonly Mutation[], given: WriteOptions): Promise<Written> {
    const { nonce, once, cursor, deadline } = given;
    const options = { ...given, deadline: performance.now() + deadline - this.#options.clock() };
    const msLeft = toLeft(options);
    if (mutations.length === 0 && nonce === undefined && once === undefined && cursor === undefined)
      return { outcomes: [], position: await inTime(msLeft, () => this.#options.head.refresh()), replayed: undefined };
    if (this.#queue.length >= storeLimits.writesQueuedMax) {
      throw new Fault('overloaded', { detail: 'too many writes wait for the database', headers: { 'retry-after': '1' } });
    }
    const records = [
      ...(nonce === undefined ? [] : [toNonce(nonce)._id]),
      ...(once === undefined ? [] : [toOnceId(once.key)]),
      ...(cursor === undefined ? [] : [`cursor:${cursor.consumer}`]),
    ];
    return this.#queue.submit({
      mutations, options, records, keys: [...mutations.map(keyOf), ...records], refused: new Map(),
      settled: Promise.withResolvers(), since: performance.now(),
    });
  }

  /** What failed attempts left open on the server is closed. */
  async close(): Promise<void> {
    await Promise.allSettled([...this.#ending, this.#leftOpen.close()]);
  }

  async #untilSettled(calls: readonly Call[]): Promise<void> {
    try {
      await this.#attempts(calls);
    } catch (error) {
      for (const { settled } of calls) settled.reject(error);
    }
  }

  async #attempts(calls: readonly Call[]): Promise<void> {
    let left = calls;
    let lostAtMs = Number.POSITIVE_INFINITY;
    let metAtMs = Number.POSITIVE_INFINITY;
    for (let tries = 0; ; tries++) {
      left = left.filter((call) => this.#isInTime(call));
      if (left.length === 0) return;
      if (tries > 0) this.#counts.transactionRetries++;
      const deadline = Math.min(...left.map(({ options }) => options.deadline));
      const attempt = await this.#attempt(left, deadline, tries > 0);
      switch (attempt.kind) {
        case 'settled':
          return;
        case 'refused':
          attempt.call.refused.set(attempt.mutation, attempt.fault);
          break;
        case 'met':
          if (await this.#answerFromRecord(attempt)) left = left.filter((call) => call !== attempt.call);
          break;
        case 'unreachable':
          lostAtMs = Math.min(lostAtMs, performance.now());
          if (isOutOfReach(attempt.error) || performance.now() - lostAtMs > lostMsMax) return this.#giveUp(left, attempt.error);
          await this.#pause(deadline, tries);
          break;
        case 'conflict': {
          const halves = tries < conflictsTogetherMax ? undefined : halved(left);
          if (halves !== undefined) return void (await Promise.all(halves.map((half) => this.#untilSettled(half))));
          metAtMs = Math.min(metAtMs, performance.now());
          if (performance.now() - metAtMs > conflictsMsMax) this.#leftOpen.end();
          await this.#pause(deadline, tries);
          break;
        }
        case 'unknown':
          return rejectAsUnknown(left, attempt.error);
        case 'failed':
          return this.#fail(left, attempt.error);
      }
    }
  }

  async #attempt(calls: readonly Call[], deadline: number, asksAll: boolean): Promise<Attempt> {
    const { client, database, texts, clock, installation } = this.#options;
    const session = client.startSession();
    try {
      const attempt = await new Transaction({ database, session, texts, clock, installation, asksAll }).attempt(calls, deadline);
      if (attempt.kind === 'settled') await this.#settle(attempt.results, session, deadline);
      return attempt;
    } finally {
      this.#end(session);
    }
  }

  /** Not waited for: without a primary the abort of an attempt looks for one, and its outcome changes nothing. */
  #end(session: ClientSession): void {
    const ended: Promise<void> = session.endSession().catch(ignoreAbort).finally(() => this.#ending.delete(ended));
    this.#ending.add(ended);
  }

  async #settle(results: ReadonlyMap<Call, Result>, session: ClientSession, deadline: number): Promise<void> {
    this.#counts.transactions++;
    const { head } = this.#options;
    // What was refused before anything was asked of the server has no time of its own.
    const hasAsked = session.operationTime !== undefined;
    const position = hasAsked ? head.moveTo(mustOperationTime(session)) : await inTime(toLeft({ deadline }), () => head.refresh());
    for (const [{ settled }, result] of results) {
      if ('thrown' in result) settled.reject(result.thrown);
      else settled.resolve({ outcomes: result, position, replayed: undefined });
    }
  }

  /** Those that wait behind are refused too: they would wait as long once more, one after the other. */
  #giveUp(calls: readonly Call[], error: unknown): void {
    rejectAll(calls, error);
    this.#queue.refuse(lostMsMax, toStoreFault(error));
  }

  /** One call's fault is not its neighbours': each goes its own way. */
  async #fail(calls: readonly Call[], error: unknown): Promise<void> {
    if (calls.length === 1) rejectAll(calls, error);
    else for (const call of calls) await this.#untilSettled([call]);
  }

  /** False: the record has expired meanwhile, and the call is a new one. */
  async #answerFromRecord({ call, which }: Met): Promise<boolean> {
    try {
      const written = which === 'nonce' ? replayedHop() : await inTime(toLeft(call.options), () => this.#replay(call.options));
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
    const record =
      once === undefined
        ? null
        : await records.findOne({ _id: toOnceId(once.key) }, { readConcern: { level: 'majority' }, maxTimeMS: toLeft(options) });
    if (record === null) return undefined;
    if (record.expiresAt.getTime() <= clock()) {
      await records.deleteOne({ _id: record._id, expiresAt: record.expiresAt }, { maxTimeMS: toLeft(options) });
      return undefined;
    }
    if (nonce !== undefined) await records.insertOne(toNonce(nonce), { maxTimeMS: toLeft(options) }).catch(replayedIfKnown);
    if (record.fingerprint !== once?.fingerprint) throw new Fault('idempotency_mismatch');
    return { outcomes: [], position: await head.refresh(), replayed: record.answer };
  }

  #isInTime({ options, settled }: Call): boolean {
    const isInTime = performance.now() < options.deadline;
    if (!isInTime) settled.reject(late(options));
    return isInTime;
  }

  /** Longer each time, and never the same: those that met once shall not meet again. */
  async #pause(deadline: number, tries: number): Promise<void> {
    const ms = Math.random() * Math.min(100, 2 ** tries * 2);
    await Bun.sleep(Math.max(0, Math.min(ms, deadline - performance.now())));
  }
}

function rejectAll(calls: readonly Call[], error: unknown): void {
  for (const { settled, options } of calls) settled.reject(isLate(error, options) ? late(options, error) : toStoreFault(error));
}

/** Never tried from the start, or what was committed might be applied twice. */
function rejectAsUnknown(calls: readonly Call[], error: unknown): void {
  const cause = new Error('nobody told whether this was committed', { cause: error });
  for (const { settled, options } of calls) settled.reject(late(options, cause));
}

function toLeft({ deadline }: Pick<WriteOptions, 'deadline'>): number {
  const left = Math.ceil(deadline - performance.now());
  if (left <= 0) throw deadlineExceeded();
  return left;
}

/** Its own wait was over, or the server's, or something failed at its very end. */
function isLate(error: unknown, { deadline }: WriteOptions): boolean {
  const fault = toStoreFault(error);
  return (fault instanceof Fault && fault.reason === 'deadline_exceeded') || (error instanceof MongoError && performance.now() >= deadline);
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
