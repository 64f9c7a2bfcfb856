/** A verified request as a call. Bytes become typed values here, by the rows of the contract, and nowhere later. */
import { mustBody } from '../../shared/contract/documents.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { parseIdempotencyKey } from '../../shared/wire/idempotency-key.ts';
import { parsePosition } from '../../shared/wire/position.ts';
import { mustPreconditions } from '../../shared/contract/preconditions.ts';
import { scopeOf } from '../../shared/contract/scope.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { mustPrincipal } from '../../shared/hop/principal-header.ts';
import { hopDemands, hopLimits } from '../../shared/hop/profile.ts';
import type { BufferedBody, Operation, StreamedBody } from '../../shared/operations/operation.ts';
import type { Route } from '../../shared/operations/route.ts';
import type { Asked } from '../call.ts';
import type { DocumentCall } from '../execute.ts';
import { mustGrant } from '../rights.ts';
import { contentDigest } from './hmac.ts';
import { readUpload } from './upload.ts';
import { mustCover, type VerifiedHop } from './verify.ts';

/** Refuses by what the signature covers, and by rights, before a byte of the body is read. */
export async function toCall({ operation, resource, id }: Route, hop: VerifiedHop, request: Request, nowMs: number): Promise<DocumentCall> {
  mustCover(hop, hopDemands[operation.body]);
  const principal = mustPrincipal(hop.header('tombolo-principal'));
  const rights = mustGrant(operation, resource, principal);
  const preconditions = mustPreconditions({ operation, resource }, (name) => hop.header(name));
  const input = operation.parse(resource, hop.query, (name) => hop.header(name));
  const body = await toBody(operation, resource, hop, request);
  const asked: Asked = {
    operation, resource, id, principal, rights, preconditions,
    idempotency: toIdempotency({ operation, resource, id, principal, preconditions }, body, hop),
    tokenKey: hop.answers.key,
    requestId: hop.header('tombolo-request') ?? 'none',
    ...toBounds(operation, hop, nowMs),
  };
  return asItsRow({ ...asked, input, body });
}

/** `parse` and `body` are those of the row that stands in `operation`. */
function asItsRow(call: Asked & { readonly input: unknown; readonly body: unknown }): DocumentCall {
  return call as DocumentCall;
}

type Body = BufferedBody | StreamedBody | undefined;

async function toBody(operation: Operation, resource: Asked['resource'], hop: VerifiedHop, request: Request): Promise<Body> {
  if (operation.body === 'streamed') return { mediaType: hop.header('content-type') ?? '', chunks: readUpload(request.body, hop, operation.bodyBytesMax) };
  if (operation.schema === undefined) return undefined;
  const text = await mustBodyText(hop, request, operation.bodyBytesMax);
  const sent = parseJson(text);
  const value = mustBody(operation.schema(resource), sent);
  return { text, value, sent: asObject(sent) };
}

/** Every schema of a body takes an object alone. */
function asObject(sent: unknown): JsonObject {
  return sent as JsonObject;
}

/** A buffered body is believed by its digest, which the signature covers (RFC 9530). */
async function mustBodyText(hop: VerifiedHop, request: Request, bytesMax: number): Promise<string> {
  const bytes = await mustBytes(request);
  if (bytes.length > bytesMax) throw new Fault('body_too_large', { detail: `at most ${bytesMax} bytes` });
  if (hop.header('content-digest') !== contentDigest(bytes)) throw new Fault('hop_invalid', { detail: 'the body is not the one that was signed' });
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes);
  } catch {
    throw new Fault('body_malformed', { detail: 'the body is not UTF-8' });
  }
}

/** Who broke off gets no answer; that is no failure of ours. */
async function mustBytes(request: Request): Promise<Uint8Array> {
  try {
    return new Uint8Array(await request.arrayBuffer());
  } catch (cause) {
    throw new Fault('body_malformed', { detail: 'the body broke off', cause });
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Fault('body_malformed', { detail: 'the body is not JSON' });
  }
}

/** Idempotency-Key (draft-ietf-httpapi-idempotency-key-header): one key of one caller for one target. */
function toIdempotency({ operation, resource, id, principal, preconditions }: Pick<Asked, 'operation' | 'resource' | 'id' | 'principal' | 'preconditions'>, body: Body, hop: VerifiedHop): Asked['idempotency'] {
  const header = hop.header('idempotency-key');
  if (header === null) return undefined;
  const key = parseIdempotencyKey(header);
  if (key === undefined) throw idempotencyKeyInvalid();
  const text = body !== undefined && 'text' in body ? body.text : '';
  const { ifMatch, ifNoneMatch } = preconditions;
  return {
    // The id and not the path: a path has several spellings.
    key: hashOf([principal.subject ?? '', operation.method, resource.name, id, key]),
    // The recorded answer shows what its caller could see; with other claims or roles it is another request.
    fingerprint: hashOf([text, hop.query, ifMatch ?? '', scopeOf(resource, principal), ...(ifNoneMatch === undefined ? [] : [ifNoneMatch])]),
  };
}

function idempotencyKeyInvalid(): Fault {
  const detail = '1 to 255 characters of ASCII, plain without spaces or as a string in double quotes';
  return new Fault('header_invalid', { detail: `Idempotency-Key: ${detail}`, errors: [{ at: 'Idempotency-Key', in: 'header', detail }] });
}

function hashOf(parts: readonly string[]): string {
  return new Bun.CryptoHasher('sha256').update(JSON.stringify(parts)).digest('base64url');
}

function toBounds({ msMax }: Operation, hop: VerifiedHop, nowMs: number): Pick<Asked, 'deadline' | 'atLeast' | 'nonce'> {
  const msLeft = Number(hop.header('tombolo-deadline') ?? msMax);
  const { created, nonce } = hop.parameters;
  return {
    deadline: nowMs + Math.min(Number.isFinite(msLeft) ? msLeft : 0, msMax),
    atLeast: parsePosition(hop.header('tombolo-after') ?? ''),
    nonce: { value: nonce, expiresAt: (created + hopLimits.nonceKeptSeconds) * 1_000 },
  };
}
