/** Thrown by a handler whose attempt failed as it may, with the pause that it wants before the next one. */
export class TryLater extends Error {
  /** Milliseconds. */
  readonly pauseMs: number;

  constructor(message: string, pauseMs: number) {
    super(message);
    this.pauseMs = pauseMs;
  }
}
