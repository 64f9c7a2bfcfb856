/**
 * What one isolate knows of one caller. It is in one of three states:
 *
 *            ┌───────── granted a block ────────┐
 *            │                                  ▼
 *         asking ◀──── spent, or ended ──── leased ─┐ renews at its half
 *          │  ▲                               ▲  └──┘
 *   no answer │ the time is over              │
 *          ▼  │                               │
 *         alone ───── granted a block ────────┘
 *
 *   asking   holds nothing: the next request asks the counter, unless the last answer was a refusal that still holds
 *   leased   spends what it was granted; the lease is settled with the question after its end
 *   alone    the counter did not answer: until some moment the isolate counts for itself and asks nobody
 *
 * A counter that stops answering takes no lease away: the state under a lease comes when the lease is over. Nothing here
 * is of record: an isolate that vanishes takes unspent tokens with it. Where the clock is set back, each of them is over.
 */
import type { Plan } from '../../shared/limits/plans.ts';
import { type Answer, type Ask, Counter, leaseLimits, leaseMsOf, type Settlement, type Standing } from './counter.ts';
import type { Kind } from './days.ts';
import { Slots } from './slots.ts';
import { SpentLog } from './spent-log.ts';

/** As in a question. */
export type Costs = Pick<Ask, 'cost' | 'paid'>;

interface Asking {
  readonly kind: 'asking';
}

interface Alone {
  readonly kind: 'alone';
  since: number;
  /** The end of this state: it is then as good as asking, but has counted what it let through. */
  until: number;
  readonly counter: Counter;
}

interface Leased {
  readonly kind: 'leased';
  readonly lease: Lease;
  /** When it may be renewed: earlier a renewal is under way, or has come to nothing. */
  renewsAt: number;
  under: Asking | Alone;
}

interface Lease {
  readonly id: number;
  readonly block: number;
  /** When this isolate asked, by its own clock: before the counter granted, so the lease ends here first. */
  readonly askedAt: number;
  readonly ms: number;
  readonly spent: SpentLog;
  readonly kinds: Partial<Record<Kind, number>>;
  left: number;
}

interface Heard {
  readonly answer: Answer;
  readonly askedAt: number;
  readonly cost: number;
}

const asking: Asking = { kind: 'asking' };
/** An answer that refuses nothing and knows of no window. */
const nothingHeard: Heard = { answer: { granted: 1, lease: 0, leaseMs: 0, windows: [], retryMs: 0, vainMs: 0 }, askedAt: 0, cost: 0 };

export class Allowance {
  readonly plan: Plan;
  readonly #keepsDays: boolean;
  /** Units that have come to wait since the last question. Only added to: a request that is cancelled runs no more. */
  waiting = 0;
  /** Of this isolate's requests that are under way. */
  readonly slots = new Slots();
  #state: Asking | Leased | Alone = asking;
  #heard: Heard = nothingHeard;
  #closed: Settlement[] = [];
  /** Unspent units of the settlements that are on their way. */
  #returning = 0;
  /** A caller who asked for one thing and left the rest is given no more than they ask for, until they ask for more. */
  #blockMin: number = leaseLimits.blockMin;
  #spentSince = 0;
  #askedAt = 0;

  /** `keepsDays`: the counter keeps what the caller spends by day. It keeps that of every plan with a quota. */
  constructor(plan: Plan, keepsDays = false) {
    this.plan = plan;
    this.#keepsDays = keepsDays || plan.quota !== undefined;
  }

  spend(cost: number, now: number, kind: Kind = 'reads'): boolean {
    const lease = this.#live(now);
    if (lease === undefined || lease.left < cost) return false;
    lease.spent.add(now - lease.askedAt, cost);
    note(lease, kind, cost);
    lease.left -= cost;
    this.#spentSince += cost;
    return true;
  }

