/**
 * The feed: one source per process, many followers. A follower is given every change after the position that
 * it brings, in commit order, or is told `lost` before anything newer; a silently delivered gap is not
 * reachable. Nothing is buffered for a follower: the last changes stand once in a ring that all share, each
 * follower pulls at its own pace, and one that falls out of the ring reads from the store until it is back.
 *
 *   follow(from) ──▶ CATCHING UP (store.watch from the follower's position)
 *                        │ the position reached lies in the ring        ▲ fell out of the ring
 *                        ▼                                              │
 *                       LIVE (ring) ────────────────────────────────────┘
 *                        │ history unknown: LOST   │ the feed stops: the follower's iteration ends
 */
import type { Change } from '../../shared/contract/change.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { Figures } from '../services/figures.ts';
import type { ServiceState } from '../services/services.ts';
import type { ChangeBatch, Store } from '../store/store.ts';

const feedLimits = {
  /** Changes that followers find without asking the store; with both images of each, some 20 MB of films. */
  ringChangesMax: 4_096,
  /** Of the images of all of them; those of the last change alone may be more. */
  ringCharactersMax: 8_388_608,
  /** Changes given to a follower at once. */
  stepChangesMax: 256,
  /** Every follower hears its position at least this often, so that a quiet one stays within retention. */
  heartbeatMs: 15_000,
  /** A source that is silent for longer is not followed. */
  silentMsMax: 5_000,
  /** A source that is silent for longer is told of: whoever asks learns it within two seconds. */
  silentToldMs: 1_500,
  /** The pause between attempts when the source fails. */
  retryMs: 500,
} as const;

export type FeedStep =
  | {
      readonly kind: 'changes';
      readonly changes: readonly Change[];
      readonly through: Position;
      /** `performance.now()` of a moment at which nothing committed lay beyond `through`. */
      readonly completeAtMs: number | undefined;
      /** Whether it was read from the store's history: the follower was too far behind for the ring. */
      readonly late: boolean;
    }
  | { readonly kind: 'lost'; readonly through: Position };

export interface FeedOptions {
  readonly store: Store;
  readonly heartbeatMs?: number;
  onTrouble(message: string, cause: unknown): void;
}

export class Feed {
  readonly #options: FeedOptions;
  readonly #stop = new AbortController();
  readonly #running: Promise<void>;
  /** Positions at which a follower may enter the ring, each with the number of the change that follows it. */
  readonly #entries = new Map<string, number>();
  #ring: Change[] = [];
  /** Of the images of what is in the ring. */
  #characters = 0;
  /** The number of `#ring[0]`; numbers are this process's own and never repeat. */
  #first = 0;
  #through: Position;
  readonly #waiting = new Set<() => void>();
  readonly #watching = new Set<() => void>();
  #followers = 0;
  #completeAtMs: number | undefined;
  #lastBatchAtMs = performance.now();
  /** The last moment at which nothing that was committed was unheard of. */
  #completeUntilMs = performance.now();

  static async open(options: FeedOptions): Promise<Feed> {
    return new Feed(options, await options.store.head());
  }

  private constructor(options: FeedOptions, head: Position) {
    this.#options = options;
    this.#through = head;
    this.#restartRing(head);
    this.#running = this.#run();
  }

  get through(): Position {
    return this.#through;
  }

  /** The source gives a batch, if only an empty one, every 100 ms (`Store.watch`). */
  state(): ServiceState {
    const silentMs = performance.now() - this.#lastBatchAtMs;
    return silentMs <= feedLimits.silentToldMs
      ? { ready: true }
      : { ready: false, detail: `has heard nothing of the store for ${Math.floor(silentMs / 1_000)} s` };
  }

