/**
 * A consumer of the feed whose effects are writes: what it makes of some changes and its cursor are committed
 * together, so after a crash at any moment each change has had its effect once (SEMANTICS §21). Any number of
 * processes may run the same consumer: the cursor moves only from where it stands, so one of them wins each
 * step and the others go on from there.
 *
 *   cursor ──▶ follow ──▶ handle ──▶ write, atomic, with the cursor ──┐
 *     ▲           ▲                     │ cursor_moved: read it anew   │
 *     └───────────┼─────────────────────┘                              │
 *                 └────────────────────────────────────────────────────┘
 *   A step that fails is tried again, later and later; nothing is passed over.
 */
import type { Change } from '../../shared/contract/change.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Position } from '../../shared/wire/position.ts';
import { pause } from '../pause.ts';
import type { ServiceState, Started } from '../services/services.ts';
import type { Mutation, Store } from '../store/store.ts';
import type { Feed, FeedStep } from './feed.ts';

export interface Consumer {
  /** Names its durable cursor. */
  readonly name: string;
  /** What follows from these changes. Asked again for the same ones after a crash, a lost race or a failure. */
  handle(changes: readonly Change[]): readonly Mutation[] | Promise<readonly Mutation[]>;
  /** The history up to here is lost, and with it changes that it may have missed: what follows from that. */
  lost(head: Position): readonly Mutation[] | Promise<readonly Mutation[]>;
}

export interface ConsumerOptions {
  readonly store: Store;
  readonly feed: Feed;
  onTrouble(message: string, cause: unknown): void;
}

const consumerLimits = {
  /** The pause between attempts, doubling from the first to the longest. */
  retryMs: { first: 100, max: 10_000 },
  /** The time for a write of the consumer; then it is tried again. */
  writeMsMax: 10_000,
  /** Without effects the cursor still moves this often, so that it does not fall out of the history that is kept. */
  cursorIdleMs: 5_000,
} as const;

/** Runs until it is stopped; the step that is being written then is finished. */
export function startConsumer(consumer: Consumer, options: ConsumerOptions): Started<void> {
  const run = new ConsumerRun(consumer, options);
  const running = run.run();
  return { value: undefined, stop: () => (run.stop(), running), state: () => run.state };
}

class ConsumerRun {
  readonly #consumer: Consumer;
  readonly #options: ConsumerOptions;
  readonly #stop = new AbortController();
  /** Where the durable cursor stands, as this process last read or moved it. */
  #cursor: Position | undefined;
  #keptAtMs = 0;
  #failures = 0;
  #trouble: string | undefined;

  constructor(consumer: Consumer, options: ConsumerOptions) {
    this.#consumer = consumer;
    this.#options = options;
  }

  stop(): void {
    this.#stop.abort();
  }

  get state(): ServiceState {
    return this.#trouble === undefined ? { ready: true } : { ready: false, detail: this.#trouble };
  }

  /** Runs until it is stopped; never throws. */
  async run(): Promise<void> {
    while (!this.#stop.signal.aborted) {
      try {
        await this.#follow(await this.#begin());
        return;
      } catch (cause) {
        if (this.#stop.signal.aborted) return;
        if (!(cause instanceof Fault && cause.reason === 'cursor_moved')) this.#fail(cause);
        await pause(this.#retryMs(), this.#stop.signal);
      }
    }
  }

  /** The durable cursor; a new consumer begins now, and is held to it from now on. */
  async #begin(): Promise<Position> {
    const { store, feed } = this.#options;
    this.#cursor = await store.cursor(this.#consumer.name);
    if (this.#cursor !== undefined) return this.#cursor;
    const head = feed.through;
    await this.#commit([], head);
    return head;
  }

  async #follow(from: Position): Promise<void> {
    for await (const step of this.#options.feed.follow(from, this.#stop.signal)) {
      const mutations = await this.#handle(step);
      const isIdle = mutations.length === 0 && step.kind === 'changes' && performance.now() - this.#keptAtMs < consumerLimits.cursorIdleMs;
      if (!isIdle) await this.#commit(mutations, step.through);
      this.#failures = 0;
      this.#trouble = undefined;
    }
  }

  #handle(step: FeedStep): readonly Mutation[] | Promise<readonly Mutation[]> {
    if (step.kind === 'changes') return step.changes.length === 0 ? [] : this.#consumer.handle(step.changes);
    this.#options.onTrouble(`${this.#consumer.name}: the history was lost, and changes may have been missed`, undefined);
    return this.#consumer.lost(step.through);
  }

  async #commit(mutations: readonly Mutation[], to: Position): Promise<void> {
    const cursor = { consumer: this.#consumer.name, from: this.#cursor, to };
    const { outcomes } = await this.#options.store.write(mutations, {
      deadline: Date.now() + consumerLimits.writeMsMax,
      atomic: true,
      cursor,
    });
    const refused = outcomes.find((outcome) => outcome.kind === 'refused');
    if (refused !== undefined) throw refused.fault;
    this.#cursor = to;
    this.#keptAtMs = performance.now();
  }

  #fail(cause: unknown): void {
    this.#failures++;
    this.#trouble = `does not get on: ${cause instanceof Error ? cause.message : 'a step failed'}`;
    this.#options.onTrouble(`${this.#consumer.name}: a step failed and is tried again`, cause);
  }

  #retryMs(): number {
    const { first, max } = consumerLimits.retryMs;
    return Math.min(first * 2 ** Math.max(0, this.#failures - 1), max);
  }
}
