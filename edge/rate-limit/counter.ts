/**
 * The counter of one caller: a sliding log for each window of the plan, decided together, all or nothing.
 * Pure: the clock comes with each question, and what must outlive the process goes to `keep`.
 *
 * An exact question is charged when it is asked. A leased one is charged for its whole block at the moment at
 * which the lease ends, the latest at which it may be spent; when the isolate settles, what was spent moves
 * back to when that was, and the rest is taken off. So no token leaves the window before a whole window has
 * passed since it was spent, and none is ever overdrawn. The error is one-sided, a little too strict:
 *
 *   what lies unspent in leases: ≤ 5 % of what was left for each isolate, for ≤ 2 s
 *   in time: the latency of the counter, a sixty-fourth of a lease, and for limits over 2 048 one quantum (span ÷ 2 048)
 *
 * The quota of a calendar month (UTC) is decided with the windows, over the days that are kept of the caller (`days.ts`). No lease
 * reaches into the next day, so what is charged to a day was spent on it. Of a plan that bounds how many requests are under way at
 * once, the slot of a request is given with the windows, or neither is (`slots.ts`).
 */
import { dayMs, dayOf, Days, type Kind, kinds, monthOf, type Spent } from './days.ts';
import { type Charge, SlidingLog } from './sliding-log.ts';
import { type Slot, Slots, type UnderWay } from './slots.ts';
import { type Moment, momentsMax } from './spent-log.ts';

export const leaseLimits = {
  /** A lease is this share of what is left: the last tokens are given one by one, and no isolate can hoard. */
  share: 0.05,
  msMax: 2_000,
  /** A lease is not longer than this part of the shortest window either. */
  partOfWindow: 0.1,
  /** What a first question takes beyond its need: a page that opens asks several things at once. */
  blockMin: 8,
  /** A lease that is settled later than this after its end stays spent. */
  settleMsMax: 10_000,
  /** While a lease has ended and is not settled, a refusal holds for so long: what it left unspent may come back. */
  unsettledMs: 250,
  /** Up to this limit each charge keeps its own millisecond; above, moments are rounded up to `span ÷ this`. */
  entriesMax: 2_048,
} as const;

export interface CountedWindow {
  readonly limit: number;
  readonly seconds: number;
}

export interface Settlement {
  readonly lease: number;
  readonly spent: readonly Moment[];
  readonly unused: number;
  /** What was spent, by kind; where days are kept of the caller. */
  readonly kinds?: Readonly<Partial<Record<Kind, number>>>;
}

export interface Ask {
  readonly windows: readonly CountedWindow[];
  /** Units spent at once; 0 to settle alone. */
  readonly cost: number;
  /** Units of the same request that are spent already: who is refused asks for them again. */
  readonly paid?: number | undefined;
  /** How much the isolate could use within a lease, the cost included; not over the cost: no lease. */
  readonly want: number;
  readonly settled: readonly Settlement[];
  /** What days are kept of: the kind of the cost, and the quota of a month where there is one. */
  readonly days?: { readonly kind: Kind; readonly quota?: number };
  /** Of one request; where the plan bounds how many are under way. */
  readonly underWay?: UnderWay;
}

export interface Standing {
  readonly left: number;
  /** Milliseconds until more is left; the whole window where nothing is spent. */
  readonly resetMs: number;
  readonly violated: boolean;
}

export interface Answer {
  /** 0: refused. More than the cost: a lease. */
  readonly granted: number;
  readonly lease: number;
  readonly leaseMs: number;
  /** The windows as asked, and then the month if there is a quota, after this decision. */
  readonly windows: readonly Standing[];
  /** Milliseconds until the windows have room again, after a refusal. */
  readonly retryMs: number;
  /** Milliseconds for which the same question is refused again, also if leases are given back. */
  readonly vainMs: number;
  /** 80 or 100: with this decision so many percent of the month's quota are used, which is told once. */
  readonly share?: number;
  /** Slots that are free after this decision, where the question was for one. */
  readonly free?: number;
  /** Refused for want of a slot: the windows have room. */
  readonly isFull?: true;
}

/** Called for every change that a restart must not forget: `amount` more at `at` in the window of `seconds`. */
export type Keep = (seconds: number, at: number, amount: number) => void;

/** Plain values: all that a counter knows, for where several processes take it up by turns. */
export interface CounterState {
  readonly lastLease: number;
  readonly logs: readonly (readonly [seconds: number, charges: readonly Charge[]])[];
  readonly leases: readonly (readonly [id: number, Lease])[];
  /** Absent in what earlier versions have kept. */
  readonly days?: readonly Spent[];
  readonly slots?: readonly Slot[];
}

