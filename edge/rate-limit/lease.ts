/**
 * What one isolate knows of one caller: tokens leased to it, a refusal that still holds, or that the counter
 * could not be asked. Nothing here is of record: an isolate that vanishes takes unspent tokens with it.
 *
 *            ┌────────── asked, granted a block ──────────┐
 *   empty ──▶ leased ──spent or ended──▶ empty (the lease is settled with the next question)
 *         ──▶ refused until …   ──▶ empty
 *         ──▶ unavailable until …, counting for itself   ──▶ empty
 */
import type { Plan } from '../../shared/limits/plans.ts';
import { type Answer, type Ask, Counter, leaseLimits, leaseMsOf, type Settlement, type Standing } from './counter.ts';
import { SpentLog } from './spent-log.ts';

interface Lease {
  readonly id: number;
  readonly block: number;
  /** Of this isolate's clock when it asked: earlier than the counter's grant, so it ends here first. */
  readonly askedAt: number;
  readonly ms: number;
  readonly spent: SpentLog;
  left: number;
}

interface Known {
  readonly answer: Answer;
  readonly askedAt: number;
  readonly cost: number;
}

export class Allowance {
  readonly plan: Plan;
  /** Units that have come to wait since the last question. Only added to: a request that is cancelled runs no more. */
  waiting = 0;
  /** Until then a renewal is under way, or has come to nothing. */
  renewingUntil = 0;
  unavailableUntil = 0;
  /** Counts for the isolate alone while nobody else can. */
  #local: Counter | undefined;
  #lease: Lease | undefined;
  #known: Known | undefined;
  #closed: Settlement[] = [];
  /** Unspent units of the settlements that are on their way. */
  #returning = 0;
  /** A caller who asked for one thing and left the rest is not given more than he asks for, until he asks for more. */
  #blockMin: number = leaseLimits.blockMin;
  #spentSince = 0;
  #askedAt = 0;

  constructor(plan: Plan) {
    this.plan = plan;
  }

  /** Spends what is leased. */
  spend(cost: number, now: number): boolean {
    const lease = this.#live(now);
    if (lease === undefined || lease.left < cost) return false;
    lease.spent.add(now - lease.askedAt, cost);
    lease.left -= cost;
    this.#spentSince += cost;
    return true;
  }

  /** Whether half of the lease, of its tokens or of its time, is gone. */
  isLow(now: number): boolean {
    const lease = this.#live(now);
    return lease !== undefined && (lease.left * 2 <= lease.block || now - lease.askedAt > lease.ms / 2);
  }

  /** A refusal that still holds: as long as nothing leaves the windows, asking again is vain. */
  refusal(cost: number, now: number): Answer | undefined {
    const known = this.#known;
    if (known === undefined || known.answer.granted > 0 || cost < known.cost || now >= known.askedAt + known.answer.vainMs) {
      return undefined;
    }
    const { answer, askedAt } = known;
    return { ...answer, retryMs: answer.retryMs - (now - askedAt), windows: aged(answer.windows, now - askedAt) };
  }

  /** The windows as last heard of, with what this isolate still holds or will give back in them. */
  standing(now: number): readonly Standing[] {
    if (this.#known === undefined) return [];
    const { answer, askedAt } = this.#known;
    const held = (this.#live(now)?.left ?? 0) + this.#returning + unusedOf(this.#closed);
    return answer.windows.map(({ left, resetMs, violated }) => ({ left: left + held, resetMs: toAged(resetMs, now - askedAt), violated }));
  }

  /** The next question. `want` is what a lease would last for at the present rate, never a sudden multiple. */
  question(cost: number, now: number): Ask {
    const lease = this.#live(now);
    const leaseMs = leaseMsOf(this.plan.windows);
    const elapsed = Math.min(leaseMs, Math.max(1, now - this.#askedAt));
    const demand = Math.max(cost, this.waiting) + this.#spentSince;
    const coming = Math.min(Math.ceil((demand * leaseMs) / elapsed), 4 * demand);
    const want = this.plan.exact ? cost : Math.max(this.waiting, this.#blockMin, coming) - (lease?.left ?? 0);
    this.#askedAt = now;
    this.#spentSince = 0;
    this.waiting = 0;
    return { windows: this.plan.windows, cost, want, settled: this.settle() };
  }

  /** What is to be told of leases that are over; told once. */
  settle(): readonly Settlement[] {
    this.#returning = unusedOf(this.#closed);
    return this.#closed.splice(0);
  }

  /** Takes the answer to a question asked at `askedAt`; its cost is spent already. */
  adopt(answer: Answer, askedAt: number, cost: number): void {
    this.renewingUntil = 0;
    this.#known = { answer, askedAt, cost };
    this.#returning = 0;
    if (answer.lease === 0) return;
    this.#close();
    const spent = new SpentLog();
    if (cost > 0) spent.add(0, cost);
    this.#lease = { id: answer.lease, block: answer.granted, askedAt, ms: answer.leaseMs, spent, left: answer.granted - cost };
  }

  /** Whether something unspent is to be given back. */
  mustReturn(now: number): boolean {
    this.#live(now);
    return unusedOf(this.#closed) > 0;
  }

  /** Decides without the counter: the same plan, for this isolate alone. */
  decideAlone(cost: number, now: number): Answer {
    this.#local ??= new Counter();
    return this.#local.decide({ windows: this.plan.windows, cost, want: cost, settled: [] }, now);
  }

  #live(now: number): Lease | undefined {
    if (this.#lease !== undefined && (this.#lease.left === 0 || now >= this.#lease.askedAt + this.#lease.ms)) this.#close();
    return this.#lease;
  }

  #close(): void {
    if (this.#lease === undefined) return;
    this.#blockMin = this.#lease.block - this.#lease.left > leaseLimits.blockMin / 4 ? leaseLimits.blockMin : 1;
    this.#closed.push({ lease: this.#lease.id, spent: this.#lease.spent.moments, unused: this.#lease.left });
    this.#lease = undefined;
  }
}

function unusedOf(settlements: readonly Settlement[]): number {
  return settlements.reduce((sum, { unused }) => sum + unused, 0);
}

function aged(windows: readonly Standing[], ageMs: number): readonly Standing[] {
  return windows.map((window) => ({ ...window, resetMs: toAged(window.resetMs, ageMs) }));
}

function toAged(resetMs: number, ageMs: number): number {
  return Math.max(1, resetMs - ageMs);
}
