/** Requests to the origin as an edge signs them, and as a forger without the key would. */
import { type HopKey, mustKeyRing } from '../../shared/hop/keys.ts';
import { formatSignature, formatSignatureInput, toRequestMessage, toSignatureBase } from '../../shared/hop/profile.ts';
import { formatUploadEnd } from '../../shared/hop/upload-end.ts';

export interface HopInput {
  readonly url: string;
  readonly method?: string;
  readonly body?: string | Uint8Array;
  readonly headers?: Readonly<Record<string, string>>;
  readonly key?: HopKey;
  /** Headers that are sent and that the signature does not cover. */
  readonly uncovered?: readonly string[];
  /** The age of the signature. */
  readonly secondsOld?: number;
}

/** What `fetch` takes; the same object sent twice is a replay. */
export interface SignedHop {
  readonly url: string;
  readonly init: {
    readonly method: string;
    readonly headers: Readonly<Record<string, string>>;
    readonly body: string | Uint8Array<ArrayBuffer> | null;
  };
}

export function signHop(
  keys: string,
  { url, method = 'GET', body, headers = {}, key = mustKeyRing(keys)[0], uncovered = [], secondsOld = 0 }: HopInput,
): SignedHop {
  const { pathname, search } = new URL(url);
  // A header more than the origin reads: what is covered and not known is passed over.
  const covered: Record<string, string> = { accept: '*/*', ...headers };
  if (body !== undefined) covered['content-digest'] = `sha-256=:${new Bun.CryptoHasher('sha256').update(body).digest('base64')}:`;
  const created = Math.floor(Date.now() / 1_000) - secondsOld;
  const nonce = Buffer.from(crypto.getRandomValues(new Uint8Array(16))).toString('base64url');
  const isUpload = pathname.endsWith('/import');
  if (isUpload) covered['tombolo-upload'] ??= String(Buffer.byteLength(body ?? ''));
  const signed = toSignatureBase(
    toRequestMessage(method, pathname, search, (name) => covered[name] ?? null),
    Object.keys(covered).filter((name) => !uncovered.includes(name)),
    { created, nonce, keyId: key.id, tag: 'tombolo-hop' },
  );
  const mac = new Bun.CryptoHasher('sha256', key.secret).update(signed.base).digest('base64');
  return {
    url,
    init: {
      method,
      headers: { ...covered, 'signature-input': formatSignatureInput(signed.parameters), signature: formatSignature(mac) },
      body: isUpload ? withEnd(body ?? '', nonce) : toSent(body),
    },
  };
}

function withEnd(body: string | Uint8Array, nonce: string): Uint8Array<ArrayBuffer> {
  const bytes = Buffer.from(body);
  return Buffer.concat([bytes, Buffer.from(formatUploadEnd(nonce, bytes.length, 'whole'))]);
}

function toSent(body: string | Uint8Array | undefined): string | Uint8Array<ArrayBuffer> | null {
  return body instanceof Uint8Array ? new Uint8Array(body) : (body ?? null);
}

/** The principal as the edge writes it into its signed header. */
export function principalHeader(subject: string, roles: readonly string[], claims: Readonly<Record<string, string>> = {}): string {
  return Buffer.from(JSON.stringify({ subject, roles, claims })).toString('base64url');
}

export async function send({ url, init }: SignedHop): Promise<{ status: number; code: string; text: string }> {
  const response = await fetch(url, init);
  const text = await response.text();
  const parsed = text.startsWith('{') ? (JSON.parse(text) as { code?: string }) : {};
  return { status: response.status, code: parsed.code ?? '', text };
}
