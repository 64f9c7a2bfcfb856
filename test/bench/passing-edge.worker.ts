/**
 * A bare Worker that passes a request on, with as many bytes of fields as the edge both ways, and the same with one
 * step of the edge after the other: what a request that goes through costs, and where.
 */
import { floodKey } from '../../edge/rate-limit/flood-key.ts';
import { contentDigest } from '../../edge/origin-client/content-digest.ts';
import { Hasher } from '../../edge/origin-client/hasher.ts';
import { Macs } from '../../edge/origin-client/macs.ts';
import { OriginClient, type Question, type Reply } from '../../edge/origin-client/origin-client.ts';
import { signRequest } from '../../edge/origin-client/sign-request.ts';
import { verifyAnswer } from '../../edge/origin-client/verify.ts';
import { randomNonce } from '../../edge/request/random-texts.ts';
import { SentHeaders } from '../../edge/request/request-headers.ts';
import { mustRead, mustText } from '../../edge/request/read-body.ts';
import { toTarget } from '../../edge/request/target.ts';
import { mustBody } from '../../shared/contract/documents.ts';
import { mustKeyRing } from '../../shared/hop/keys.ts';
import { mustRoute } from '../../shared/operations/route.ts';
import { served } from '../../shared/resources/all.ts';
import macModule from '../../wasm/dist/mac.wasm';

interface Bindings {
  readonly ORIGIN: string;
  readonly KEYS: string;
  readonly FLOOD: { limit(sender: { readonly key: string }): Promise<{ readonly success: boolean }> };
}

const nonce = 'n'.repeat(22);
const traceparent = `00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`;
const requestId = `req_${'0'.repeat(32)}`;
const principal = { subject: 'bench', roles: ['editor'], claims: {} };

/** The fields for the origin: the names that the edge sends, with values of their lengths. */
const carried = {
  traceparent, 'tombolo-deadline': '10000', 'tombolo-request': requestId,
  'signature-input': [
    'hop=("@method" "@path" "@query" "traceparent" "tombolo-deadline" "tombolo-request")',
    'created=1764300000',
    `nonce="${nonce}"`,
    'keyid="dev"',
    'alg="hmac-sha256"', 'tag="tombolo-hop"',
  ].join(';'),
  signature: `hop=:${'A'.repeat(43)}=:`,
};
const carriedWithBody = {
  ...carried,
  'content-type': 'application/json',
  'content-digest': `sha-256=:${'A'.repeat(43)}=:`,
  'tombolo-principal': btoa(JSON.stringify(principal)),
  'signature-input': carried['signature-input'].replace(
    '"traceparent"',
    '"content-digest" "content-type" "traceparent" "tombolo-principal"',
  ),
};

/** The fields for the client. */
const given = {
  'content-type': 'application/json',
  etag: '"zRIEvAP4hcppyCkN-eVz_b"',
  'cache-control': 'public, no-cache',
  'cache-status': 'tombolo; fwd=bypass; fwd-status=200',
  age: '0',
  'api-version': 'v1', 'x-request-id': requestId, 'ratelimit-policy': '"minute";q=1000000000;w=60', ratelimit: '"minute";r=999999999;t=60',
  'x-content-type-options': 'nosniff',
  'content-security-policy': "default-src 'none'; frame-ancestors 'none'",
  'referrer-policy': 'no-referrer',
  'strict-transport-security': 'max-age=31536000; includeSubDomains',
};
const givenOfCreate = {
  ...given,
  location: '/v2/films/flm_0123456789abcdef',
  'tombolo-position': `0123456789abcdef.0000000000003000.${'A'.repeat(22)}`,
};

interface Asked {
  readonly request: Request;
  /** The path at the origin, behind the step's name. */
  readonly path: string;
  readonly env: Bindings;
}

type Pass = (asked: Asked) => Promise<Response>;

