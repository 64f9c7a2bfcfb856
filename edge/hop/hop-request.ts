/** A client's request as the origin will see it: the covered headers, each from one known place. */
import type { Context } from 'hono';
import { Fault } from '../../shared/contract/fault.ts';
import { formatPosition } from '../../shared/contract/position.ts';
import { formatPrincipal } from '../../shared/hop/principal-header.ts';
import type { hopHeaders } from '../../shared/hop/profile.ts';
import { lengthUnknown } from '../../shared/hop/upload-end.ts';
import type { EdgeEnv } from '../context.ts';
import { isSafe } from '../../shared/operations/operation.ts';
import { originMs } from '../live/stream-life.ts';
import { contentDigest } from './content-digest.ts';
import { randomNonce, signRequest } from './sign-request.ts';
import { traceparentOf } from './traceparent.ts';
import { toUpload } from './upload.ts';

export interface SignedRequest {
  readonly request: Request;
  readonly nonce: string;
}

/** HEAD is asked as GET, so that both fill one entry (RFC 9110 §9.3.2). */
export async function toSignedRequest(c: Context<EdgeEnv>, signal: AbortSignal): Promise<SignedRequest> {
  const { settings, macs } = c.get('context');
  const { path, query } = c.get('target');
  const url = new URL(settings.originUrl);
  // Set, not resolved against: a path that begins with `//` must not name another host.
  url.pathname = path;
  url.search = query;
  const method = c.req.raw.method === 'HEAD' ? 'GET' : c.req.raw.method;
  const headers = await toHopHeaders(c);
  const nonce = randomNonce();
  await signRequest({ method, url, headers, nonce }, macs, Date.now());
  return { nonce, request: new Request(url, { method, headers, body: bodyOf(c, nonce), redirect: 'manual', cache: 'no-store', signal }) };
}

async function toHopHeaders(c: Context<EdgeEnv>): Promise<Headers> {
  const { ifMatch, ifNoneMatch, after } = c.get('conditions');
  const sent = c.get('sent');
  const body = c.get('body');
  const carried: Readonly<Record<(typeof hopHeaders)[number], string | null | undefined>> = {
    // Always said: an HTTP client that adds its own `Accept: */*` would break the signature.
    accept: sent.get('accept') ?? '*/*',
    'content-digest': body === undefined ? null : await contentDigest(body),
    'content-type': isSafe(c.get('route').operation) ? null : sent.get('content-type'),
    'idempotency-key': sent.get('idempotency-key'),
    'if-match': ifMatch,
    'if-none-match': ifNoneMatch,
    'last-event-id': sent.get('last-event-id'),
    traceparent: traceparentOf(sent, c.get('requestId')),
    'tombolo-after': after === undefined ? null : formatPosition(after),
    'tombolo-deadline': String(originMs(c, Date.now())),
    'tombolo-principal': formatPrincipal(c.get('principal')),
    'tombolo-request': c.get('requestId'),
    'tombolo-stream': c.get('stream'),
    'tombolo-upload': c.get('route').operation.body === 'streamed' ? (sent.get('content-length') ?? lengthUnknown) : null,
  };
  const headers = new Headers();
  for (const [name, value] of Object.entries(carried)) if (value !== null && value !== undefined) headers.set(name, mustAscii(name, value));
  return headers;
}

/** Bytes past ASCII have no agreed decoding in header fields (RFC 9110 §5.5): the two sides might sign two texts. */
function mustAscii(name: string, value: string): string {
  if (/^[\t\x20-\x7e]*$/.test(value)) return value;
  throw new Fault('header_invalid', { detail: `${name}: printable ASCII alone`, errors: [{ at: name, in: 'header', detail: 'printable ASCII alone' }] });
}

function bodyOf(c: Context<EdgeEnv>, nonce: string): BodyInit | null {
  const { operation } = c.get('route');
  if (operation.body !== 'streamed') return c.get('body') ?? null;
  return toUpload(c.req.raw.body, nonce, operation.bodyBytesMax);
}
