/**
 * A call from what somebody asks, whichever way it comes: a request over the hop, an endpoint, a job, a transaction and a
 * test ask alike. Text becomes typed values here, by the rows of the contract, and nowhere later. What is refused is
 * refused in this order, each before the next is looked at: rights, preconditions, input, body, idempotency key.
 */
import { type CheckedBody, mustBody, mustJsonOf } from '../shared/contract/documents.ts';
import { mustPreconditions, type Preconditions } from '../shared/contract/preconditions.ts';
import { prefersAsync } from '../shared/deferred/prefer.ts';
import type { Resource } from '../shared/contract/resource.ts';
import { scopeOf } from '../shared/contract/scope.ts';
import {
  type BufferedBody, type CarriedHeader, type InputOf, mediaTypeOf, type Operation, type StreamedBody,
} from '../shared/operations/operation.ts';
import { Fault } from '../shared/wire/fault.ts';
import { parseIdempotencyKey } from '../shared/wire/idempotency-key.ts';
import { isJsonObject } from '../shared/wire/values.ts';
import type { Asked, Call } from './call.ts';
import { mustGrant } from './rights.ts';

/** What is asked, before any of it is parsed. */
export interface Asking<Row extends Operation = Operation>
  extends Pick<Asked, 'id' | 'principal' | 'atLeast' | 'nonce' | 'tokenKey' | 'requestId' | 'traceId' | 'traceparent'> {
  readonly operation: Row;
  readonly resource: Resource;
  /** A query string, with its question mark or empty; or what the row would make of one. */
  readonly input: { readonly query: string } | { readonly parsed: InputOf<Row> };
  /** What the row carries beside it, by the names that HTTP has for it: conditions and the idempotency key among them. */
  readonly header: (name: CarriedHeader) => string | null;
  /** Called once, when the caller is known to have the right: nothing is read for one who has not. */
  body(): Promise<SentBody<Row['body']>>;
  /** Milliseconds of the epoch. The operation's own bound may come first. */
  readonly deadline: number;
}

/** JSON text and what it is said to be, or a stream that nobody has read. */
export type SentBody<Kind extends Operation['body'] = Operation['body']> =
  Kind extends 'buffered' ? SentText : Kind extends 'streamed' ? StreamedBody : undefined;

interface SentText {
  readonly text: string;
  readonly contentType: string | null;
  /** What the edge of this process made of the text: what it checked by the same schema is not checked again. */
  readonly checked?: CheckedBody | undefined;
}

/** Throws a Fault where it is refused. */
export async function toCall<Row extends Operation>(asking: Asking<Row>, nowMs: number): Promise<Call<Row>> {
  const { operation, resource, id, principal, deadline, atLeast, nonce, tokenKey, requestId, traceId, traceparent } = asking;
  const rights = mustGrant(operation, resource, principal);
  const preconditions = mustPreconditions({ operation, resource }, asking.header);
  const input = toInput(asking);
  const body = toBody(operation, resource, await asking.body());
  return asItsRow<Row>({
    operation, resource, id, principal, rights, preconditions, input, body,
    idempotency: toIdempotency(asking, preconditions, body),
    deadline: Math.min(deadline, nowMs + operation.msMax),
    keeps: toKeeps(asking),
    ...(isDeferred(asking) ? { isDeferred: true } : {}),
    atLeast, nonce, tokenKey, requestId, traceId, traceparent,
  });
}

/** `input` and `body` are those of the row that stands in `operation`. */
function asItsRow<Row extends Operation>(call: Asked & { readonly input: unknown; readonly body: unknown }): Call<Row> {
  return call as Call<Row>;
}

function toInput({ operation, resource, input, header }: Asking): unknown {
  return 'parsed' in input ? input.parsed : operation.parse(resource, input.query, header);
}

/** The edge names fields of the contract that it has; one of an older release may have others, which are none here. */
function toKeeps({ operation: { carries }, resource: { fields }, header }: Asking): readonly string[] {
  if (!carries.includes('tombolo-keeps')) return nothingKept;
  const named = header('tombolo-keeps');
  return named === null ? nothingKept : named.split(',').filter((path) => fields.has(path.replace(/\.\*$/, '')));
}

/** Nobody could look later at what somebody without a name asked for: they are answered directly. */
function isDeferred({ operation: { carries }, principal: { subject }, header }: Asking): boolean {
  return subject !== undefined && carries.includes('prefer') && prefersAsync(header('prefer'));
}

const nothingKept: readonly string[] = [];

type Body = BufferedBody | StreamedBody | undefined;

function toBody(operation: Operation, resource: Resource, body: SentBody): Body {
  if (body === undefined || 'chunks' in body) return body;
  const { schema } = operation;
  if (schema === undefined) return undefined;
  const mediaType = mediaTypeOf(operation, body.contentType);
  const { sent, value } = toChecked(schema(resource, mediaType), mediaType, body);
  return { text: body.text, value, sent: isJsonObject(sent) ? sent : value, mediaType };
}

function toChecked(schema: CheckedBody['schema'], mediaType: string, { text, checked }: SentText): CheckedBody {
  if (checked?.schema === schema) return checked;
  const sent = mustJsonOf(text, mediaType);
  return { schema, sent, value: mustBody(schema, sent) };
}

/** Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): one key of one caller for one target. */
function toIdempotency(asking: Asking, { ifMatch, ifNoneMatch }: Preconditions, body: Body): Asked['idempotency'] {
  const { operation, resource, id, principal, input } = asking;
  const header = asking.header('idempotency-key');
  if (header === null) return undefined;
  const key = parseIdempotencyKey(header);
  if (key === undefined) throw idempotencyKeyInvalid();
  const text = body !== undefined && 'text' in body ? body.text : '';
  const isOfAnotherType = body !== undefined && 'text' in body && body.mediaType !== operation.takes[0];
  const query = 'query' in input ? input.query : (JSON.stringify(input.parsed) ?? '');
  const keeps = toKeeps(asking);
  return {
    // The id and not the path: a path has several spellings. What has a path of its own below it is another target.
    key: hashOf([principal.subject ?? '', operation.method, resource.name, id, key, ...(isNamed(operation) ? [operation.name] : [])]),
    // The recorded answer shows what its caller could see; with other claims or roles it is another request.
    fingerprint: hashOf([
      text, query, ifMatch ?? '', scopeOf(resource, principal), ...(ifNoneMatch === undefined ? [] : [ifNoneMatch]),
      // The same text means another document in an older version.
      ...(keeps.length === 0 ? [] : [`keeps ${keeps.join()}`]),
      ...(isOfAnotherType ? [body.mediaType] : []),
    ]),
  };
}

/** Whether method and document do not tell the operation from all others. */
function isNamed({ at }: Operation): boolean {
  return at !== '/' && at !== '/:id';
}

function idempotencyKeyInvalid(): Fault {
  const detail = '1 to 255 characters of ASCII, plain without spaces or as a string in double quotes';
  return new Fault('header_invalid', { detail: `Idempotency-Key: ${detail}`, errors: [{ at: 'Idempotency-Key', in: 'header', detail }] });
}

function hashOf(parts: readonly string[]): string {
  return new Bun.CryptoHasher('sha256').update(JSON.stringify(parts)).digest('base64url');
}
