/**
 * Order among the writes of one process. Those that share a document, a nonce, an idempotency key or a cursor wait for each
 * other here, instead of meeting in the database as conflicts that are thrown away and tried again. What waits when
 * its turn comes is one group, hence one transaction; what shares nothing with a running group does not wait.
 *
 *   submit ──▶ WAITING ── no key is taken ──▶ RUNNING (one group) ──▶ settled
 *                 └── its deadline passes ──▶ refused
 */
import type { Fault } from '../../../../shared/wire/fault.ts';
import { storeLimits } from '../../limits.ts';
import type { Mutation, WriteOptions, Written } from '../../store.ts';

/** One `write()`. Its deadline is by `performance.now()`: no clock that is set while it waits moves it. */
export interface Call {
  readonly mutations: readonly Mutation[];
  readonly options: WriteOptions;
  /** Documents, nonce, idempotency key and cursor. */
  readonly keys: readonly string[];
  /** The `keys` that only one call of a group may have: the second must meet what the first committed. */
  readonly records: readonly string[];
  /** What the database refused in earlier attempts, by number of the mutation. */
  readonly refused: Map<number, Fault>;
  readonly settled: PromiseWithResolvers<Written>;
  /** `performance.now()` when it came. */
  readonly since: number;
}

export interface GroupQueueOptions {
  /** Settles every call; never throws. */
  run(calls: readonly Call[]): Promise<void>;
  late(call: Call): Error;
}

export class GroupQueue {
  readonly #options: GroupQueueOptions;
  readonly #waiting = new Set<Call>();
  readonly #taken = new Set<string>();
  #isScheduled = false;

  constructor(options: GroupQueueOptions) {
    this.#options = options;
  }

  get length(): number {
    return this.#waiting.size;
  }

  submit(call: Call): Promise<Written> {
    this.#waiting.add(call);
    const timer = setTimeout(() => this.#giveUp(call), Math.max(0, call.options.deadline - performance.now()));
    this.#schedule();
    return call.settled.promise.finally(() => clearTimeout(timer));
  }

  /** Refuses the calls that have waited for longer than `ms`. */
  refuse(ms: number, error: unknown): void {
    for (const call of this.#waiting) if (performance.now() - call.since > ms && this.#waiting.delete(call)) call.settled.reject(error);
  }

  /** Not at once: what comes in the same turn of the event loop goes together. */
  #schedule(): void {
    if (this.#isScheduled) return;
    this.#isScheduled = true;
    queueMicrotask(() => {
      this.#isScheduled = false;
      const group = this.#nextGroup();
      if (group.length > 0) void this.#run(group);
    });
  }

  /** In the order of arrival: a call that has to wait holds its keys against those behind it. */
  #nextGroup(): readonly Call[] {
    const held = new Set(this.#taken);
    const group: Call[] = [];
    const records = new Set<string>();
    let size = 0;
    for (const call of this.#waiting) {
      const fits = group.length === 0 || size + call.mutations.length <= storeLimits.groupMutationsMax;
      if (!fits || call.keys.some((key) => held.has(key)) || call.records.some((key) => records.has(key))) {
        for (const key of call.keys) held.add(key);
        continue;
      }
      for (const key of call.records) records.add(key);
      size += call.mutations.length;
      group.push(call);
    }
    return group;
  }

  async #run(group: readonly Call[]): Promise<void> {
    const keys = group.flatMap((call) => call.keys);
    for (const call of group) this.#waiting.delete(call);
    for (const key of keys) this.#taken.add(key);
    await this.#options.run(group);
    for (const key of keys) this.#taken.delete(key);
    this.#schedule();
  }

  #giveUp(call: Call): void {
    if (this.#waiting.delete(call)) call.settled.reject(this.#options.late(call));
    this.#schedule();
  }
}