/** The passes: each does what the one before it does, and one thing more. */
const passes: Readonly<Record<string, Pass>> = {
  async bare({ request, path, env }) {
    return toAnswer(request, await fetch(env.ORIGIN + path, toInit(request, request.body)));
  },
  async timed({ request, path, env }) {
    return toAnswer(request, await fetch(env.ORIGIN + path, { ...toInit(request, request.body), ...timed() }));
  },
  async uncached(asked) {
    return send(asked, asked.request.body);
  },
  async fields(asked) {
    mustFields(asked);
    return send(asked, asked.request.body);
  },
  async shielded(asked) {
    await mustPassShield(asked);
    return send(asked, asked.request.body);
  },
  async read(asked) {
    await mustPassShield(asked);
    return send(asked, await read(asked.request));
  },
  async validated(asked) {
    await mustPassShield(asked);
    return send(asked, await readValid(asked));
  },
  async signed(asked) {
    return toAnswer(asked.request, (await sendSigned(asked)).answer);
  },
  async verified(asked) {
    const { answer, nonce: sent, macs } = await sendSigned(asked);
    if (verifyAnswer(answer, sent, macs, Date.now()) === undefined) throw new Error('not signed');
    return toAnswer(asked.request, answer);
  },
  async asked(asked) {
    const { request, path, env } = asked;
    await mustPassShield(asked);
    const body = await readValid(asked);
    const headers: Question['headers'] =
      body === undefined ? {} : { 'content-type': 'application/json', 'content-digest': await contentDigest(body, hasherOf()) };
    const question: Question = {
      method: request.method,
      target: { path, query: '' },
      safe: body === undefined, principal, headers, body, deadlineAt: Date.now() + 10_000, requestId, traceparent,
      refusedAt: 4, waitUntil: () => undefined,
    };
    return toAnswer(request, await clientOf(env).ask(question));
  },
};

function toInit({ method }: Request, body: RequestInit['body'] | undefined) {
  return { method, headers: method === 'GET' ? carried : carriedWithBody, body: body ?? null };
}

function timed() {
  return { signal: AbortSignal.timeout(10_000) };
}

/** What the edge asks of the platform for each request, whatever it does itself: an end, no redirect, and for a get no cache. */
function asEdgeAsks({ method }: Request) {
  return { ...timed(), redirect: 'manual', ...(method === 'GET' ? uncached : {}) } as const;
}

const uncached = { cache: 'no-store' } as const;

async function send({ request, path, env }: Asked, body: RequestInit['body'] | undefined): Promise<Response> {
  return toAnswer(request, await fetch(env.ORIGIN + path, { ...toInit(request, body), ...asEdgeAsks(request) }));
}

function mustFields({ request: { headers } }: Asked): string {
  return floodKey(new SentHeaders(headers).get('cf-connecting-ip') ?? '');
}

async function mustPassShield(asked: Asked): Promise<void> {
  if (!(await asked.env.FLOOD.limit({ key: mustFields(asked) })).success) throw new Error('too many requests');
}

function toAnswer({ method }: Request, { status, body }: Pick<Reply, 'status' | 'body'>): Response {
  return new Response(body, { status, headers: method === 'GET' ? given : givenOfCreate });
}

async function read(request: Request): Promise<Uint8Array<ArrayBuffer> | undefined> {
  return request.method === 'GET'
    ? undefined
    : mustRead(request, { bytesMax: 1_000_000, declared: request.headers.get('content-length'), deadlineAt: Date.now() + 10_000 });
}

async function readValid({ request, path }: Asked): Promise<Uint8Array<ArrayBuffer> | undefined> {
  const body = await read(request);
  const { operation, resource } = mustRoute(served, request.method, path);
  if (body !== undefined && operation.schema !== undefined) mustBody(operation.schema(resource), JSON.parse(mustText(body)));
  return body;
}

let client: OriginClient | undefined;
let ring: Macs | undefined;
let hasher: Hasher | undefined;

function hasherOf(): Hasher {
  return (hasher ??= new Hasher(macModule));
}

function macsOf({ KEYS }: Bindings): Macs {
  return (ring ??= new Macs(mustKeyRing(KEYS), hasherOf()));
}

function clientOf(env: Bindings): OriginClient {
  const origins = [{ url: new URL(env.ORIGIN), weight: 1, canaryPercent: undefined }];
  return (client ??= new OriginClient({ origins, macs: macsOf(env), hasher: hasherOf() }));
}

async function sendSigned(asked: Asked): Promise<{ readonly answer: Response; readonly nonce: string; readonly macs: Macs }> {
  const { request, path, env } = asked;
  await mustPassShield(asked);
  const body = await readValid(asked);
  const { signature: _one, 'signature-input': _other, ...unsigned } = request.method === 'GET' ? carried : carriedWithBody;
  const headers: Record<string, string> = { ...unsigned };
  if (body !== undefined) headers['content-digest'] = await contentDigest(body, hasherOf());
  const sent = randomNonce();
  signRequest({ method: request.method, target: { path, query: '' }, headers, nonce: sent }, macsOf(env), Date.now());
  const answer = await fetch(env.ORIGIN + path, { method: request.method, headers, body: body ?? null, ...asEdgeAsks(request) });
  return { answer, nonce: sent, macs: macsOf(env) };
}

export default {
  fetch(request: Request, env: Bindings): Promise<Response> {
    const { path } = toTarget(request.url);
    const [, step = ''] = path.split('/', 2);
    return passes[step]?.({ request, path: path.slice(step.length + 1), env }) ?? Promise.resolve(new Response(null, { status: 404 }));
  },
};
