/** A verified request as a call: each header of the hop in its place. */
import { mustPrincipal } from '../../shared/hop/principal-header.ts';
import { hopDemands, hopLimits } from '../../shared/hop/profile.ts';
import type { Operation } from '../../shared/operations/operation.ts';
import type { Route } from '../../shared/operations/route.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { parsePosition } from '../../shared/wire/position.ts';
import type { Asked, Call } from '../call.ts';
import { type Asking, type SentBody, toCall } from '../calls.ts';
import type { RoutedCall } from '../routed-call.ts';
import { contentDigest } from './hmac.ts';
import { traceOf } from './trace.ts';
import { readUpload } from './upload.ts';
import { mustCover, type VerifiedHop } from './verify.ts';

export interface Seen {
  readonly nowMs: number;
  readonly traceparent: string | undefined;
}

/** Refuses by what the signature covers, and by rights, before a byte of the body is read. */
export async function hopToCall(route: Route, hop: VerifiedHop, request: Request, { nowMs, traceparent }: Seen): Promise<RoutedCall> {
  mustCover(hop, hopDemands[route.operation.body]);
  const { operation, resource, id } = route;
  const { requestId, traceId } = traceOf(hop);
  // Members by name: spread, they cost half a microsecond.
  const asking: Asking = {
    operation, resource, id, requestId, traceId, traceparent,
    principal: mustPrincipal(hop.header('tombolo-principal')),
    input: { query: hop.query },
    header: hop.header,
    body: () => readBody(route.operation, hop, request),
    deadline: nowMs + msLeft(route.operation, hop),
    atLeast: parsePosition(hop.header('tombolo-after') ?? ''),
    nonce: toNonce(hop),
    tokenKey: hop.answers.key,
  };
  return asRoutedCall(await toCall(asking, nowMs));
}

/** The same call, asked once more. */
export function toSameCall(call: RoutedCall, hop: VerifiedHop, { nowMs, traceparent }: Seen): RoutedCall {
  const { operation } = call;
  const deadline = nowMs + Math.min(msLeft(operation, hop), operation.msMax);
  return { ...call, ...traceOf(hop), traceparent, nonce: toNonce(hop), deadline };
}

function toNonce({ parameters: { nonce, created } }: VerifiedHop): Asked['nonce'] {
  return { value: nonce, expiresAt: (created + hopLimits.nonceKeptSeconds) * 1_000 };
}

/** Routes lead to the rows of modules alone, and a call is made by its row. */
export function asRoutedCall(call: Call<Operation>): RoutedCall {
  return call as RoutedCall;
}

function msLeft({ msMax }: Operation, hop: VerifiedHop): number {
  const ms = Number(hop.header('tombolo-deadline') ?? msMax);
  return Number.isFinite(ms) ? ms : 0;
}

async function readBody({ body, bodyBytesMax }: Operation, hop: VerifiedHop, request: Request): Promise<SentBody> {
  if (body === 'none') return undefined;
  const contentType = hop.header('content-type');
  if (body === 'buffered') return { text: mustUtf8(await mustBody(hop, request, bodyBytesMax)), contentType };
  const sent = { nonce: hop.parameters.nonce, length: hop.header('tombolo-upload') };
  return { mediaType: contentType ?? '', chunks: readUpload(request.body, sent, bodyBytesMax) };
}

/** A buffered body is believed by its digest, which the signature covers (RFC 9530). */
export async function mustBody(hop: VerifiedHop, request: Request, bytesMax: number): Promise<Uint8Array<ArrayBuffer>> {
  const bytes = await mustBytes(request);
  if (bytes.length > bytesMax) throw new Fault('body_too_large', { detail: `at most ${bytesMax} bytes` });
  if (hop.header('content-digest') !== contentDigest(bytes)) {
    throw new Fault('hop_invalid', { detail: 'the body is not the one that was signed' });
  }
  return bytes;
}

const decoder = new TextDecoder('utf-8', { fatal: true });

/** The text of a buffered body. */
export function mustUtf8(bytes: Uint8Array): string {
  try {
    return decoder.decode(bytes);
  } catch {
    throw new Fault('body_malformed', { detail: 'the body is not UTF-8' });
  }
}

/** The bytes of the body. A client that broke off gets no answer; that is no failure of ours. */
async function mustBytes(request: Request): Promise<Uint8Array<ArrayBuffer>> {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (cause) {
    throw new Fault('body_malformed', { detail: 'the body broke off', cause });
  }
}
