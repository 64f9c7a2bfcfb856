/**
 * The one way to the database for everything that writes. Jobs queued in one tick share one transaction and
 * its fsync; they are told only after the COMMIT. A job that throws is undone and the others are not: the
 * group runs once more with a savepoint around each job. Savepoints from the start would cost every insert
 * a fourth of its time, and a job that has something to say without having written returns it instead. What jobs hold
 * back, to write it with what others hold, is written at the end of the group.
 *
 *   idle ──job──▶ scheduled ──▶ group ──commit──▶ idle, or scheduled when more wait
 *                    ▲            │ another process holds the lock
 *                    └──retryMs──── locked ──▶ jobs past their deadline: store_busy
 */
import type { Database } from 'bun:sqlite';
import { Fault, toFault } from '../../../../shared/wire/fault.ts';
import { ignore } from '../../surroundings.ts';
import type { Figures } from '../../../services/figures.ts';
import { storeLimits } from '../../limits.ts';
import { deadlineExceeded, isBusy, retryAfterOneSecond, storeBusy, storeClosed, toStoreFault, troubleOf } from '../connection/errors.ts';
import type { ChangeLog } from '../feed/log.ts';
import type { LogEnd } from '../feed/positions.ts';
import { nowMs } from '../install/ddl.ts';
import type { HeldInserts } from './held-inserts.ts';

export interface Committed<T> {
  readonly value: T;
  /** The log's end with this commit. */
  readonly end: LogEnd;
}

/** Whether what a job holds back may be written after it, with what the jobs behind it hold, or has to be when it ends. */
export type Among = 'others' | 'alone';

interface Job {
  readonly deadline: number;
  /** The rough number of mutations. */
  readonly size: number;
  run(among: Among): unknown;
  resolve(committed: Committed<unknown>): void;
  reject(error: unknown): void;
}

export interface Turns {
  /** Between two tries for the lock while another process has it. */
  readonly retryMs: number;
  /** Between two groups of what waits together, in which another process may take the lock. */
  readonly pauseMs: number;
}

type Result = { readonly value: unknown } | { readonly error: unknown };

interface GroupCommitOptions {
  readonly database: Database;
  readonly log: ChangeLog;
  /** What jobs hold back. */
  readonly held: HeldInserts;
  readonly clock: () => number;
  readonly onBegin: () => void;
  /** The times of turns with whoever else writes to the file. */
  readonly turns: Turns;
  /** Called after COMMIT and before the jobs' promises resolve. */
  readonly onCommit: (end: LogEnd) => void;
}

export class GroupCommit {
  readonly #options: GroupCommitOptions;
  readonly #statements;
  #queue: Job[] = [];
  readonly #counts = { transactions: 0, transactionRetries: 0 };
  /** Why the last try for the lock failed; while it is held, late jobs were late for that. */
  #locked: unknown;
  /** Why the last commit failed, where that is a matter of the file or its disk. */
  #trouble: string | undefined;
  #scheduled = false;
  #closed = false;
  #whenIdle: (() => void) | undefined;

