/**
 * When the tokens of a lease were spent, in milliseconds since the lease was asked for: to the millisecond
 * while there are few moments, and coarser the more there are, always rounded up.
 */
export type Moment = readonly [offsetMs: number, amount: number];

/** A settlement of so many moments has half a kilobyte. */
export const momentsMax = 64;

export class SpentLog {
  #grainMs = 1;
  #moments: [offsetMs: number, amount: number][] = [];

  get moments(): readonly Moment[] {
    return this.#moments;
  }

  /** Offsets never go back. */
  add(offsetMs: number, amount: number): void {
    this.#push(offsetMs, amount);
    if (this.#moments.length <= momentsMax) return;
    this.#grainMs *= 2;
    const finer = this.#moments;
    this.#moments = [];
    for (const [offset, spent] of finer) this.#push(offset, spent);
  }

  #push(offsetMs: number, amount: number): void {
    const offset = Math.ceil(offsetMs / this.#grainMs) * this.#grainMs;
    const last = this.#moments.at(-1);
    if (last !== undefined && last[0] >= offset) last[1] += amount;
    else this.#moments.push([offset, amount]);
  }
}
