/**
 * The signed hop: one fixed profile of HTTP Message Signatures (RFC 9421) with HMAC-SHA256, in both
 * directions. This file says what is signed; each runtime brings its own HMAC. A general library needs 75 µs
 * to verify, a fixed profile 4 µs; `http-message-sig` is its oracle in the tests.
 *
 *   edge → origin   request  tag "tombolo-hop"      every header that the origin reads is covered
 *   origin → edge   answer   tag "tombolo-answer"   bound to its request by the same nonce
 *   origin → edge   report   tag "tombolo-report"   the purge sink's batches
 *
 * The signature names what it covers (RFC 9421 §2.5), and that is all that the receiver reads: it demands the
 * derived components and `hopDemands`, takes whatever headers are covered beside them, and passes over the rest.
 * So a header can be added on one side first, and one that is added, removed or changed on the way either breaks
 * the signature or is not seen.
 */
import { setCookiesHeader } from '../people/paths.ts';

export type HopTag = 'tombolo-hop' | 'tombolo-answer' | 'tombolo-report';

/** The headers that the edge sends to the origin, which it covers, all of them. */
export const hopHeaders = [
  'content-digest',
  'content-type',
  'idempotency-key',
  'if-match',
  'if-none-match',
  'last-event-id',
  'prefer',
  'traceparent',
  'tracestate',
  'tombolo-address',
  'tombolo-after',
  'tombolo-agent',
  'tombolo-cookie',
  'tombolo-deadline',
  'tombolo-delivery',
  'tombolo-keeps',
  'tombolo-origin',
  'tombolo-principal',
  'tombolo-request',
  'tombolo-stream',
  'tombolo-upload',
] as const;

export type HopHeader = (typeof hopHeaders)[number];

/**
 * The headers that a receiver demands to be covered, beside method, path and query: without them it would act on bytes
 * that nobody signed for. Any other may be left away by a sender of another release, and then means what its absence
 * means: without a principal nobody is signed in, without a deadline the operation's own bound holds, without a request id
 * the log names none. What is sent and not covered is not there.
 */
export const hopDemands = {
  none: [],
  /** A body in memory is believed by its digest alone. */
  buffered: ['content-digest'],
  /**
   * A stream is whole where its end says so (`upload-end.ts`), and an edge that does not sign this writes no end. How it is
   * read is told by its type.
   */
  streamed: ['tombolo-upload', 'content-type'],
  report: ['content-digest'],
} as const satisfies Readonly<Record<string, readonly HopHeader[]>>;

/** What an answer tells the edge's cache (`read-facts.ts`). */
export const readHeader = 'tombolo-read';

/** Carries the code of a refusal by the hop itself, signed like the rest, for the edge alone. */
export const hopRefusalHeader = 'tombolo-hop';

const ownAnswerHeaders: ReadonlySet<string> = new Set(['tombolo-position', hopRefusalHeader, setCookiesHeader]);

/**
 * Whether an edge takes this header of an answer as it stands. What is named `tombolo-…` is between the two sides, but for
 * the position, which is the client's: one that only the origin knows yet must not reach clients.
 */
export function isAnswerHeader(name: string): boolean {
  return !name.startsWith('@') && (!name.startsWith('tombolo-') || ownAnswerHeaders.has(name));
}