interface Lease {
  readonly windows: readonly CountedWindow[];
  readonly block: number;
  readonly grantedAt: number;
  readonly endsAt: number;
  /** The day that it is charged to; absent: none is kept. */
  readonly day?: number;
}

export class Counter {
  readonly #keep: Keep;
  readonly #days: Days;
  readonly #slots: Slots;
  readonly #logs = new Map<number, SlidingLog>();
  readonly #leases = new Map<number, Lease>();
  #lastLease: number;

  /** `lastLease`: at random where a counter may live again, so that leases of its earlier life are not its own. */
  constructor(keep: Keep = () => undefined, lastLease = 0, days = new Days(), slots = new Slots()) {
    this.#keep = keep;
    this.#days = days;
    this.#slots = slots;
    this.#lastLease = lastLease;
  }

  static of({ lastLease, logs, leases, days, slots }: CounterState): Counter {
    const counter = new Counter(undefined, lastLease, new Days(undefined, days), new Slots(slots));
    for (const [seconds, charges] of logs) for (const [at, amount] of charges) counter.restore(seconds, at, amount);
    for (const [id, lease] of leases) counter.#leases.set(id, lease);
    return counter;
  }

  state(now: number): CounterState {
    return {
      lastLease: this.#lastLease,
      logs: [...this.#logs].map(([seconds, log]) => [seconds, log.charges(now)] as const),
      leases: [...this.#leases],
      days: this.#days.rows(now),
      slots: this.#slots.rows(now),
    };
  }

  /** What an earlier life of this counter has kept. */
  restore(seconds: number, at: number, amount: number): void {
    this.#log(seconds).add(at, amount);
  }

  decide(ask: Ask, now: number): Answer {
    const answer = this.#decideUnderWay(ask, now);
    const share = ask.days?.quota === undefined ? 0 : this.#days.tell(now, ask.days.quota);
    return share === 0 ? answer : { ...answer, share };
  }

  #decideUnderWay(ask: Ask, now: number): Answer {
    const { underWay } = ask;
    if (underWay?.does === 'end') this.#slots.end(underWay.id);
    if (underWay?.does === 'go on') this.#slots.goOn(underWay.id, now);
    const answer = this.#decide(ask, now);
    if (underWay?.does !== 'begin') return answer;
    if (answer.granted > 0) this.#slots.begin(underWay.id, now);
    return { ...answer, free: Math.max(0, underWay.max - this.#slots.used(now)) };
  }

  #decide(ask: Ask, now: number): Answer {
    this.#forgetLeases(now);
    for (const settlement of ask.settled) this.#settle(settlement);
    const left = ask.windows.map(({ limit, seconds }) => limit - this.#log(seconds).used(now));
    if (ask.days?.quota !== undefined) left.push(ask.days.quota - this.#days.usedInMonth(now));
    if (left.some((room) => room < ask.cost)) return this.#refusal(ask, left, now);
    if (ask.underWay?.does === 'begin' && this.#slots.used(now) >= ask.underWay.max) {
      const windows = this.#standings(ask, left, 0, now);
      return { granted: 0, lease: 0, leaseMs: 0, windows, retryMs: this.#slots.retryMs(now), vainMs: 0, isFull: true };
    }
    const block = Math.max(ask.cost, Math.min(ask.want, Math.floor(Math.min(...left) * leaseLimits.share)));
    const leased = block > ask.cost && (ask.days === undefined || dayOf(now + leaseMsOf(ask.windows)) === dayOf(now));
    if (leased) return this.#leased(ask, block, left, now);
    this.#spend(ask, now);
    return { granted: ask.cost, lease: 0, leaseMs: 0, windows: this.#standings(ask, left, ask.cost, now), retryMs: 0, vainMs: 0 };
  }

  #leased(ask: Ask, block: number, left: readonly number[], now: number): Answer {
    const lease = this.#grant(ask, block, now);
    const windows = this.#standings(ask, left, block, now);
    return { granted: block, lease, leaseMs: leaseMsOf(ask.windows), windows, retryMs: 0, vainMs: 0 };
  }

  #spend({ windows, cost, days }: Ask, now: number): void {
    if (cost === 0) return;
    for (const window of windows) this.#charge(window, now, cost);
    if (days !== undefined) this.#days.add({ day: dayOf(now), kind: days.kind, amount: cost });
  }

  #refusal(ask: Ask, left: readonly number[], now: number): Answer {
    const windows = this.#standings(ask, left, 0, now).map((standing, index) => ({ ...standing, violated: (left[index] ?? 0) < ask.cost }));
    const waitFor = (units: number): number => Math.max(...windows.map(({ resetMs }, index) => {
      const [seconds, lacking] = [ask.windows[index]?.seconds, units - (left[index] ?? 0)];
      if (lacking <= 0) return 0;
      return seconds === undefined ? resetMs : this.#log(seconds).msUntilFreed(lacking, now);
    }));
    // What lies unspent in a lease comes back when it ends, or a moment later.
    const ends = [...this.#leases.values()].map(({ endsAt }) => Math.max(endsAt - now, leaseLimits.unsettledMs));
    const retryMs = waitFor(ask.cost + (ask.paid ?? 0));
    return { granted: 0, lease: 0, leaseMs: 0, windows, retryMs, vainMs: Math.min(waitFor(ask.cost), ...ends) };
  }

  /** Of what was left, when so much more is spent. */
  #standings({ windows }: Ask, left: readonly number[], spent: number, now: number): readonly Standing[] {
    return left.map((room, index) => {
      const seconds = windows[index]?.seconds;
      const resetMs = seconds === undefined
        ? monthOf(now)[1] * dayMs - now
        : Math.min(this.#log(seconds).msUntilFreed(1, now), seconds * 1_000);
      return { left: Math.max(0, room - spent), resetMs, violated: false };
    });
  }

  #grant({ windows, days }: Ask, block: number, now: number): number {
    const lease = { windows, block, grantedAt: now, endsAt: now + leaseMsOf(windows), ...(days === undefined ? {} : { day: dayOf(now) }) };
    for (const window of windows) this.#charge(window, lease.endsAt, block);
    if (days !== undefined) this.#days.add({ day: dayOf(now), kind: 'unsettled', amount: block });
    this.#leases.set(++this.#lastLease, lease);
    return this.#lastLease;
  }

  #charge(window: CountedWindow, at: number, amount: number): void {
    const moment = toMoment(window, at);
    this.#log(window.seconds).add(moment, amount);
    this.#keep(window.seconds, moment, amount);
  }

  #settle({ lease: id, spent, unused, kinds: byKind = {} }: Settlement): void {
    const lease = this.#leases.get(id);
    const total = spent.reduce((sum, [, amount]) => sum + amount, unused);
    if (lease === undefined || total !== lease.block || spent.length > momentsMax) return;
    this.#leases.delete(id);
    for (const window of lease.windows) this.#restamp(window, lease, spent, unused);
    if (lease.day !== undefined) this.#settleDay(lease.day, unused, byKind);
  }

  /** What is not told stays unsettled, so the sum is that of what was spent in any case. */
  #settleDay(day: number, unused: number, byKind: NonNullable<Settlement['kinds']>): void {
    let settled = unused;
    for (const kind of kinds) {
      const amount = byKind[kind] ?? 0;
      settled += amount;
      this.#days.add({ day, kind, amount });
    }
    this.#days.add({ day, kind: 'unsettled', amount: -settled });
  }