  /** The source says with each batch whether more follows; where it has never been complete, it is as old as this process. */
  figures(): Figures {
    return { followers: this.#followers, lagSeconds: (performance.now() - this.#completeUntilMs) / 1_000 };
  }

  /** Ends every follower's iteration, then the source. */
  async close(): Promise<void> {
    this.#stop.abort();
    await this.#running;
  }

  /**
   * Ends when the feed closes or `signal` aborts. An empty step is a heartbeat; at the pace of `watermark` every batch of
   * the source is a step.
   */
  async *follow(from: Position, signal: AbortSignal, pace: 'heartbeat' | 'watermark' = 'heartbeat'): AsyncGenerator<FeedStep> {
    const waiting = pace === 'watermark' ? this.#watching : this.#waiting;
    const ends = AbortSignal.any([signal, this.#stop.signal]);
    let at = from;
    this.#followers++;
    try {
      while (!ends.aborted) {
        const number = this.#entries.get(keyOf(at));
        const step = number === undefined ? await this.#catchUp(at, ends) : this.#fromRing(number, at);
        if (step === undefined) return;
        const waits = step === 'wait';
        if (waits) await wakened(waiting, ends);
        if (waits && keyOf(at) !== keyOf(this.#through)) continue;
        const given: FeedStep = waits ? { kind: 'changes', changes: [], through: at, completeAtMs: this.#completeAtMs, late: false } : step;
        if (!ends.aborted) yield given;
        at = given.through;
      }
    } finally {
      this.#followers--;
    }
  }

  #fromRing(number: number, at: Position): FeedStep | 'wait' {
    if (keyOf(at) === keyOf(this.#through)) return 'wait';
    const start = number - this.#first;
    const changes = this.#ring.slice(start, start + feedLimits.stepChangesMax);
    const last = start + changes.length < this.#ring.length ? changes.at(-1) : undefined;
    return {
      kind: 'changes',
      changes,
      through: last?.position ?? this.#through,
      completeAtMs: last === undefined ? this.#completeAtMs : undefined,
      late: false,
    };
  }

  /** One batch from the store for a follower that the ring cannot serve. */
  async #catchUp(from: Position, signal: AbortSignal): Promise<FeedStep | undefined> {
    const stop = new AbortController();
    try {
      for await (const batch of this.#options.store.watch(from, AbortSignal.any([signal, stop.signal])))
        return 'lost' in batch ? { kind: 'lost', through: batch.head } : { kind: 'changes', ...batch, late: true };
      return undefined;
    } finally {
      stop.abort();
    }
  }

  async #run(): Promise<void> {
    const { signal } = this.#stop;
    const heartbeat = setInterval(() => wakeAll(this.#waiting), this.#options.heartbeatMs ?? feedLimits.heartbeatMs);
    while (!signal.aborted) {
      try {
        await this.#source(signal);
      } catch (cause) {
        if (!signal.aborted) this.#options.onTrouble('the change feed is interrupted; followers wait', cause);
      }
      if (!signal.aborted) await Bun.sleep(feedLimits.retryMs);
    }
    clearInterval(heartbeat);
  }

  async #source(signal: AbortSignal): Promise<void> {
    for await (const batch of this.#options.store.watch(this.#through, signal)) {
      if ('lost' in batch) return this.#lose(batch.head);
      this.#completeAtMs = batch.completeAtMs;
      this.#completeUntilMs = batch.completeAtMs ?? this.#completeUntilMs;
      this.#lastBatchAtMs = performance.now();
      this.#take(batch);
      wakeAll(this.#watching);
    }
  }

  #take(batch: ChangeBatch): void {
    if (keyOf(batch.through) === keyOf(this.#through)) return;
    for (const change of batch.changes) {
      this.#ring.push(change);
      this.#characters += charactersOf(change);
      this.#entries.set(keyOf(change.position), this.#first + this.#ring.length);
    }
    this.#through = batch.through;
    this.#entries.set(keyOf(batch.through), this.#first + this.#ring.length);
    this.#trim();
    if (batch.changes.length > 0) wakeAll(this.#waiting);
  }

  /** To half of what it may hold. Entries come in order, so those that lead before the ring are the oldest of the map. */
  #trim(): void {
    const { ringChangesMax, ringCharactersMax } = feedLimits;
    if (this.#entries.size <= ringChangesMax && this.#characters <= ringCharactersMax) return;
    let dropped = 0;
    for (const change of this.#ring.slice(0, -1)) {
      if (this.#ring.length - dropped <= ringChangesMax / 2 && this.#characters <= ringCharactersMax / 2) break;
      this.#characters -= charactersOf(change);
      dropped++;
    }
    this.#ring = this.#ring.slice(dropped);
    this.#first += dropped;
    for (const [key, number] of this.#entries) {
      if (number >= this.#first && this.#entries.size <= ringChangesMax) break;
      this.#entries.delete(key);
    }
  }

  /** History was lost under the source: followers in the ring ask the store at once, which tells them. */
  #lose(head: Position): void {
    this.#restartRing(head);
    wakeAll(this.#waiting);
    wakeAll(this.#watching);
  }

  #restartRing(head: Position): void {
    this.#first += this.#ring.length;
    this.#ring = [];
    this.#characters = 0;
    this.#entries.clear();
    this.#entries.set(keyOf(head), this.#first);
    this.#through = head;
  }
}

function charactersOf(change: Change): number {
  return change.kind === 'document' ? (change.characters ?? 0) : 0;
}

function wakened(waiting: Set<() => void>, ends: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const wake = () => {
      ends.removeEventListener('abort', wake);
      waiting.delete(wake);
      resolve();
    };
    ends.addEventListener('abort', wake);
    waiting.add(wake);
  });
}

function wakeAll(waiting: ReadonlySet<() => void>): void {
  for (const wake of [...waiting]) wake();
}

function keyOf({ epoch, order }: Position): string {
  return `${epoch}.${order}`;
}
