/**
 * The signed hop: one fixed profile of HTTP Message Signatures (RFC 9421) with HMAC-SHA256, in both
 * directions. This file says what is signed; each runtime brings its own HMAC. A general library needs 75 µs
 * to verify, a fixed profile 4 µs; `http-message-sig` is its oracle in the tests.
 *
 *   edge → origin   request  tag "tombolo-hop"      every header that the origin reads is covered
 *   origin → edge   answer   tag "tombolo-answer"   bound to its request by the same nonce
 *   origin → edge   report   tag "tombolo-report"   the purge sink's batches
 *
 * The covered components are not negotiated: both sides build the list from the headers present, in the
 * order below, so a header added, removed or changed on the way makes another base, and the signature fails.
 */
export type HopTag = 'tombolo-hop' | 'tombolo-answer' | 'tombolo-report';

/** Every header that the origin reads, in signing order. The origin reads no other. */
export const hopHeaders = [
  'accept',
  'content-digest',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'traceparent',
  'tombolo-after',
  'tombolo-deadline',
  'tombolo-principal',
  'tombolo-request',
  'tombolo-stream',
  'tombolo-upload',
] as const;

/** What an answer tells the edge alone: `<position>;<resource digest>;<scope digest>`. Stripped before the client. */
export const readHeader = 'tombolo-read';
const answerHeaders = ['content-type', 'etag', readHeader] as const;

export const hopLimits = {
  /** A signature older or newer than this is refused: clocks of hosts differ by less, captures live no longer. */
  ageSecondsMax: 30,
  /** Nonces of unsafe requests are remembered for twice the window. */
  nonceKeptSeconds: 60,
} as const;

export interface SignatureParameters {
  readonly created: number;
  /** 22 characters of base64url: 128 random bits. */
  readonly nonce: string;
  readonly keyId: string;
  readonly tag: HopTag;
}

/** A message as the signature sees it. `first` are the derived components, already named. */
export interface SignedMessage {
  readonly derived: readonly (readonly [name: string, value: string])[];
  readonly headerNames: readonly string[];
  header(name: string): string | null;
}

/** RFC 9421 §2.2: `@query` includes the question mark, and is `?` when there is no query. */
export function toRequestMessage(method: string, path: string, query: string, header: (name: string) => string | null): SignedMessage {
  return { derived: [['@method', method], ['@path', path], ['@query', query === '' ? '?' : query]], headerNames: hopHeaders, header };
}

export function toAnswerMessage(status: number, header: (name: string) => string | null): SignedMessage {
  return { derived: [['@status', String(status)]], headerNames: answerHeaders, header };
}

/** RFC 9421 §2.5: the text under the HMAC, and the parameters that stand in `Signature-Input`. */
export function toSignatureBase(message: SignedMessage, given: SignatureParameters): { base: string; parameters: string } {
  let base = '';
  let components = '';
  for (const [name, value] of message.derived) {
    base += `"${name}": ${value}\n`;
    components += components === '' ? `"${name}"` : ` "${name}"`;
  }
  for (const name of message.headerNames) {
    const value = message.header(name);
    if (value === null) continue;
    base += `"${name}": ${value.trim()}\n`;
    components += ` "${name}"`;
  }
  const parameters = `(${components});created=${given.created};nonce="${given.nonce}";keyid="${given.keyId}";alg="hmac-sha256";tag="${given.tag}"`;
  return { base: `${base}"@signature-params": ${parameters}`, parameters };
}

export function formatSignatureInput(parameters: string): string {
  return `hop=${parameters}`;
}

export function formatSignature(mac: string): string {
  return `hop=:${mac}:`;
}

/** The parameters of a received `Signature-Input`; the component list is not believed but built again. */
export function parseSignatureInput(text: string, tag: HopTag): SignatureParameters | undefined {
  const found = /^hop=\([^)]*\);created=(\d{1,12});nonce="([A-Za-z0-9_-]{22})";keyid="([a-z0-9-]{1,32})";alg="hmac-sha256";tag="([a-z-]+)"$/.exec(text);
  if (found?.[1] === undefined || found[2] === undefined || found[3] === undefined || found[4] !== tag) return undefined;
  return { created: Number(found[1]), nonce: found[2], keyId: found[3], tag };
}

/** The MAC in base64 (RFC 9651 §3.3.5), 44 characters for 32 bytes. */
export function parseSignature(text: string): string | undefined {
  return /^hop=:([A-Za-z0-9+/]{43}=):$/.exec(text)?.[1];
}

export function isWithinWindow(created: number, nowMs: number): boolean {
  return Math.abs(nowMs / 1_000 - created) <= hopLimits.ageSecondsMax;
}
