/**
 * A sliding log: what was spent, and when. Exact: a charge counts from its moment until `spanMs` later, and
 * not a moment longer or shorter. Charges of one moment share an entry, so the log is never longer than its
 * limit, or than the span counted in quanta.
 *
 * Moments may lie ahead: tokens leased to an isolate count as spent when the lease ends.
 */
interface Entry {
  readonly at: number;
  amount: number;
}

/** Milliseconds of the epoch, and how much. */
export type Charge = readonly [at: number, amount: number];

export class SlidingLog {
  readonly #spanMs: number;
  /** Sorted by time; entries before `#first` have left the window. */
  #entries: Entry[] = [];
  #first = 0;
  #total = 0;

  constructor(spanMs: number) {
    this.#spanMs = spanMs;
  }

  /** What is spent within the span that ends now. */
  used(now: number): number {
    const passed = now - this.#spanMs;
    for (let entry = this.#entries[this.#first]; entry !== undefined && entry.at <= passed; entry = this.#entries[this.#first]) {
      this.#total -= entry.amount;
      this.#first++;
    }
    if (this.#first > 256 && this.#first * 2 > this.#entries.length) this.#compact();
    return this.#total;
  }

  /** What counts now, or will. */
  charges(now: number): readonly Charge[] {
    this.used(now);
    return this.#entries.slice(this.#first).filter(({ amount }) => amount > 0).map(({ at, amount }) => [at, amount]);
  }

  add(at: number, amount: number): void {
    let index = this.#entries.length;
    while (index > this.#first && (this.#entries[index - 1]?.at ?? 0) > at) index--;
    const before = index > this.#first ? this.#entries[index - 1] : undefined;
    if (before?.at === at) before.amount += amount;
    else this.#entries.splice(index, 0, { at, amount });
    this.#total += amount;
  }

  /** Takes back up to `amount` of what was charged at exactly that moment; returns how much there was. */
  take(at: number, amount: number): number {
    for (let index = this.#entries.length - 1; index >= this.#first; index--) {
      const entry = this.#entries[index];
      if (entry === undefined || entry.at < at) return 0;
      if (entry.at > at) continue;
      const taken = Math.min(amount, entry.amount);
      entry.amount -= taken;
      this.#total -= taken;
      return taken;
    }
    return 0;
  }

  /** Milliseconds until at least `amount` of what counts now has left; the whole span if nothing counts. */
  msUntilFreed(amount: number, now: number): number {
    let freed = 0;
    for (let index = this.#first; index < this.#entries.length; index++) {
      const entry = this.#entries[index];
      freed += entry?.amount ?? 0;
      if (entry !== undefined && freed >= amount && freed > 0) return Math.max(1, entry.at + this.#spanMs - now);
    }
    return this.#spanMs;
  }

  #compact(): void {
    this.#entries = this.#entries.slice(this.#first);
    this.#first = 0;
  }
}
