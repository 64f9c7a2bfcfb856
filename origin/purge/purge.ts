/**
 * The purge sink: tells one Worker which generations the database raised. It owns no state: the coordinator
 * knows how far it has heard, and reports continue from there. What can be lost is time; a lost, repeated or
 * reordered report cannot lower a generation, and while nothing is heard the edge's answers stop counting as
 * fresh (SEMANTICS §1).
 *
 *            ┌────────── not joined, or we are not where it stands ──────────┐
 *            ▼                                                               │
 *   ask where it stands ── its position is in our log ──▶ follow from there ─┤
 *            │                                                               │
 *            └─ unknown to our log ──▶ raise everything (new epoch if it is ahead of us) ─▶ follow from head
 */
import type { Change } from '../../shared/contract/change.ts';
import type { Contract } from '../../shared/contract/contract.ts';
import { type Touched, touchedOf } from './touched.ts';
import type { Position } from '../../shared/wire/position.ts';
import { type Declared, type Report, type ReportAnswer, reportIdleMs, toDeclared } from '../../shared/hop/purge-report.ts';
import type { Feed } from '../feed/feed.ts';
import { pause } from '../pause.ts';
import type { Store } from '../store/store.ts';
import { RaisedBuckets } from './raised-buckets.ts';

export interface PurgeOptions {
  readonly store: Store;
  readonly feed: Feed;
  readonly contract: Contract;
  readonly signal: AbortSignal;
  /** Delivers one report; throws when there is no answer. */
  send(report: Report): Promise<ReportAnswer>;
  onTrouble(message: string, cause: unknown): void;
}

/** The pause between attempts when the edge cannot be reached: short, because hits revalidate meanwhile. */
const retryMs = { first: 100, max: 2_000 };
/** An idle report goes out a little before the contract's interval ends. */
const idleAfterMs = reportIdleMs * 0.6;
/** The time between two reports of changes: an import commits more often than the edge need hear of it. */
const gapMs = 20;

/** Runs until the signal; never throws. */
export async function runPurge(options: PurgeOptions): Promise<void> {
  let waitMs = retryMs.first;
  while (!options.signal.aborted) {
    try {
      const session = new PurgeSession(options, () => (waitMs = retryMs.first));
      await session.run();
      // The coordinator refused our range: another origin reported meanwhile, or a new epoch began. Pause before joining
      // again, so that this cannot spin.
      await pause(retryMs.first, options.signal);
    } catch (cause) {
      if (options.signal.aborted) return;
      options.onTrouble('the edge does not hear of changes; its cached answers are revalidated meanwhile', cause);
      await pause(waitMs, options.signal);
      waitMs = Math.min(waitMs * 2, retryMs.max);
    }
  }
}

class PurgeSession {
  readonly #options: PurgeOptions;
  readonly #onHeard: () => void;
  readonly #declared: Declared;
  /** The coordinator's clock when it last answered, and ours when that arrived. */
  #clock: { readonly coordinatorMs: number; readonly receivedMs: number } | undefined;
  /** Whether the coordinator, when it last answered, had the digests of our resources. */
  #isContractKnown = false;

  constructor(options: PurgeOptions, onHeard: () => void) {
    this.#options = options;
    this.#onHeard = onHeard;
    this.#declared = toDeclared(options.contract);
  }

  async run(): Promise<void> {
    const from = await this.#join();
    await this.#follow(from);
  }

  /** Finds a position that both the coordinator and our log have. */
  async #join(): Promise<Position> {
    const { store } = this.#options;
    const head = await store.head();
    const answer = await this.#send({ epoch: head.epoch, from: head.order, through: head.order, asOf: null, raised: {}, whole: {} });
    if (answer.epoch === head.epoch && answer.through !== null) {
      const standing = { epoch: head.epoch, order: answer.through };
      if (await this.#isKnown(standing)) return standing;
      // The edge has heard of changes that our log has not: the database was restored to an older state.
      return this.#raiseEverything(standing.order >= (await store.head()).order ? await store.renewEpoch() : await store.head());
    }
    return this.#raiseEverything(await store.head());
  }

  async #isKnown(position: Position): Promise<boolean> {
    const stop = new AbortController();
    try {
      for await (const batch of this.#options.store.watch(position, stop.signal)) return !('lost' in batch);
      return false;
    } finally {
      stop.abort();
    }
  }

  async #raiseEverything(head: Position): Promise<Position> {
    const answer = await this.#send({ epoch: head.epoch, from: null, through: head.order, asOf: null, raised: {}, whole: {} });
    if (!answer.accepted) {
      throw new Error('the edge takes no report of this epoch: it has left it for another, or two databases report to one edge');
    }
    return head;
  }

  async #follow(from: Position): Promise<void> {
    const { feed, signal } = this.#options;
    const pending = new RaisedBuckets();
    let sent = from;
    let sentMs = 0;
    let changes = 0;
    for await (const step of feed.follow(from, signal, 'watermark')) {
      if (step.kind === 'lost') return;
      pending.goOn(step.changes);
      for (const change of step.changes) {
        const touched = this.#touched(change, pending);
        if (touched === undefined) continue;
        pending.add(change.position, touched);
        changes++;
      }
      const sinceMs = performance.now() - sentMs;
      // The feed has more to give, or nothing to tell: what comes next goes into the same report.
      if ((changes === 0 || step.completeAtMs === undefined) && sinceMs < idleAfterMs) continue;
      if (sinceMs < gapMs) await pause(gapMs - sinceMs, signal);
      const answer = await this.#send({
        epoch: sent.epoch, from: sent.order, through: step.through.order, asOf: this.#coordinatorTime(step.completeAtMs),
        ...pending.take(),
      });
      if (!answer.accepted) return;
      sent = step.through;
      sentMs = performance.now();
      changes = 0;
    }
  }

  #touched(change: Change, pending: RaisedBuckets): Touched | undefined {
    return pending.isWhole(change.resource) ? { resource: change.resource, keys: undefined } : touchedOf(this.#options.contract, change);
  }

  async #send(report: Omit<Report, keyof Declared>): Promise<ReportAnswer> {
    const { contract, resources } = this.#declared;
    const answer = await this.#options.send({ ...report, contract, ...(this.#isContractKnown ? {} : { resources }) });
    this.#isContractKnown = answer.knowsContract === true;
    this.#clock = { coordinatorMs: answer.now, receivedMs: performance.now() };
    this.#onHeard();
    return answer;
  }

  /** A moment of our monotonic clock in the coordinator's: never later than it was there. */
  #coordinatorTime(momentMs: number | undefined): number | null {
    if (this.#clock === undefined || momentMs === undefined) return null;
    return Math.floor(this.#clock.coordinatorMs + momentMs - this.#clock.receivedMs);
  }
}
