/** Bytes that wait for those behind them: in one buffer, so that many small pieces take no more than their bytes. */
export class HeldBytes {
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #length = 0;

  get length(): number {
    return this.#length;
  }

  /** Until more are added. */
  get bytes(): Uint8Array {
    return this.#buffer.subarray(0, this.#length);
  }

  /** Copies them: whoever reads may use the buffer again. */
  add(part: Uint8Array): void {
    if (this.#length + part.length > this.#buffer.length) {
      const larger = new Uint8Array(Math.max(2 * this.#buffer.length, this.#length + part.length));
      larger.set(this.bytes);
      this.#buffer = larger;
    }
    this.#buffer.set(part, this.#length);
    this.#length += part.length;
  }

  /** All of them, and none are held any more. */
  take(): Uint8Array {
    const taken = this.bytes;
    this.#buffer = new Uint8Array(0);
    this.#length = 0;
    return taken;
  }
}
