/** Answers of the cache: from stored bytes or from the origin's, under the client's own condition. */
import { listsWeakly } from '../../shared/wire/entity-tags.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { toProblemResponse } from '../../shared/wire/problem.ts';
import type { Validated } from '../request/request.ts';
import type { SecurityHeaders } from '../request/security-headers.ts';
import { occurrenceOf } from '../request/traceparent.ts';
import type { Reply } from '../origin-client/origin-client.ts';
import type { Entry } from './entry.ts';
import type { Lookup } from './lookup.ts';

/** The headers that are kept of an answer; the others belong to one delivery. */
export const keptHeaders: ReadonlySet<string> = new Set(['content-type', 'etag', 'link', 'vary']);

/** Labelled as a hit that was validated just now, as most are. */
export function fromEntry(request: Validated, { isPublic }: Lookup, entry: Entry): Response {
  if (entry.status === 404) return absent(request, isPublic);
  const headers = headersOf(entry, isPublic, request.context.securityHeaders);
  return isUnchanged(entry.etag, request.preconditions.ifNoneMatch) ? notModified(new Headers(headers)) : toWhole(request, entry, headers);
}

function absent(request: Validated, isPublic: boolean): Response {
  const answer = cacheable(toProblemResponse(new Fault('document_not_found'), occurrenceOf(request)), isPublic);
  label(answer, 'hit', 0);
  return answer;
}

function toWhole({ raw }: Validated, { body }: Entry, headers: Headers): Response {
  if (raw.method !== 'HEAD') return new Response(body, { headers });
  const answer = new Response(null, { headers });
  // The platform writes the length of bytes that are sent; it cannot know the length of those that HEAD leaves away.
  answer.headers.set('content-length', String(body.byteLength));
  return answer;
}

const madeHeaders = new WeakMap<Entry, Headers>();

/** The fields of an entry's answers, made once, since all who get it have one scope: a dozen take 12 µs to build, 4 to copy. */
function headersOf(entry: Entry, isPublic: boolean, securityHeaders: SecurityHeaders): Headers {
  const known = madeHeaders.get(entry);
  if (known !== undefined) return known;
  const headers = new Headers({ ...securityHeaders, 'cache-control': cachingOf(isPublic), 'cache-status': toStatus('hit'), age: '0' });
  for (const [name, value] of entry.headers) {
    if (name === 'vary') headers.append(name, value);
    else headers.set(name, value);
  }
  madeHeaders.set(entry, headers);
  return headers;
}

/** The answer under the client's condition, which the origin was not asked with, so that the answer could be stored. */
export function underCondition(answer: Response, ifNoneMatch: string | undefined): Response {
  if (answer.status !== 200 || !isUnchanged(answer.headers.get('etag') ?? undefined, ifNoneMatch)) return answer;
  return notModified(new Headers(answer.headers));
}

function isUnchanged(etag: string | undefined, ifNoneMatch: string | undefined): boolean {
  return etag !== undefined && ifNoneMatch !== undefined && listsWeakly(ifNoneMatch, etag);
}

/** A 304, without the fields that describe content (RFC 9110 §15.4.5). */
function notModified(headers: Headers): Response {
  headers.delete('content-type');
  headers.delete('content-length');
  return new Response(null, { status: 304, headers });
}

/**
 * Browsers and other caches may keep an answer but must ask: the bound on staleness must not end at this edge.
 */
export function cacheable(answer: Response, isPublic: boolean): Response {
  const { headers } = answer;
  if (answer.status === 200 || answer.status === 304) headers.set('cache-control', cachingOf(isPublic));
  else if (!headers.has('cache-control')) headers.set('cache-control', 'no-store');
  return answer;
}

export interface Passing {
  /** Why the cache was not asked (RFC 9211 §2.2). */
  readonly way: 'bypass' | 'method';
  readonly isState: boolean;
}

/** The origin's answer that is not kept. */
export function fromReply({ status, headers, body }: Reply, passing: Passing, securityHeaders: SecurityHeaders): Response {
  const answer = new Response(body, { status, headers: commonHeaders(status, passing, securityHeaders) });
  for (const [name, value] of Object.entries(headers)) {
    if (name === 'vary') answer.headers.append(name, value);
    else if (name === 'cache-control' ? mayForbid(status, passing) : !isOurs(name, securityHeaders)) answer.headers.set(name, value);
  }
  return answer;
}

/** Only a state can be validated, and of one that is there the edge says how. */
function mayForbid(status: number, { isState }: Passing): boolean {
  return isState && !isThere(status);
}

function isThere(status: number): boolean {
  return status === 200 || status === 304;
}

function isOurs(name: string, securityHeaders: SecurityHeaders): boolean {
  return name === 'age' || name === 'cache-status' || name in securityHeaders;
}

/** By security headers, and then by what else tells them apart: a few hundred at most. */
const madeCommon = new WeakMap<SecurityHeaders, Map<string, Headers>>();

/** The fields that such answers have in common, made once: to build them takes 10 µs, to copy them 3. */
function commonHeaders(status: number, { way, isState }: Passing, securityHeaders: SecurityHeaders): Headers {
  const made = madeCommon.get(securityHeaders) ?? new Map<string, Headers>();
  madeCommon.set(securityHeaders, made);
  const outcome = `tombolo; fwd=${way}; fwd-status=${status}`;
  const key = isState ? outcome : `${outcome} effect`;
  const known = made.get(key);
  if (known !== undefined) return known;
  const caching = isState && isThere(status) ? cachingOf(false) : 'no-store';
  const headers = new Headers({ ...securityHeaders, 'cache-control': caching, 'cache-status': outcome, age: '0' });
  made.set(key, headers);
  return headers;
}

function cachingOf(isPublic: boolean): string {
  return isPublic ? 'public, no-cache' : 'private, no-cache';
}

/** Sets `Cache-Status` (RFC 9211 §2), given without the cache's name (`hit`, `fwd=uri-miss; stored`), and `Age`. */
export function label(answer: Response, status: string, ageMs: number): void {
  answer.headers.set('cache-status', toStatus(status));
  tellAge(answer, ageMs);
}

export function tellAge({ headers }: Response, ageMs: number): void {
  headers.set('age', String(Math.max(0, Math.floor(ageMs / 1_000))));
}

function toStatus(status: string): string {
  return `tombolo; ${status}`;
}
