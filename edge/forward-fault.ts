/** What went wrong between edge and origin, as the caller may know it. */
import { Fault } from '../shared/contract/fault.ts';
import { edgeLimits } from './limits.ts';

/** `cause` is what `fetch` or a body threw: the request's deadline, or a connection that failed. */
export function toForwardFault(cause: unknown): Fault {
  const late = cause instanceof Error && (cause.name === 'TimeoutError' || cause.name === 'AbortError');
  return late ? new Fault('deadline_exceeded', { detail: 'the origin did not answer in time', cause }) : originUnavailable({ cause });
}

export function originUnavailable(given: { readonly cause?: unknown; readonly facts?: Readonly<Record<string, unknown>> }): Fault {
  return new Fault('origin_unavailable', { ...given, detail: 'try again', headers: { 'retry-after': String(edgeLimits.retryAfterSeconds) } });
}
