/** A client's request as a question to the origin: what goes along, each from one known place. */
import type { HopHeader } from '../../shared/hop/profile.ts';
import { lengthUnknown } from '../../shared/hop/upload-end.ts';
import { refusedAt } from '../../shared/operations/load-level.ts';
import { type CarriedHeader, isSafe } from '../../shared/operations/operation.ts';
import { toDelivery } from '../incoming/delivery.ts';
import type { Validated } from '../request/request.ts';
import { BodyPieces } from '../request/body-pieces.ts';
import { traceOf, traceparentOf } from '../request/traceparent.ts';
import type { Question } from './origin-client.ts';
import { streamMs } from './stream-life.ts';
import { toUpload } from './upload.ts';

/** The client's own conditions, unless the cache asks for itself. */
export type Asking = Pick<Validated['preconditions'], 'ifMatch' | 'ifNoneMatch'>;

/** HEAD is asked as GET, so that both fill one entry (RFC 9110 §9.3.2). */
export function toQuestion(request: Validated, asking: Asking): Question {
  const { raw, requestId, target, route: { operation, resource }, principal, demanded, deadlineAt, waitUntil } = request;
  const headers = toHeaders(request, asking);
  return {
    method: raw.method === 'HEAD' ? 'GET' : raw.method,
    requestId, target, principal, deadlineAt, waitUntil, headers,
    // An export that goes on behind its answer would be begun twice.
    safe: isSafe(operation) && headers.prefer === undefined,
    refusedAt: refusedAt(resource, operation),
    atLeast: demanded,
    traceparent: traceparentOf(request),
    body: toBody(request), checked: request.checked,
    streamMs: streamMs(request, Date.now()),
  };
}

/** The headers that the operation reads, and those that say how to read its body. */
function toHeaders(request: Validated, asking: Asking): Question['headers'] {
  const { route: { operation }, sent, rows } = request;
  const headers: Partial<Record<HopHeader, string>> = {};
  const set = (name: HopHeader, value: string | null | undefined) => {
    if (value !== null && value !== undefined) headers[name] = value;
  };
  if (operation.body !== 'none') set('content-type', sent.get('content-type'));
  const length = rows === undefined ? sent.get('content-length') : null;
  if (operation.body === 'streamed') set('tombolo-upload', length ?? lengthUnknown);
  set('tracestate', traceOf(request).state);
  for (const name of operation.carries) set(name, carried(name, request, asking));
  return headers;
}

/** What is named `tombolo-…` the edge alone says: of a client's there is none. */
function carried(name: CarriedHeader, request: Validated, { ifMatch, ifNoneMatch }: Asking): string | null | undefined {
  const { raw, sent, stream, dialect } = request;
  switch (name) {
    case 'if-match':
      return ifMatch;
    case 'if-none-match':
      return ifNoneMatch;
    case 'tombolo-stream':
      return stream;
    case 'tombolo-keeps':
      return dialect?.input?.unnamed.join() || undefined;
    case 'tombolo-delivery':
      return toDelivery(request);
    case 'prefer':
      // What an operation answers later is in no older version's words; HEAD asks for nothing that would be looked at later.
      return dialect === undefined && raw.method !== 'HEAD' ? sent.get(name) : undefined;
    default:
      return sent.get(name);
  }
}

function toBody({ raw, route: { operation }, body, rows }: Validated): Question['body'] {
  if (operation.body !== 'streamed') return body;
  return (nonce) => toUpload(rows?.pieces ?? new BodyPieces(raw.body), nonce, operation.bodyBytesMax);
}
