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

/** Two halves of a group that share nothing, each in the order of arrival; `undefined` where all of it hangs together. */
export function halved(group: readonly Call[]): readonly [readonly Call[], readonly Call[]] | undefined {
  let parts: readonly (readonly Call[])[] = [];
  for (const call of group) {
    const sharing = parts.filter((part) => part.some(({ keys }) => keys.some((key) => call.keys.includes(key))));
    parts = [...parts.filter((part) => !sharing.includes(part)), [...sharing.flat(), call]];
  }
  const middle = Math.ceil(parts.length / 2);
  const toHalf = (half: readonly (readonly Call[])[]) => group.filter((call) => half.some((part) => part.includes(call)));
  return parts.length < 2 ? undefined : [toHalf(parts.slice(0, middle)), toHalf(parts.slice(middle))];
}

export interface GroupQueueOptions {
  /** Settles every call; never throws. */
  run(calls: readonly Call[]): Promise<void>;
  late(call: Call): Error;
}

export class GroupQueue {
  readonly #options: GroupQueueOptions;
  readonly #waiting = new Set<Call>();
  /** By how many running calls. */
  readonly #taken = new Map<string, number>();
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
    const held = new Set(this.#taken.keys());
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
    for (const call of group) {
      this.#waiting.delete(call);
      for (const key of call.keys) this.#taken.set(key, (this.#taken.get(key) ?? 0) + 1);
      const free = (): void => this.#free(call);
      call.settled.promise.then(free, free);
    }
    await this.#options.run(group);
  }

  /** One that is settled before the rest of its group holds up nobody. */
  #free({ keys }: Call): void {
    for (const key of keys) {
      const others = (this.#taken.get(key) ?? 1) - 1;
      if (others === 0) this.#taken.delete(key);
      else this.#taken.set(key, others);
    }
    this.#schedule();
  }

  #giveUp(call: Call): void {
    if (this.#waiting.delete(call)) call.settled.reject(this.#options.late(call));
    this.#schedule();
  }
}