  constructor(options: GroupCommitOptions) {
    this.#options = options;
    const prepare = (sql: string) => options.database.prepare<null, []>(sql);
    this.#statements = {
      begin: prepare('BEGIN IMMEDIATE'), commit: prepare('COMMIT'), rollback: prepare('ROLLBACK'),
      enter: prepare(`INSERT INTO "_own" VALUES (${nowMs})`), leave: prepare('DELETE FROM "_own"'),
      savepoint: prepare('SAVEPOINT job'), release: prepare('RELEASE job'), undo: prepare('ROLLBACK TO job'),
    };
  }

  /** Queues a job: `run` is called inside the transaction, twice when a job of its group throws; it must not wait. */
  commit<T>(job: {
    readonly deadline: number;
    readonly size: number;
    run(among: Among): T extends PromiseLike<unknown> ? never : T;
  }): Promise<Committed<T>> {
    if (this.#closed) return Promise.reject(storeClosed());
    if (this.#queue.length >= storeLimits.writesQueuedMax) {
      return Promise.reject(new Fault('overloaded', { detail: 'too many writes are waiting', headers: retryAfterOneSecond }));
    }
    return new Promise<Committed<T>>((resolve, reject) => {
      this.#queue.push({ ...job, run: (among) => job.run(among), resolve: (committed) => resolve(asCommitted<T>(committed)), reject });
      this.#schedule(0);
    });
  }

  /**
   * What keeps the store from being written to. Asked while there is something, it is tried again: each commit writes at
   * least the page of `_own`, so one that succeeds shows that the trouble is over, though nobody else writes.
   */
  trouble(): string | undefined {
    if (this.#trouble !== undefined && !this.#closed && this.#queue.length === 0) {
      this.commit({ deadline: this.#options.clock() + storeLimits.ownWriteMsMax, size: 1, run: () => undefined }).catch(ignore);
    }
    return this.#trouble;
  }

  figures(): Figures {
    return { ...this.#counts, writesWaiting: this.#queue.length, writesWaitingMax: storeLimits.writesQueuedMax };
  }

  /** Ends when what was accepted is committed or refused. */
  async close(): Promise<void> {
    this.#closed = true;
    if (this.#queue.length > 0 || this.#scheduled) await new Promise<void>((resolve) => (this.#whenIdle = resolve));
  }

  #schedule(ms: number): void {
    if (this.#scheduled) return;
    this.#scheduled = true;
    if (ms === 0) setImmediate(() => this.#next());
    else setTimeout(() => this.#next(), ms);
  }

  #next(): void {
    this.#scheduled = false;
    this.#dropLate();
    if (this.#queue.length > 0 && !this.#begin()) this.#schedule(this.#options.turns.retryMs);
    else if (this.#queue.length > 0) this.#commitGroup(this.#takeGroup());
    if (this.#queue.length > 0) this.#schedule(this.#options.turns.pauseMs);
    else if (!this.#scheduled) this.#whenIdle?.();
  }

  #begin(): boolean {
    try {
      this.#enter();
      this.#locked = undefined;
      return true;
    } catch (error) {
      if (this.#options.database.inTransaction) this.#statements.rollback.run();
      this.#locked = isBusy(error) ? error : undefined;
      this.#counts.transactionRetries++;
      if (isBusy(error)) this.#dropLate(this.#options.turns.retryMs);
      else this.#queue.splice(0).forEach((job) => job.reject(toStoreFault(error)));
      this.#trouble = troubleOf(error) ?? this.#trouble;
      return false;
    }
  }

  /** Shows triggers that the transaction is ours (system-records.ts, `own`). */
  #enter(): void {
    this.#options.onBegin();
    this.#statements.begin.run();
    this.#statements.enter.run();
  }

  /** Refuses jobs whose time is over, or will be in `ms`. */
  #dropLate(ms = 0): void {
    const late = this.#options.clock() + ms;
    if (!this.#queue.some((job) => job.deadline <= late)) return;
    const [gone, left] = [this.#queue.filter((job) => job.deadline <= late), this.#queue.filter((job) => job.deadline > late)];
    this.#queue = left;
    for (const job of gone) job.reject(this.#locked === undefined ? deadlineExceeded() : storeBusy(this.#locked));
  }

  #takeGroup(): readonly Job[] {
    let size = 0;
    const end = this.#queue.findIndex((job, index) => (size += job.size) > storeLimits.groupMutationsMax && index > 0);
    return this.#queue.splice(0, end < 0 ? this.#queue.length : end);
  }

  #commitGroup(group: readonly Job[]): void {
    let results: readonly Result[];
    let end: LogEnd;
    try {
      results = this.#runAll(group) ?? this.#runApart(group);
      end = this.#options.log.mustEnd();
      this.#statements.leave.run();
      this.#statements.commit.run();
    } catch (error) {
      if (this.#options.database.inTransaction) this.#statements.rollback.run();
      this.#trouble = troubleOf(error) ?? this.#trouble;
      for (const job of group) job.reject(toStoreFault(error));
      return;
    }
    this.#trouble = undefined;
    this.#counts.transactions++;
    this.#options.onCommit(end);
    for (const [index, job] of group.entries()) settle(job, results[index], end);
  }

  /** Runs all jobs; `undefined` where one threw: all are undone and the transaction is begun anew. */
  #runAll(group: readonly Job[]): readonly Result[] | undefined {
    try {
      const results = group.map((job) => ({ value: mustBeNow(job.run('others')) }));
      this.#options.held.write();
      return results;
    } catch (error) {
      this.#options.held.drop();
      if (!this.#options.database.inTransaction) throw error;
      this.#statements.rollback.run();
      this.#counts.transactionRetries++;
      this.#enter();
      return undefined;
    }
  }

  #runApart(group: readonly Job[]): readonly Result[] {
    return group.map((job) => this.#runOne(job));
  }

  /** Runs one job; throws when SQLite gave up the whole transaction (disk full, I/O error): no job of it is written then. */
  #runOne(job: Job): Result {
    this.#statements.savepoint.run();
    try {
      const value = mustBeNow(job.run('alone'));
      this.#statements.release.run();
      return { value };
    } catch (error) {
      this.#options.held.drop();
      if (!this.#options.database.inTransaction) throw error;
      this.#statements.undo.run();
      this.#statements.release.run();
      return { error: toStoreFault(error) };
    }
  }
}

function mustBeNow(value: unknown): unknown {
  if (value instanceof Promise) throw new Error('a write ran asynchronously inside a transaction');
  return value;
}

function settle(job: Job, result: Result | undefined, end: LogEnd): void {
  if (result === undefined) job.reject(toFault(new Error('a job of a group has no result')));
  else if ('error' in result) job.reject(result.error);
  else job.resolve({ value: result.value, end });
}

/** A result with the type of its job's `run`, which returned the value. */
function asCommitted<T>(committed: Committed<unknown>): Committed<T> {
  return committed as Committed<T>;
}
