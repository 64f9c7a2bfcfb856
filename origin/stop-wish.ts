/** The wish that a program stops: the first one is granted, a second one does not wait. */

/** A launcher (npm, bun) passes on the signal that the terminal has sent to us as well: together they are one wish. */
const oneWishMs = 500;

export class StopWish {
  #sinceMs: number | undefined;

  get isMade(): boolean {
    return this.#sinceMs !== undefined;
  }

  async make(close: () => Promise<void>): Promise<void> {
    if (this.#sinceMs !== undefined) {
      if (performance.now() - this.#sinceMs > oneWishMs) process.exit(1);
      return;
    }
    this.#sinceMs = performance.now();
    await close();
    process.exit(0);
  }
}
