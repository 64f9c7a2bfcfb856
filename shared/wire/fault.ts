/**
 * The failures of Tombolo, in full. Code throws or returns a `Fault`; one `respond.ts` on each side turns
 * it into a problem document (RFC 9457). Adding a reason makes the compiler point at `problems` below.
 */
import { $ZodAsyncError } from 'zod/v4/core';
import { toBoundedDetail, toBoundedErrors, toBoundedFacts } from './fault-bounds.ts';

/** One place in the input that is wrong. `at` is a JSON Pointer (RFC 6901), a parameter or a header name. */
export interface FieldError {
  readonly at: string;
  readonly in: 'body' | 'query' | 'header' | 'path';
  readonly detail: string;
}

interface ProblemKind {
  readonly status: number;
  readonly title: string;
  /** A type registered with IANA (RFC 9457 §4.2) where there is one; `urn:tombolo:problem:<reason>` otherwise. */
  readonly type?: string;
  /** The level where the status alone would make it an error: what the client itself asked for, a bound that did its work. */
  readonly level?: 'info' | 'warn';
}

/** Every reason with what the world may read of it. Order: input, identity, state, hop, ourselves. */
const problems = {
  route_not_found: { status: 404, title: 'No such route' },
  method_not_allowed: { status: 405, title: 'Method not allowed' },
  version_conflict: { status: 400, title: 'Versions disagree' },
  version_gone: { status: 410, title: 'API version no longer served' },
  version_unknown: { status: 404, title: 'No such API version' },
  not_acceptable: { status: 406, title: 'No acceptable representation' },
  body_too_large: { status: 413, title: 'Body too large' },
  target_too_long: { status: 414, title: 'Target too long' },
  media_type_unsupported: { status: 415, title: 'Media type not supported' },
  headers_too_large: { status: 431, title: 'Header fields too large' },
  body_late: { status: 408, title: 'Body too slow' },
  answer_too_large: { status: 400, title: 'Answer too large in this version' },
  body_malformed: { status: 400, title: 'Body malformed' },
  header_invalid: { status: 400, title: 'Header invalid' },
  path_invalid: { status: 400, title: 'Path invalid' },
  query_invalid: { status: 400, title: 'Query invalid' },
  query_not_served: { status: 400, title: 'No declared shape serves this query' },
  aggregate_too_large: { status: 400, title: 'Aggregate too large' },
  cursor_invalid: { status: 400, title: 'Cursor invalid' },
  document_invalid: { status: 422, title: 'Document invalid' },
  origin_not_allowed: { status: 403, title: 'Origin not allowed' },
  token_missing: { status: 401, title: 'Authentication required' },
  token_invalid: { status: 401, title: 'Token refused' },
  key_invalid: { status: 401, title: 'API key refused' },
  key_restricted: { status: 403, title: 'Not with this API key' },
  signature_invalid: { status: 401, title: 'Webhook refused' },
  forbidden: { status: 403, title: 'Not allowed' },
  // Type and title by draft-ietf-httpapi-ratelimit-headers §5.1.
  limit_exceeded: {
    status: 429,
    title: 'Request cannot be satisfied as assigned quota has been exceeded',
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  },
  // The quota of a calendar month: there is nothing to wait for but its end.
  quota_exceeded: {
    status: 429,
    title: 'Request cannot be satisfied as assigned quota has been exceeded',
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  },
  // Requests of the caller that are under way: there is room again as soon as one of them is over.
  concurrency_exceeded: {
    status: 429,
    title: 'Request cannot be satisfied as assigned quota has been exceeded',
    type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
  },
  document_not_found: { status: 404, title: 'No such document' },
  document_exists: { status: 409, title: 'Document exists' },
  document_conflict: { status: 409, title: 'Conflict' },
  precondition_failed: { status: 412, title: 'Precondition failed' },
  precondition_required: { status: 428, title: 'Precondition required' },
  // What a team's own endpoint refuses: `detail` says what, and `members` what a program may read of it.
  endpoint_refused: { status: 422, title: 'Refused' },
  idempotency_running: { status: 409, title: 'A request with this Idempotency-Key is running' },
  idempotency_mismatch: { status: 422, title: 'Idempotency-Key was used with another request' },
  idempotency_refused: { status: 400, title: 'Idempotency-Key is not accepted here' },
  // What an operation that goes on behind its answer ended with; its status says so.
  operation_cancelled: { status: 409, title: 'Operation cancelled' },
  operation_interrupted: { status: 503, title: 'Operation interrupted', level: 'warn' },
  hop_unsigned: { status: 401, title: 'Unsigned request' },
  hop_key_unknown: { status: 401, title: 'Signed with a key that is not known here' },
  hop_invalid: { status: 401, title: 'Signature invalid' },
  hop_expired: { status: 401, title: 'Signature outside its window' },
  hop_replayed: { status: 401, title: 'Request replayed' },
  identity_unavailable: { status: 503, title: 'Identity provider unavailable' },
  limits_unavailable: { status: 503, title: 'Limits unavailable' },
  origin_unavailable: { status: 503, title: 'Origin unavailable' },
  upstream_failed: { status: 502, title: 'A service behind this one failed' },
  deadline_exceeded: { status: 504, title: 'Deadline exceeded' },
  cursor_moved: { status: 409, title: 'Another process has moved this cursor' },
  not_cached: { status: 504, title: 'Not in the cache', level: 'info' },
  store_busy: { status: 503, title: 'Store busy', level: 'warn' },
  store_unavailable: { status: 503, title: 'Store unavailable' },
  store_read_only: { status: 503, title: 'Tombolo is not installed in this database', level: 'warn' },
  store_refused: { status: 503, title: 'The database refuses this', level: 'warn' },
  shape_not_ready: { status: 503, title: 'The index of this query is not there yet', level: 'warn' },
  unique_not_ready: { status: 503, title: 'The index of this unique key is not there yet', level: 'warn' },
  overloaded: { status: 503, title: 'Overloaded', level: 'warn' },
  misconfigured: { status: 503, title: 'Not configured' },
  document_damaged: { status: 500, title: 'Damaged document' },
  unknown: { status: 500, title: 'Internal error' },
} as const satisfies Record<string, ProblemKind>;

