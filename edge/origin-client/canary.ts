/**
 * Withdraws a canary that does worse than the others (SEMANTICS §9): of what this isolate asked within a minute, more
 * failures (3 at least) by 5 points, or a p99 of more than twice theirs and 50 ms. A failure is no answer, or a status of 500 or more.
 * Each isolate judges by what it saw, and for as long as it lives: one that begins tries the canary again.
 *
 *   asked ── worse ──▶ withdrawn
 */
import { edgeLimits } from '../limits.ts';

/** Of one minute. */
interface Seen {
  answers: number;
  failures: number;
  /** Of the last answers, in any order, in milliseconds until the head came. */
  readonly ms: number[];
}

export type Side = 'canary' | 'others';

export class Canary {
  readonly #onWithdrawn: (facts: Readonly<Record<string, unknown>>) => void;
  #seen: Record<Side, Seen> = { canary: nothing(), others: nothing() };
  #since = 0;
  #withdrawn = false;

  constructor(onWithdrawn: (facts: Readonly<Record<string, unknown>>) => void) {
    this.#onWithdrawn = onWithdrawn;
  }

  get isWithdrawn(): boolean {
    return this.#withdrawn;
  }

  note(side: Side, { failed, ms, now }: { readonly failed: boolean; readonly ms: number; readonly now: number }): void {
    if (this.#withdrawn) return;
    if (now - this.#since > edgeLimits.canaryWindowMs) {
      this.#seen = { canary: nothing(), others: nothing() };
      this.#since = now;
    }
    const seen = this.#seen[side];
    seen.ms[seen.answers % edgeLimits.canarySamplesMax] = ms;
    seen.answers++;
    if (failed) seen.failures++;
    if (side === 'canary' && seen.answers % edgeLimits.canaryJudgedEach === 0) this.#judge();
  }

  #judge(): void {
    const { canary, others } = this.#seen;
    if (others.answers < edgeLimits.canaryJudgedEach) return;
    const [rate, rateOfOthers] = [canary.failures / canary.answers, others.failures / others.answers];
    const facts = {
      answers: canary.answers, failures: canary.failures, answersOfOthers: others.answers, failuresOfOthers: others.failures,
    };
    const isMuch = canary.failures >= edgeLimits.canaryFailuresMin;
    if (isMuch && rate - rateOfOthers > edgeLimits.canaryFailuresMore) return this.#withdraw({ ...facts, for: 'failures' });
    if (Math.min(canary.answers, others.answers) < edgeLimits.canaryTimedMin) return;
    const [p99, p99OfOthers] = [p99Of(canary.ms), p99Of(others.ms)];
    if (p99 > Math.max(p99OfOthers * 2, p99OfOthers + edgeLimits.canaryMsMore)) this.#withdraw({ ...facts, for: 'p99', p99, p99OfOthers });
  }

  #withdraw(facts: Readonly<Record<string, unknown>>): void {
    this.#withdrawn = true;
    this.#onWithdrawn(facts);
  }
}

function nothing(): Seen {
  return { answers: 0, failures: 0, ms: [] };
}

function p99Of(ms: readonly number[]): number {
  return ms.toSorted((a, b) => a - b)[Math.floor(ms.length * 0.99)] ?? 0;
}
