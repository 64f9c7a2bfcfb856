/**
 * Keeps an isolate from waiting for an origin that does not answer (SEMANTICS §9). Each isolate learns it for itself.
 *
 *            2 late, 5 refused or 5 unsigned within 30 s,
 *            and no answer between
 *   closed ─────────────────────────────────────────────▶ open: nothing is sent
 *     ▲ ▲                                                  │  ▲
 *     │ └─────────── a signed answer, to whomever ─────────┤  │ no answer within 2 s
 *     │                                     500 ms are over ▼  │
 *     └──────────────── a signed answer ────────────── half-open: one probe, nothing else is sent
 *
 * The probe goes on behind an answer, so nobody waits for it, and the pause may be short: an origin that was restarted serves at once.
 * Any signed answer is the origin's word, a 409 and a 500 as well. A machine of several behind one address that fails now and
 * then opens nothing: the others answer between, and a refusal of all would be worse than its share of failures.
 */
import { edgeLimits } from '../limits.ts';

/** No head by the deadline; no connection, or a broken one; an answer that the origin did not sign. */
export type FailureKind = 'late' | 'refused' | 'unsigned';

const failuresMax: Readonly<Record<FailureKind, number>> = {
  late: edgeLimits.breakerLateMax, refused: edgeLimits.breakerRefusedMax, unsigned: edgeLimits.breakerUnsignedMax,
};

type Counts = Record<FailureKind, number>;

interface Open {
  readonly since: number;
  readonly until: number;
  /** One whose request was cancelled never ends: another is sent in its place once its time is over. */
  readonly probeEndsBy: number;
}

/** What has changed, for the log. */
export interface BreakerChange extends Counts {
  readonly state: 'open' | 'closed';
  readonly openMs: number;
  /** Questions that were not sent while it was open. */
  readonly notSent: number;
}

const none: Counts = { late: 0, refused: 0, unsigned: 0 };

export class Breaker {
  readonly #onChange: (change: BreakerChange) => void;
  #counts = { ...none };
  #countedSince = 0;
  #answeredAt = 0;
  #open: Open | undefined;
  #notSent = 0;

  constructor(onChange: (change: BreakerChange) => void) {
    this.#onChange = onChange;
  }

  get isOpen(): boolean {
    return this.#open !== undefined;
  }

  answered(now: number): void {
    this.#answeredAt = now;
    if (this.#open === undefined && this.#countedSince === 0) return;
    const was = this.#open;
    this.#open = undefined;
    if (was !== undefined) this.#tell('closed', now - was.since);
    this.#counts = { ...none };
    this.#countedSince = 0;
    this.#notSent = 0;
  }

  /** One that was late while others were answered has asked for much: that origin is not frozen. */
  failed(kind: FailureKind, sentAt: number, now: number): void {
    if (this.#open !== undefined || (kind === 'late' && this.#answeredAt > sentAt)) return;
    if (now - this.#countedSince > edgeLimits.breakerWindowMs) {
      this.#counts = { ...none };
      this.#countedSince = now;
    }
    this.#counts[kind]++;
    if (this.#counts[kind] < failuresMax[kind]) return;
    this.#pause(now, now);
    this.#tell('open', 0);
  }

  /** Until something may be sent again, in milliseconds; 0: now. */
  waitMs(now: number): number {
    return this.#open === undefined ? 0 : Math.max(1, this.#open.until - now, this.#open.probeEndsBy - now);
  }

  /** For whoever does not send a question. True: they are to send the probe. */
  passOver(now: number): boolean {
    this.#notSent++;
    if (this.#open === undefined || now < this.#open.until || now < this.#open.probeEndsBy) return false;
    this.#open = { ...this.#open, probeEndsBy: now + edgeLimits.breakerProbeMsMax };
    return true;
  }

  /** An answer to the probe is told by `answered`, as any other. */
  probeFailed(now: number): void {
    if (this.#open !== undefined) this.#pause(this.#open.since, now);
  }

  #pause(since: number, now: number): void {
    this.#open = { since, until: now + edgeLimits.breakerPauseMs, probeEndsBy: 0 };
  }

  #tell(state: BreakerChange['state'], openMs: number): void {
    this.#onChange({ state, openMs, notSent: this.#notSent, ...this.#counts });
  }
}