  /** Whether half of the lease, of its tokens or of its time, is gone, and the next may be asked for. */
  isToRenew(now: number): boolean {
    const lease = this.#live(now);
    if (lease === undefined || this.#state.kind !== 'leased' || now < this.#state.renewsAt || this.isAlone(now)) return false;
    return lease.left * 2 <= lease.block || now - lease.askedAt > lease.ms / 2;
  }

  renewing(until: number): void {
    if (this.#state.kind === 'leased') this.#state.renewsAt = until;
  }

  unanswered(until: number, now: number): void {
    Object.assign(this.#alone(), { since: now, until });
  }

  isAlone(now: number): boolean {
    const resting = this.#resting();
    return resting.kind === 'alone' && now >= resting.since && now < resting.until;
  }

  /** A refusal that still holds: as long as nothing leaves the windows, asking again is vain. */
  refusal(cost: number, now: number): Answer | undefined {
    const { answer, askedAt, cost: asked } = this.#heard;
    if (answer.granted > 0 || cost < asked || now < askedAt || now >= askedAt + answer.vainMs) return undefined;
    return { ...answer, retryMs: answer.retryMs - (now - askedAt), windows: aged(answer.windows, now - askedAt) };
  }

  /** The windows as last heard of, with what this isolate still holds or will give back in them. */
  standing(now: number): readonly Standing[] {
    const { answer, askedAt } = this.#heard;
    const held = (this.#live(now)?.left ?? 0) + this.#returning + unusedOf(this.#closed);
    return answer.windows.map(({ left, resetMs, violated }) => ({ left: left + held, resetMs: toAged(resetMs, now - askedAt), violated }));
  }

  /** The next question. `want` is what a lease would last for at the present rate, never a sudden multiple. */
  question({ cost, paid }: Costs, now: number, kind: Kind = 'reads'): Ask {
    const lease = this.#live(now);
    const leaseMs = leaseMsOf(this.plan.windows);
    const elapsed = Math.min(leaseMs, Math.max(1, now - this.#askedAt));
    const demand = Math.max(cost, this.waiting) + this.#spentSince;
    const coming = Math.min(Math.ceil((demand * leaseMs) / elapsed), 4 * demand);
    const want = this.plan.exact ? cost : Math.max(this.waiting, this.#blockMin, coming) - (lease?.left ?? 0);
    this.#askedAt = now;
    this.#spentSince = 0;
    this.waiting = 0;
    return { ...this.#asked(kind), cost, want, settled: this.settle(), ...(paid === undefined ? {} : { paid }) };
  }

  /** What is to be told of leases that are over; told once. */
  settle(): readonly Settlement[] {
    this.#returning = unusedOf(this.#closed);
    return this.#closed.splice(0);
  }

  /** What may not have been heard is told again: of a lease that is settled the counter takes nothing twice. */
  untold(settled: readonly Settlement[]): void {
    this.#returning = 0;
    this.#closed.unshift(...settled);
  }

  /** Takes the answer to a question asked at `askedAt`; its cost is spent already. */
  adopt(answer: Answer, askedAt: number, cost: number, kind: Kind = 'reads'): void {
    this.renewing(0);
    this.#heard = { answer, askedAt, cost };
    this.#returning = 0;
    if (answer.lease === 0) return;
    this.#close();
    const spent = new SpentLog();
    if (cost > 0) spent.add(0, cost);
    const lease = { id: answer.lease, block: answer.granted, askedAt, ms: answer.leaseMs, spent, left: answer.granted - cost, kinds: {} };
    note(lease, kind, cost);
    this.#state = { kind: 'leased', lease, renewsAt: 0, under: this.#resting() };
  }

  /** Whether something unspent is to be given back, or what was spent to be told for the day. */
  mustReturn(now: number): boolean {
    this.#live(now);
    return this.#keepsDays ? this.#closed.length > 0 : unusedOf(this.#closed) > 0;
  }

  /** Decides without the counter: the same plan, for this isolate alone. */
  decideAlone({ cost, paid = 0 }: Costs, now: number): Answer {
    return this.#alone().counter.decide({ ...this.#asked('reads'), cost, paid, want: cost, settled: [] }, now);
  }

  #asked(kind: Kind): Pick<Ask, 'windows' | 'days'> {
    const { windows, quota } = this.plan;
    return this.#keepsDays ? { windows, days: { kind, ...(quota === undefined ? {} : { quota }) } } : { windows };
  }

  #live(now: number): Lease | undefined {
    if (this.#state.kind !== 'leased') return undefined;
    const { lease } = this.#state;
    if (lease.left > 0 && now >= lease.askedAt && now < lease.askedAt + lease.ms) return lease;
    this.#close();
    return undefined;
  }

  #resting(): Asking | Alone {
    return this.#state.kind === 'leased' ? this.#state.under : this.#state;
  }

  #close(): void {
    if (this.#state.kind !== 'leased') return;
    const { lease, under } = this.#state;
    this.#blockMin = lease.block - lease.left > leaseLimits.blockMin / 4 ? leaseLimits.blockMin : 1;
    const { id, spent, left: unused, kinds } = lease;
    this.#closed.push({ lease: id, spent: spent.moments, unused, ...(this.#keepsDays ? { kinds } : {}) });
    this.#state = under;
  }

  /** One counter for all the times that the caller's own was away: an outage that comes and goes does not start it anew. */
  #alone(): Alone {
    const resting = this.#resting();
    if (resting.kind === 'alone') return resting;
    const alone: Alone = { kind: 'alone', since: 0, until: 0, counter: new Counter() };
    if (this.#state.kind === 'leased') this.#state.under = alone;
    else this.#state = alone;
    return alone;
  }
}

function note({ kinds }: Lease, kind: Kind, cost: number): void {
  kinds[kind] = (kinds[kind] ?? 0) + cost;
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
