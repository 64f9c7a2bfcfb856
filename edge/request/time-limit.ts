/** The end of a request's time: one timer for all that it waits for, since each more costs workerd 13 µs. */
export class TimeLimit {
  readonly #controller = new AbortController();
  readonly #timer: ReturnType<typeof setTimeout>;
  /** Ends the wait that is under way. */
  #cutShort: ((reason: DOMException) => void) | undefined;

  /** `deadlineAt`: milliseconds of the epoch. */
  constructor(deadlineAt: number) {
    this.#timer = setTimeout(() => this.#end(), Math.max(1, deadlineAt - Date.now()));
  }

  /** Aborts at the end: for `fetch`, and the body that it answers with. */
  get signal(): AbortSignal {
    return this.#controller.signal;
  }

  /** Waits for what takes no signal. Rejects with a `TimeoutError` when `work` has not settled in time; one wait at a time. */
  within<T>(work: Promise<T>): Promise<T> {
    return new Promise((resolve, reject) => {
      this.#cutShort = reject;
      work.then(resolve, reject);
    });
  }

  /** Ends the limit: what waits now, or later, may take as long as it likes. */
  lift(): void {
    clearTimeout(this.#timer);
  }

  #end(): void {
    const reason = new DOMException('the time of the request is over', 'TimeoutError');
    this.#controller.abort(reason);
    this.#cutShort?.(reason);
  }
}
