/** Problem documents: RFC 9457, `application/problem+json`. The only shape in which Tombolo refuses. */
import { type Fault, type FaultReason, type FieldError, problemKindOf } from './fault.ts';

export const problemMediaType = 'application/problem+json';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance: string;
  readonly traceId?: string;
  readonly code: string;
  readonly errors?: readonly FieldError[];
}

/** What an occurrence is called, the same that stands in the log: the request's id, as in `X-Request-Id`, and its trace. */
export interface Occurrence {
  readonly requestId: string;
  readonly traceId?: string | undefined;
}

export function toProblem(fault: Fault, { requestId, traceId }: Occurrence): Problem {
  const { title, status } = problemKindOf(fault.reason);
  return {
    ...fault.members,
    type: problemTypeOf(fault.reason),
    title,
    status,
    ...(fault.detail === undefined ? {} : { detail: fault.detail }),
    instance: instanceOf(requestId),
    ...(traceId === undefined ? {} : { traceId }),
    code: fault.reason,
    ...(fault.errors.length === 0 ? {} : { errors: fault.errors }),
  };
}

export function instanceOf(requestId: string): string {
  return `urn:tombolo:request:${requestId}`;
}

export function problemTypeOf(reason: FaultReason): string {
  return problemKindOf(reason).type ?? `urn:tombolo:problem:${reason}`;
}

/** The headers of a problem document, by lower-case name. */
export function toProblemHeaders({ headers }: Fault): Record<string, string> {
  return { ...headers, 'content-type': problemMediaType, 'cache-control': 'no-store' };
}

export function toProblemResponse(fault: Fault, occurrence: Occurrence): Response {
  return new Response(JSON.stringify(toProblem(fault, occurrence)), { status: fault.status, headers: toProblemHeaders(fault) });
}
