/**
 * What one caller has spent, by day (UTC) and kind of operation. The quota of a month is counted from it, and its owner may read it.
 * Units leased to an isolate are `unsettled` until it tells what they were spent on; where it never does they stay so, as spent.
 */
export const kinds = ['reads', 'streams', 'writes', 'unsettled'] as const;
export type Kind = (typeof kinds)[number];

export interface Spent {
  /** A whole number of days since the epoch. */
  readonly day: number;
  readonly kind: Kind;
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
  readonly #days = new Map<number, Map<Kind, number>>();

  constructor(keep: KeepSpent = () => undefined, kept: Iterable<Spent> = []) {
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
    for (const [day, spent] of this.#days) if (day >= first && day < end) for (const amount of spent.values()) used += amount;
    return used;
  }

  /** Ordered by day. */
  spent(now: number): readonly Spent[] {
    return [...this.#days]
      .filter(([day]) => day > dayOf(now) - daysKept)
      .sort(([a], [b]) => a - b)
      .flatMap(([day, spent]) => [...spent].filter(([, amount]) => amount !== 0).map(([kind, amount]) => ({ day, kind, amount })));
  }

  #add({ day, kind, amount }: Spent): void {
    const spent = this.#days.get(day) ?? new Map<Kind, number>();
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