  #restamp(window: CountedWindow, { grantedAt, endsAt, block }: Lease, spent: readonly Moment[], unused: number): void {
    const log = this.#log(window.seconds);
    const charged = toMoment(window, endsAt);
    if (log.take(charged, block) < block) return;
    for (const [offsetMs, amount] of spent) log.add(toMoment(window, Math.min(grantedAt + offsetMs, endsAt)), amount);
    // When it was spent is not kept: after a restart that part counts until a lease longer, no more.
    if (unused > 0) this.#keep(window.seconds, charged, -unused);
  }

  #forgetLeases(now: number): void {
    for (const [id, { endsAt }] of this.#leases) if (endsAt + leaseLimits.settleMsMax < now) this.#leases.delete(id);
  }

  #log(seconds: number): SlidingLog {
    const log = this.#logs.get(seconds) ?? new SlidingLog(seconds * 1_000);
    this.#logs.set(seconds, log);
    return log;
  }
}

/** The moment that a charge counts from, rounded up, so that nothing leaves the window early. */
function toMoment({ limit, seconds }: CountedWindow, at: number): number {
  const quantum = limit <= leaseLimits.entriesMax ? 1 : Math.ceil((seconds * 1_000) / leaseLimits.entriesMax);
  return Math.ceil(at / quantum) * quantum;
}

export function leaseMsOf(windows: readonly CountedWindow[]): number {
  const shortest = Math.min(...windows.map(({ seconds }) => seconds * 1_000));
  return Math.min(leaseLimits.msMax, shortest * leaseLimits.partOfWindow);
}
