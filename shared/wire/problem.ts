/** Problem documents: RFC 9457, `application/problem+json`. The only shape in which Tombolo refuses. */
import { type Fault, type FaultReason, type FieldError, problemKindOf } from './fault.ts';

export const problemMediaType = 'application/problem+json';

export interface Problem {
  readonly type: string;
  readonly title: string;
  readonly status: number;
  readonly detail?: string;
  readonly instance: string;
  readonly code: string;
  readonly errors?: readonly FieldError[];
}

/** `instance` names this occurrence: the request's id, the same that stands in `X-Request-Id` and the log. */
export function toProblem(fault: Fault, requestId: string): Problem {
  const { title, status } = problemKindOf(fault.reason);
  return {
    ...fault.members,
    type: problemTypeOf(fault.reason),
    title,
    status,
    ...(fault.detail === undefined ? {} : { detail: fault.detail }),
    instance: `urn:tombolo:request:${requestId}`,
    code: fault.reason,
    ...(fault.errors.length === 0 ? {} : { errors: fault.errors }),
  };
}

export function problemTypeOf(reason: FaultReason): string {
  return problemKindOf(reason).type ?? `urn:tombolo:problem:${reason}`;
}

/** The headers of a problem document, by lower-case name. */
export function toProblemHeaders({ headers }: Fault): Record<string, string> {
  return { ...headers, 'content-type': problemMediaType, 'cache-control': 'no-store' };
}

export function toProblemResponse(fault: Fault, requestId: string): Response {
  return new Response(JSON.stringify(toProblem(fault, requestId)), { status: fault.status, headers: toProblemHeaders(fault) });
}
