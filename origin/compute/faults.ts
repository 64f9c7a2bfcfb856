/** Why the pool gave no answer. What a transform itself refuses (`CsvRefused`) comes through as it is. */
export type ComputeReason =
  /** No place in the queue or among the sessions: try again later. */
  | 'compute_full'
  /** The call kept its thread past its time; the thread was ended. */
  | 'compute_deadline'
  /** The thread ended under the call, or earlier under its session. */
  | 'compute_thread_lost'
  /** The module trapped; the thread was replaced with its instance. */
  | 'compute_trapped'
  /** The handler threw something that has no name of its own. */
  | 'compute_failed'
  | 'compute_closed';

export class ComputeFault extends Error {
  override readonly name: string = 'ComputeFault';
  readonly reason: ComputeReason;
  constructor(reason: ComputeReason, detail: string, options?: ErrorOptions) {
    super(`${reason}: ${detail}`, options);
    this.reason = reason;
  }
}

/** The caller answers 503 with `Retry-After`. Nothing was begun. */
export class PoolFull extends ComputeFault {
  override readonly name = 'PoolFull';
  readonly retryAfterSeconds: number;
  constructor(detail: string, retryAfterSeconds: number) {
    super('compute_full', detail);
    this.retryAfterSeconds = retryAfterSeconds;
  }
}
