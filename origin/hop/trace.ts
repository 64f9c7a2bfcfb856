/** What a request is called in logs: its own id, and the trace that it is a part of (W3C Trace Context). */
import type { VerifiedHop } from './verify.ts';

export interface Trace {
  /** The id in the log and in problem documents. */
  readonly requestId: string;
  readonly traceId: string | undefined;
}

/** The trace of a request whose signature does not hold: nothing that it says is believed. */
export const unknownTrace: Trace = { requestId: 'none', traceId: undefined };

/** The edge signs a `traceparent` of version 00 in full: 32 hexadecimal digits of it are the id of the trace. */
export function traceOf(hop: VerifiedHop): Trace {
  return { requestId: hop.header('tombolo-request') ?? 'none', traceId: hop.header('traceparent')?.slice(3, 35) };
}
