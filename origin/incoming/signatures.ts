/**
 * Whether a delivery is its source's: an HMAC over the body as it was sent, in each form as its provider documents it. Each MAC
 * is compared in constant time, with each secret. Where a form signs no id, the MAC itself tells deliveries apart: an id beside it
 * could be another each time that somebody sends a captured one again.
 */
import { incomingLimits } from '../../shared/incoming/limits.ts';
import type { OwnForm, Source } from '../../shared/incoming/source.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { isEqualText } from '../../shared/wire/equal-text.ts';

export interface Delivery {
  /** By lower-case name. */
  readonly headers: Readonly<Record<string, string | null>>;
  /** As it was sent. */
  readonly text: string;
  readonly body: JsonObject;
  /** Milliseconds of the epoch. */
  readonly nowMs: number;
}

export interface Proven {
  /** What tells this delivery from all others of its source. */
  readonly key: string;
  /** As its provider calls them. */
  readonly id: string | undefined;
  readonly type: string | undefined;
}

/** `undefined`: it is not proven. */
export function proven(source: Source, delivery: Delivery, secrets: readonly string[]): Proven | undefined {
  const { form } = source;
  if (typeof form !== 'string') return ofOwn(form, delivery, secrets);
  return { standard: ofStandard, stripe: ofStripe, github: ofGithub }[form](source, delivery, secrets);
}

/** `id.timestamp.body` under the bytes that the secret is the base64 of, after `whsec_`. */
function ofStandard(source: Source, { headers, text, body, nowMs }: Delivery, secrets: readonly string[]): Proven | undefined {
  const { 'webhook-id': id, 'webhook-timestamp': at, 'webhook-signature': given } = headers;
  if (!id || !isNow(source, at, nowMs)) return undefined;
  const macs = (given ?? '').split(' ').flatMap((each) => (each.startsWith('v1,') ? [each.slice('v1,'.length)] : []));
  const keys = secrets.map((secret) => Buffer.from(secret.replace(/^whsec_/, ''), 'base64'));
  const mac = found(macs, keys.map((key) => macOf('sha256', key, `${id}.${at}.${text}`).toString('base64')));
  return mac === undefined ? undefined : { key: id, id, type: textIn(body, 'type') };
}

/** `t=<seconds>,v1=<MAC>,…`: `timestamp.body` under the whole secret as text. */
function ofStripe(source: Source, { headers, text, body, nowMs }: Delivery, secrets: readonly string[]): Proven | undefined {
  const parts = (headers['stripe-signature'] ?? '').split(',').map((part) => part.trim().split('='));
  const valuesOf = (name: string) => parts.flatMap(([key, value]) => (key === name && value !== undefined ? [value] : []));
  const [at] = valuesOf('t');
  if (!isNow(source, at, nowMs)) return undefined;
  const mac = found(valuesOf('v1'), secrets.map((secret) => macOf('sha256', secret, `${at}.${text}`).toString('hex')));
  const id = textIn(body, 'id');
  return mac === undefined ? undefined : { key: id ?? mac, id, type: textIn(body, 'type') };
}

function ofGithub(_source: Source, delivery: Delivery, secrets: readonly string[]): Proven | undefined {
  const { 'x-github-delivery': id, 'x-github-event': type } = delivery.headers;
  const signed = ofOwn({ header: 'x-hub-signature-256', hash: 'sha256', encoding: 'hex', prefix: 'sha256=' }, delivery, secrets);
  return signed && { ...signed, id: id ?? undefined, type: type ?? undefined };
}

function ofOwn({ header, hash, encoding, prefix = '' }: OwnForm, { headers, text, body }: Delivery, secrets: readonly string[]) {
  const mac = found([headers[header] ?? ''], secrets.map((secret) => prefix + macOf(hash, secret, text).toString(encoding)));
  return mac === undefined ? undefined : { key: mac, id: textIn(body, 'id'), type: textIn(body, 'type') };
}

function macOf(hash: OwnForm['hash'], secret: string | Buffer, text: string): Buffer {
  return new Bun.CryptoHasher(hash, secret).update(text).digest();
}

/** All are compared, so that the time tells nothing of which is right. */
function found(given: readonly string[], right: readonly string[]): string | undefined {
  let mac: string | undefined;
  for (const each of given.slice(0, incomingLimits.macsMax)) for (const one of right) if (isEqualText(each, one)) mac = one;
  return mac;
}

function isNow({ toleranceSeconds }: Source, at: string | null | undefined, nowMs: number): boolean {
  const away = Math.abs(Number(at) - nowMs / 1_000);
  return /^\d{1,12}$/.test(at ?? '') && away <= (toleranceSeconds ?? incomingLimits.toleranceSecondsDefault);
}

function textIn(body: JsonObject, name: string): string | undefined {
  const value = body[name];
  return typeof value === 'string' ? value : undefined;
}
