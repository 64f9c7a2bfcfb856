/**
 * A consumer of the feed whose effects are writes: what it makes of some changes and its cursor are committed
 * together, so after a crash at any moment each change has had its effect once (SEMANTICS §21). Any number of
 * processes may run the same consumer: the cursor moves only from where it stands, so one of them wins each
 * step and the others go on from there. One that does more than write runs in one process at a time (lease.ts).
 *
 *   lease ──▶ cursor ──▶ follow ──▶ handle ──▶ write, atomic, with the cursor ──┐
 *               ▲           ▲                     │ cursor_moved: read it anew   │
 *               └───────────┼─────────────────────┘                              │
 *                           └────────────────────────────────────────────────────┘
 *   A step that fails is tried again, later and later, unless the consumer has it wait elsewhere; nothing is passed over.
 */
import type { Change } from '../../shared/contract/change.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Position } from '../../shared/wire/position.ts';
import { pause } from '../pause.ts';
import type { Figures } from '../services/figures.ts';
import type { ServiceState, Started } from '../services/services.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { Mutation, Store } from '../store/store.ts';
import type { Feed, FeedStep } from './feed.ts';
import type { Lease } from './lease.ts';
import { Work } from './work.ts';

export interface Consumer {
  /** Names its durable cursor. */
  readonly name: string;
  /** Whether a change is for it; every change is unless said. */
  concerns?(change: Change): boolean;
  /** Changes that are handled and committed at once, at most; a step of the feed unless said. */
  readonly changesAtOnceMax?: number;
  /** Changes that nothing follows from may be handled again: they move the cursor as seldom as those that are not for it. */
  readonly isRepeatable?: true;
  /**
   * What follows from these changes. Asked again for the same ones after a crash, a lost race or a failure. `signal`
   * aborts when nobody waits any longer.
   */
  handle(changes: readonly Change[], signal: AbortSignal): readonly Mutation[] | Promise<readonly Mutation[]>;
  /**
   * What is committed in place of effects that failed or were refused, so that the cursor goes on; `undefined`, and without
   * this: they are asked for again.
   */
  failed?(changes: readonly Change[], cause: unknown): readonly Mutation[] | undefined;
  /** The last answer to changes is committed. */
  committed?(): void;
  /** What follows from all changes up to here is committed. */
  reached?(through: Position): void;
  /** Called where it begins, in this process or after a pause, before any change is handled. */
  begin?(): Promise<void>;
  /** Goes on beside the changes until `signal`; never rejects. */
  alongside?(signal: AbortSignal, work: Work): Promise<void>;
  /** The history up to here is lost, and with it changes that it may have missed: what follows from that. */
  lost(head: Position, signal: AbortSignal): readonly Mutation[] | Promise<readonly Mutation[]>;
}

export interface ConsumerOptions {
  readonly store: Store;
  readonly feed: Feed;
  /** Where it is given, the consumer runs while this process holds it. */
  readonly lease?: Lease;
  /** From 0 to 1; tests give their own. */
  readonly random?: () => number;
  onTrouble(message: string, cause: unknown): void;
}

export const consumerLimits = {
  /** The pause between attempts is anything up to a bound that doubles from the first to the longest (full jitter). */
  retryMs: { first: 100, max: 10_000 },
  /** The time for what a consumer makes of changes; then its signal aborts, and it is asked again. */
  handleMsMax: 30_000,
  /** The time for a write of the consumer; then it is tried again. */
  writeMsMax: 10_000,
  /** Without effects the cursor still moves this often, so that it does not fall out of the history that is kept. */
  cursorIdleMs: 5_000,
  /** A consumer that is further behind says so. */
  lagMsTold: 5_000,
  /** Characters of a failure that the state tells; the log has all of it. */
  troubleCharactersMax: 300,
} as const;

/** A deadline for what a consumer reads or writes beside its changes. */
export function inTime(): { readonly deadline: number } {
  return { deadline: Date.now() + consumerLimits.writeMsMax };
}

