/**
 * What one caller has spent, by day (UTC) and kind of operation. The quota of a month is counted from it, and its owner may read it.
 * Units leased to an isolate are `unsettled` until it tells what they were spent on; where it never does they stay so, as spent.
 */
export const kinds = ['reads', 'streams', 'writes', 'unsettled'] as const;
export type Kind = (typeof kinds)[number];

export interface Spent {
  /** A whole number of days since the epoch. */
  readonly day: number;
  /** `told`, on the first day of a month: the share of its quota that was told of last, in percent. */
  readonly kind: Kind | 'told';
  /** In units of the plan. */
  readonly amount: number;
}

/** Called for every change that a restart must not forget: so much more. */
export type KeepSpent = (spent: Spent) => void;

export const dayMs = 86_400_000;
/** The present one included: this month and the one before, whole. */
export const daysKept = 62;

export class Days {
  readonly #keep: KeepSpent;
  readonly #days = new Map<number, Map<Spent['kind'], number>>();

  constructor(keep: KeepSpent = () => undefined, kept: readonly Spent[] = []) {
    this.#keep = keep;
    for (const spent of kept) this.#add(spent);
  }

  add(spent: Spent): void {
    const { day, amount } = spent;
    if (amount === 0) return;
    for (const known of this.#days.keys()) if (known <= day - daysKept) this.#days.delete(known);
    this.#add(spent);
    this.#keep(spent);
  }

  /** In the month of that moment. */
  usedInMonth(now: number): number {
    const [first, end] = monthOf(now);
    let used = 0;
    for (const [day, spent] of this.#days) {
      if (day >= first && day < end) for (const [kind, amount] of spent) if (kind !== 'told') used += amount;
    }
    return used;
  }

  /** 80 or 100: so many percent of the quota are used in this month, for the first time; else 0. */
  tell(now: number, quota: number): number {
    const [day] = monthOf(now);
    const used = this.usedInMonth(now);
    const share = used >= quota ? 100 : used >= quota * 0.8 ? 80 : 0;
    const told = this.#days.get(day)?.get('told') ?? 0;
    if (share <= told) return 0;
    this.add({ day, kind: 'told', amount: share - told });
    return share;
  }

  /** What was spent, in the order in which it was, or was kept: by day. */
  spent(now: number): readonly Spent[] {
    return this.rows(now).filter(({ kind }) => kind !== 'told');
  }

  /** All that an earlier life would have to know. */
  rows(now: number): readonly Spent[] {
    return [...this.#days]
      .filter(([day]) => day > dayOf(now) - daysKept)
      .flatMap(([day, spent]) => [...spent].filter(([, amount]) => amount !== 0).map(([kind, amount]) => ({ day, kind, amount })));
  }

  #add({ day, kind, amount }: Spent): void {
    const spent = this.#days.get(day) ?? new Map<Spent['kind'], number>();
    spent.set(kind, (spent.get(kind) ?? 0) + amount);
    this.#days.set(day, spent);
  }
}

export function dayOf(ms: number): number {
  return Math.floor(ms / dayMs);
}

/** The first day of its month, and of the one after. */
export function monthOf(ms: number): readonly [first: number, end: number] {
  const date = new Date(ms);
  const [year, month] = [date.getUTCFullYear(), date.getUTCMonth()];
  return [dayOf(Date.UTC(year, month, 1)), dayOf(Date.UTC(year, month + 1, 1))];
}