export type FaultReason = keyof typeof problems;

export const faultReasons = Object.keys(problems) as readonly FaultReason[];

export function problemKindOf(reason: FaultReason): ProblemKind {
  return problems[reason];
}

/** How loudly it is logged: a client's mistakes are no errors of ours, however many there are. */
export function levelOf(reason: FaultReason): 'info' | 'warn' | 'error' {
  const { status, level = status >= 500 ? 'error' : 'info' } = problemKindOf(reason);
  return level;
}

export interface FaultFacts {
  /** The words for the caller: what is wrong and what to do. Never a driver's text. */
  readonly detail?: string;
  readonly errors?: readonly FieldError[];
  /** Response headers that belong to the refusal: `Allow`, `Retry-After`, `WWW-Authenticate`. */
  readonly headers?: Readonly<Record<string, string>>;
  /** Extension members that the problem type defines (RFC 9457 §3.2). */
  readonly members?: Readonly<Record<string, unknown>>;
  /** The thrown value behind it, for the log alone. */
  readonly cause?: unknown;
  readonly facts?: Readonly<Record<string, unknown>>;
}

/** What it says is bounded (`fault-bounds.ts`), whoever makes it. */
export class Fault extends Error {
  readonly reason: FaultReason;
  readonly detail: string | undefined;
  readonly errors: readonly FieldError[];
  readonly headers: Readonly<Record<string, string>>;
  readonly members: Readonly<Record<string, unknown>>;
  readonly facts: Readonly<Record<string, unknown>>;

  constructor(reason: FaultReason, given: FaultFacts = {}) {
    const errors = given.errors === undefined ? [] : toBoundedErrors(given.errors);
    const detail = toBoundedDetail(given.detail, (given.errors?.length ?? 0) - errors.length);
    super(detail === undefined ? reason : `${reason}: ${detail}`, { cause: given.cause });
    this.name = 'Fault';
    this.reason = reason;
    this.detail = detail;
    this.errors = errors;
    this.headers = given.headers ?? {};
    this.members = given.members ?? {};
    this.facts = given.facts === undefined ? {} : toBoundedFacts(given.facts);
  }

  get status(): number {
    return problems[this.reason].status;
  }
}

/** Any thrown value as a Fault; what is not one becomes `unknown`, its text kept for the log alone. */
export function toFault(thrown: unknown): Fault {
  if (thrown instanceof Fault) return thrown;
  // Schemas that answer any value with a promise are found at start (schema-checks.ts).
  if (thrown instanceof $ZodAsyncError) {
    const detail = 'a refinement or a transform of a schema is asynchronous; what a document is checked by answers at once';
    return new Fault('misconfigured', { cause: new Error(detail, { cause: thrown }) });
  }
  return new Fault('unknown', { cause: thrown });
}