/** Runs until it is stopped; the part that is in hand then is finished, where its work ends in time. */
export function startConsumer(consumer: Consumer, options: ConsumerOptions): Started<void> {
  const run = new ConsumerRun(consumer, options);
  const running = run.run();
  return { value: undefined, stop: (deadline) => (run.stop(deadline), running), state: () => run.state, figures: () => run.figures };
}

class ConsumerRun {
  readonly #consumer: Consumer;
  readonly #options: ConsumerOptions;
  readonly #stop = new AbortController();
  readonly #work = new Work(consumerLimits.handleMsMax);
  /** Where the durable cursor stands, as this process last read or moved it. */
  #cursor: Position | undefined;
  #keptAtMs = 0;
  /** A moment at which nothing committed was left to handle. */
  #completeAtMs = performance.now();
  /** The first of the changes in hand. */
  #at: Change | undefined;
  #failures = 0;
  #failuresInAll = 0;
  #trouble: string | undefined;
  #waitsForLease = false;

  constructor(consumer: Consumer, options: ConsumerOptions) {
    this.#consumer = consumer;
    this.#options = options;
  }

  stop(deadline: number): void {
    this.#stop.abort();
    this.#work.endBy(deadline);
  }

  get state(): ServiceState {
    if (this.#waitsForLease) return { ready: true, detail: 'runs in another process' };
    const lagMs = performance.now() - this.#completeAtMs;
    const lag = lagMs < consumerLimits.lagMsTold ? [] : [`is ${Math.floor(lagMs / 1_000)} s behind`];
    const told = [...(this.#trouble === undefined ? [] : [this.#trouble]), ...lag];
    return { ready: this.#trouble === undefined, ...(told.length === 0 ? {} : { detail: told.join('; ') }) };
  }

  /** One that runs in another process is behind nothing here. */
  get figures(): Figures {
    const lagSeconds = (performance.now() - this.#completeAtMs) / 1_000;
    return { failures: this.#failuresInAll, ...(this.#waitsForLease ? {} : { lagSeconds }) };
  }

  /** Runs until it is stopped; never throws. */
  async run(): Promise<void> {
    const { lease } = this.#options;
    while (!this.#stop.signal.aborted) {
      try {
        await (lease === undefined ? this.#follow(this.#stop.signal) : this.#followUnder(lease));
      } catch (cause) {
        if (this.#stop.signal.aborted) break;
        if (!(cause instanceof Fault && cause.reason === 'cursor_moved')) this.#fail(cause);
        await pause(this.#retryMs(), this.#stop.signal);
      }
    }
    this.#work.close();
  }

  /** Where the lease is lost, to wait for it again is next. */
  async #followUnder(lease: Lease): Promise<void> {
    this.#waitsForLease = true;
    await lease.hold(this.#stop.signal, (held) => {
      this.#waitsForLease = false;
      this.#completeAtMs = performance.now();
      return this.#follow(held);
    });
  }

  async #follow(signal: AbortSignal): Promise<void> {
    const from = await this.#begin();
    await this.#consumer.begin?.();
    const over = new AbortController();
    const beside = this.#consumer.alongside?.(AbortSignal.any([signal, over.signal]), this.#work);
    try {
      for await (const step of this.#options.feed.follow(from, signal, 'watermark')) {
        if (step.kind === 'lost') await this.#lose(step.through);
        else await this.#take(step, signal);
      }
    } finally {
      over.abort();
      await beside;
    }
  }

  /** The durable cursor; a new consumer begins now, and is held to it from now on. */
  async #begin(): Promise<Position> {
    const { store, feed } = this.#options;
    this.#at = undefined;
    this.#cursor = await store.cursor(this.#consumer.name);
    this.#keptAtMs = performance.now();
    if (this.#cursor !== undefined) return this.#cursor;
    const head = feed.through;
    await this.#commit([], head);
    return head;
  }

  async #take(step: Changes, signal: AbortSignal): Promise<void> {
    for (const part of partsOf(step, this.#consumer)) {
      if (signal.aborted) return;
      await this.#handle(part);
    }
    this.#completeAtMs = step.completeAtMs ?? this.#completeAtMs;
  }

  async #handle({ changes, through }: Part): Promise<void> {
    [this.#at] = changes;
    if (changes.length > 0) await this.#tell(changes, through);
    else if (this.#isIdle) await this.#commit([], through);
    this.#consumer.reached?.(through);
    this.#getOn();
  }

  get #isIdle(): boolean {
    return performance.now() - this.#keptAtMs >= consumerLimits.cursorIdleMs;
  }

  async #tell(changes: readonly Change[], through: Position): Promise<void> {
    try {
      const mutations = await this.#work.inTime((signal) => this.#consumer.handle(changes, signal));
      if (mutations.length > 0 || this.#consumer.isRepeatable !== true || this.#isIdle) await this.#commit(mutations, through);
    } catch (cause) {
      const isMoved = cause instanceof Fault && cause.reason === 'cursor_moved';
      const instead = isMoved || this.#stop.signal.aborted ? undefined : this.#consumer.failed?.(changes, cause);
      if (instead === undefined) throw cause;
      await this.#commit(instead, through);
    }
    this.#consumer.committed?.();
  }

  async #lose(head: Position): Promise<void> {
    this.#at = undefined;
    this.#options.onTrouble(`${this.#consumer.name}: the history was lost, and changes may have been missed`, undefined);
    await this.#commit(await this.#work.inTime((signal) => this.#consumer.lost(head, signal)), head);
    this.#getOn();
  }

  async #commit(mutations: readonly Mutation[], to: Position): Promise<void> {
    const { store } = this.#options;
    const cursor = { consumer: this.#consumer.name, from: this.#cursor, to };
    const deadline = this.#work.deadline(consumerLimits.writeMsMax);
    const { outcomes } = await store.write(mutations, { deadline, atomic: true, cursor });
    mustNoneBeRefused(outcomes);
    this.#cursor = to;
    this.#keptAtMs = performance.now();
  }

  #getOn(): void {
    this.#failures = 0;
    this.#trouble = undefined;
  }

  #fail(cause: unknown): void {
    this.#failures++;
    this.#failuresInAll++;
    this.#trouble = toTrouble(this.#at, cause);
    this.#options.onTrouble(`${this.#consumer.name}: ${this.#trouble}; try ${this.#failures} failed`, cause);
  }

  #retryMs(): number {
    const { first, max } = consumerLimits.retryMs;
    return (this.#options.random ?? Math.random)() * Math.min(first * 2 ** Math.max(0, this.#failures - 1), max);
  }
}

type Changes = Extract<FeedStep, { readonly kind: 'changes' }>;

/** Changes that are handled and committed together, and how far the cursor comes by them. */
interface Part {
  readonly changes: readonly Change[];
  readonly through: Position;
}

/** A step by the parts in which the consumer takes it; one that does not concern it is a part without changes. */
function partsOf({ changes, through }: Changes, consumer: Consumer): readonly Part[] {
  const own = changes.filter((change) => consumer.concerns?.(change) ?? true);
  const size = consumer.changesAtOnceMax ?? own.length;
  if (own.length <= size) return [{ changes: own, through }];
  const starts = Array.from({ length: Math.ceil(own.length / size) }, (_, index) => index * size);
  return starts.map((start) => {
    const part = own.slice(start, start + size);
    const last = start + size < own.length ? part.at(-1) : undefined;
    return { changes: part, through: last?.position ?? through };
  });
}

function toTrouble(at: Change | undefined, cause: unknown): string {
  const where = at === undefined ? '' : ` at ${at.resource}${at.kind === 'document' ? `/${at.id}` : ''}`;
  const why = cause instanceof Error ? cause.message : 'a step failed';
  return `does not get on${where}: ${why}`.slice(0, consumerLimits.troubleCharactersMax);
}
