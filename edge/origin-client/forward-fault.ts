/** What went wrong between edge and origin, as the caller may know it. */
import { type LoadLevel, loadRetrySeconds } from '../../shared/operations/load-level.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { edgeLimits } from '../limits.ts';

export interface Failure {
  /** Whether what was asked may have been done although nobody said so: an effect that was sent. */
  readonly mayBeDone: boolean;
  readonly cause?: unknown;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** `cause` is what `fetch` or a body threw: the request's deadline, or a connection that failed. */
export function toForwardFault({ mayBeDone, cause }: Failure): Fault {
  const late = cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError');
  if (!late) return originUnavailable({ mayBeDone, cause });
  return new Fault('deadline_exceeded', {
    detail: `the origin did not answer in time${mayBeDone ? `; ${outcomeUnknown}` : ''}`,
    cause,
    members: toMembers(mayBeDone),
  });
}

export function originUnavailable({ mayBeDone, cause, facts }: Failure): Fault {
  return new Fault('origin_unavailable', {
    ...(cause === undefined ? {} : { cause }),
    ...(facts === undefined ? {} : { facts }),
    detail: mayBeDone ? outcomeUnknown : 'try again',
    members: toMembers(mayBeDone),
    headers: { 'retry-after': String(edgeLimits.retryAfterSeconds) },
  });
}

/** What is not asked, since the origin says that it has too much to do for that. */
export function originLoaded(level: LoadLevel): Fault {
  return new Fault('overloaded', {
    detail: 'the origin has too much to do, and nothing was sent to it',
    headers: { 'retry-after': String(loadRetrySeconds[level]) },
  });
}

/** What is not asked, since the origin does not answer: nothing was done. */
export function originPaused(waitMs: number): Fault {
  return new Fault('origin_unavailable', {
    detail: 'the origin has not answered for a while; nothing was sent to it',
    facts: { paused: true },
    headers: { 'retry-after': String(Math.ceil(waitMs / 1_000)) },
  });
}

const outcomeUnknown = 'whether this was carried out is not known: read before you send it again, or send it with an Idempotency-Key';

function toMembers(mayBeDone: boolean): Readonly<Record<string, unknown>> {
  return mayBeDone ? { outcome: 'unknown' } : {};
}
