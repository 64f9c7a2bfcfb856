/**
 * The trace that a request is a part of (W3C Trace Context §3.2): the caller's, whose decision about sampling holds, or one named
 * like the request, of which one in `TOMBOLO_TRACE_ONE_IN` is sampled. Where spans are sent somewhere the edge's own is one.
 */
import type { Occurrence } from '../../shared/wire/problem.ts';
import { isChosen } from '../../shared/wire/request-line.ts';
import type { Arrival } from './arrival.ts';

export interface Trace {
  readonly traceId: string;
  /** The caller's span, where it named one. */
  readonly parentId: string | undefined;
  /** The edge's own. */
  readonly spanId: string;
  /** Two digits; the last bit says whether it is sampled. */
  readonly flags: string;
  /** The caller's `tracestate`, where it may be passed on. */
  readonly state: string | undefined;
  readonly isExported: boolean;
}

export function traceOf(request: Arrival): Trace {
  return (request.seen.trace ??= toTrace(request));
}

/** What a refusal is called. */
export function occurrenceOf(request: Arrival): Occurrence {
  return { requestId: request.requestId, traceId: traceOf(request).traceId };
}

/** What the origin continues. */
export function traceparentOf(request: Arrival): string {
  const { traceId, parentId, spanId, flags, isExported } = traceOf(request);
  return `00-${traceId}-${isExported ? spanId : (parentId ?? spanId)}-${flags}`;
}

function toTrace({ raw, requestId, seen }: Arrival): Trace {
  const id = requestId.slice(requestId.indexOf('_') + 1);
  const settings = seen.context?.settings;
  const given = parse(raw.headers.get('traceparent'));
  const [traceId = id, parentId, flags = isChosen(requestId, settings?.traceOneIn ?? 0) ? '01' : '00'] = given ?? [];
  const isExported = settings?.otlpUrl !== undefined && (Number.parseInt(flags, 16) & 1) === 1;
  const state = given === undefined ? undefined : parseState(raw.headers.get('tracestate'));
  return { traceId, parentId, spanId: id.slice(16), flags, state, isExported };
}

/** A header of version 00 in full; what is not valid is replaced, not repaired. */
function parse(header: string | null): readonly string[] | undefined {
  const found = header === null ? null : /^00-(?!0{32})([0-9a-f]{32})-(?!0{16})([0-9a-f]{16})-([0-9a-f]{2})$/.exec(header);
  return found?.slice(1);
}

/** Of W3C Trace Context §3.3.1: at most 512 characters and 32 members, or none at all. */
const stateCharactersMax = 512;
const stateMembersMax = 32;
const stateMember = /^[ \t]*(?:[a-z0-9][a-z0-9_*/@-]{0,255}=[ -+\--<>-~]{0,255}[!-+\--<>-~])?[ \t]*$/;

function parseState(header: string | null): string | undefined {
  if (header === null || header.length > stateCharactersMax) return undefined;
  const members = header.split(',');
  return members.length <= stateMembersMax && members.every((member) => stateMember.test(member)) ? header : undefined;
}
