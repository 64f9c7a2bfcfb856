/** A wait that ends early when it is woken; to be woken while nobody waits ends the next wait at once. */
import { Wake } from '../store/wake.ts';

export class WakeUp {
  readonly #wake = new Wake();
  #isWoken = false;

  now(): void {
    this.#isWoken = true;
    this.#wake.all();
  }

  /** For `ms` at most, or until the signal aborts; never throws. */
  async wait(ms: number, signal: AbortSignal): Promise<void> {
    if (!this.#isWoken) await this.#wake.wait(ms, signal);
    this.#isWoken = false;
  }
}