export const hopLimits = {
  /** Request line and fields: a target and a principal of 8 KB each, five fields of 1 KB, a delivery of 4 KB, the rest under 2. */
  headBytesMax: 32_768,
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

/** A message as the signature sees it: derived components (RFC 9421 §2.2) by name, and headers by lower-case name. */
export interface SignedMessage {
  readonly derived: Readonly<Record<string, string>>;
  header(name: string): string | null;
}

/** RFC 9421 §2.2.7: `@query` includes the question mark, and is `?` when there is no query. */
export function toRequestMessage(method: string, path: string, query: string, header: (name: string) => string | null): SignedMessage {
  return { derived: { '@method': method, '@path': path, '@query': query === '' ? '?' : query }, header };
}

export function toAnswerMessage(status: number, header: (name: string) => string | null): SignedMessage {
  return { derived: { '@status': String(status) }, header };
}

/**
 * RFC 9421 §2.5: the text under the HMAC, and the parameters that stand in `Signature-Input`. `headers` are the names
 * that are covered, in order. Throws for one that the message does not have: nobody signs what is not there.
 */
export function toSignatureBase(
  message: SignedMessage,
  headers: readonly string[],
  parameters: SignatureParameters,
): { base: string; parameters: string } {
  return completeBase(toCovered(message, headers), parameters);
}

/** What a signature covers, as it stands under the MAC: the same whoever signs it and when. */
export interface Covered {
  readonly list: string;
  readonly lines: string;
}

export function toCovered(message: SignedMessage, headers: readonly string[]): Covered {
  const components = [...Object.keys(message.derived), ...headers];
  const lines = toLines(message, components);
  if (lines === undefined) throw new Error(`a header of ${headers.join(' ')} is not in the message`);
  return { list: `"${components.join('" "')}"`, lines };
}

export function completeBase({ list, lines }: Covered, signed: SignatureParameters): { base: string; parameters: string } {
  const { created, nonce, keyId, tag } = signed;
  const parameters = `(${list});created=${created};nonce="${nonce}";keyid="${keyId}";alg="hmac-sha256";tag="${tag}"`;
  return { base: toBase(lines, parameters), parameters };
}

/** What was signed, by the signature's own list; `undefined` where that cannot be: the signature does not hold. */
export function toReceivedBase(message: SignedMessage, { components, text }: SignatureInput): string | undefined {
  const isWhole = Object.keys(message.derived).every((name) => components.includes(name));
  const lines = isWhole ? toLines(message, components) : undefined;
  return lines === undefined ? undefined : toBase(lines, text);
}

/** A line for each component; `undefined` where the message lacks one. */
function toLines(message: SignedMessage, components: readonly string[]): string | undefined {
  let lines = '';
  for (const name of components) {
    const value = name.startsWith('@') ? message.derived[name] : message.header(name);
    if (value === undefined || value === null) return undefined;
    lines += `"${name}": ${value.trim()}\n`;
  }
  return lines;
}

/** `parameters`: the text of `@signature-params`, as it stands behind `hop=` (RFC 9421 §2.3). */
function toBase(lines: string, parameters: string): string {
  return `${lines}"@signature-params": ${parameters}`;
}

export function formatSignatureInput(parameters: string): string {
  return `hop=${parameters}`;
}

export function formatSignature(mac: string): string {
  return `hop=:${mac}:`;
}

export interface SignatureInput {
  /** The components as sent, in order; derived ones begin with `@`. */
  readonly components: readonly string[];
  readonly parameters: SignatureParameters;
  /** Both as they were sent, behind `hop=`. */
  readonly text: string;
}

/** The most components taken: more are not ours, and would make the receiver work. */
const componentsMax = 40;

const signatureInput = new RegExp([
  /^hop=\(((?:"@?[a-z0-9-]{1,64}"(?: |(?=\))))*)\)/,
  /;created=(\d{1,12});nonce="([A-Za-z0-9_-]{22})";keyid="([a-z0-9-]{1,32})";alg="hmac-sha256";tag="([a-z-]+)"$/,
].map(({ source }) => source).join(''));

/** A received `Signature-Input` in the profile's one form, or nothing. */
export function parseSignatureInput(text: string, tag: HopTag): SignatureInput | undefined {
  const [, list, created, nonce, keyId, found] = signatureInput.exec(text) ?? [];
  if (list === undefined || nonce === undefined || keyId === undefined || found !== tag) return undefined;
  const components = toComponents(list);
  if (components === undefined) return undefined;
  return { components, parameters: { created: Number(created), nonce, keyId, tag }, text: text.slice('hop='.length) };
}

/** Parsed lists of covered components. A sender has the same few for ever, so each is parsed once; another's may be any text. */
const knownComponents = new Map<string, readonly string[] | undefined>();
const knownComponentsMax = 256;

/** The components of a list; `undefined` for too many, or one that stands twice. */
function toComponents(list: string): readonly string[] | undefined {
  if (knownComponents.has(list)) return knownComponents.get(list);
  const names = list.split(' ').map((name) => name.slice(1, -1));
  const components = names.length <= componentsMax && new Set(names).size === names.length ? names : undefined;
  if (knownComponents.size >= knownComponentsMax) knownComponents.clear();
  knownComponents.set(list, components);
  return components;
}

/** The MAC in base64 (RFC 9651 §3.3.5), 44 characters for 32 bytes. */
export function parseSignature(text: string): string | undefined {
  return /^hop=:([A-Za-z0-9+/]{43}=):$/.exec(text)?.[1];
}

export function isWithinWindow(created: number, nowMs: number): boolean {
  return Math.abs(nowMs / 1_000 - created) <= hopLimits.ageSecondsMax;
}
