/** The flood shield in one process: requests of each address in a window, in memory. */
import { edgeLimits } from '../../edge/limits.ts';

/** Addresses of one window, 10 MB; past them the window begins anew: it protects against load, not against people. */
const addressesMax = 100_000;
const windowMs = edgeLimits.floodSeconds * 1_000;

export class FloodShield {
  readonly #requestsMax: number;
  readonly #now: () => number;
  #asked = new Map<string, number>();
  #endsAt = 0;

  constructor(requestsMax: number, now: () => number = Date.now) {
    this.#requestsMax = requestsMax;
    this.#now = now;
  }

  isWithin(address: string): boolean {
    const leftMs = this.#endsAt - this.#now();
    // More than a window has is left where the clock was set back.
    if (leftMs <= 0 || leftMs > windowMs || this.#asked.size >= addressesMax) this.#begin();
    const asked = (this.#asked.get(address) ?? 0) + 1;
    this.#asked.set(address, asked);
    return asked <= this.#requestsMax;
  }

  #begin(): void {
    this.#asked = new Map();
    this.#endsAt = this.#now() + windowMs;
  }
}
