/**
 * The requests of one caller that are under way. Each is in a slot from when it is counted until it is said to be over. Whoever
 * holds a slot says again and again that it goes on: of an isolate that ended, slots are free after `msMax`.
 * Pure: the clock comes with each call.
 */
export const slotLimits = {
  /** A slot is free this long after somebody last said that it goes on. */
  msMax: 15_000,
  /** How often it is said: of three, two may be lost. */
  goesOnEveryMs: 5_000,
  /** What a refused caller is told to wait, at most and at least: when requests end is not known. */
  retryMsMax: 60_000,
  retryMsMin: 1_000,
} as const;

export interface Slot {
  /** Made by whoever holds it, who can so give it back without having heard that it was given. */
  readonly id: number;
  /** Milliseconds of the epoch. */
  readonly since: number;
  readonly until: number;
}

/** What a question to the counter says of one request. */
export type UnderWay =
  | { readonly does: 'begin'; readonly id: number; readonly max: number }
  | { readonly does: 'go on' | 'end'; readonly id: number };

export class Slots {
  readonly #slots = new Map<number, Slot>();

  constructor(kept: readonly Slot[] = []) {
    for (const slot of kept) this.#slots.set(slot.id, slot);
  }

  used(now: number): number {
    for (const { id, until } of this.#slots.values()) if (until <= now) this.#slots.delete(id);
    return this.#slots.size;
  }

  begin(id: number, now: number): void {
    this.#slots.set(id, { id, since: now, until: now + slotLimits.msMax });
  }

  /** A counter that has begun anew learns of a slot so, and one by which it was free already. */
  goOn(id: number, now: number): void {
    this.used(now);
    this.#slots.set(id, { id, since: this.#slots.get(id)?.since ?? now, until: now + slotLimits.msMax });
  }

  end(id: number): void {
    this.#slots.delete(id);
  }

  /** A guess: that the youngest request goes on for as long as it has gone on already. */
  retryMs(now: number): number {
    const ages = [...this.#slots.values()].map(({ since }) => now - since);
    return Math.min(Math.max(Math.min(...ages), slotLimits.retryMsMin), slotLimits.retryMsMax);
  }

  /** All that an earlier life would have to know. */
  rows(now: number): readonly Slot[] {
    this.used(now);
    return [...this.#slots.values()];
  }
}
