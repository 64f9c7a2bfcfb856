/**
 * The secrets that webhooks sign with (Standard Webhooks): 32 random bytes, shown once as `whsec_` and base64. They are kept
 * enciphered under the origin's key, as cursors are (`tokens.ts`), each bound to its webhook. Signing: HMAC-SHA256 of id, time
 * and body.
 */
import { createHmac, randomBytes } from 'node:crypto';
import type { HopKey } from '../../shared/hop/keys.ts';
import { isEqualText } from '../../shared/wire/equal-text.ts';
import { enciphered, hmac } from '../hop/hmac.ts';

const secretBytes = 32;
const macBytes = 16;

export function newSecret(): Buffer {
  return randomBytes(secretBytes);
}

export function toShownSecret(secret: Uint8Array): string {
  return `whsec_${Buffer.from(secret).toString('base64')}`;
}

/** The MAC of a secret is what it is enciphered under (the construction of RFC 5297 §2.6). */
export function sealSecret(secret: Uint8Array, webhook: string, key: HopKey): string {
  const mac = macOf(secret, webhook, key);
  return [key.id, enciphered(key, mac, secret).toString('base64url'), mac.toString('base64url')].join('.');
}

/** Throws an Error where the key is not among these any more. */
export function openSecret(sealed: string, webhook: string, keys: readonly HopKey[]): Buffer {
  const secret = openedBy(sealed, webhook, keys);
  if (secret === undefined) throw new Error('no key of this origin opens the secret: rotate it');
  return secret;
}

/** `undefined`: none of the keys opens it. */
export function openedBy(sealed: string, webhook: string, keys: readonly HopKey[]): Buffer | undefined {
  const [text = '', mac = ''] = sealed.slice(sealed.indexOf('.') + 1).split('.');
  for (const key of keys) {
    const secret = enciphered(key, Buffer.from(mac, 'base64url'), Buffer.from(text, 'base64url'));
    if (isEqualText(mac, macOf(secret, webhook, key).toString('base64url'))) return secret;
  }
  return undefined;
}

/** Whether it was enciphered under this key. */
export function isSealedUnder(sealed: string, { id }: HopKey): boolean {
  return sealed.startsWith(`${id}.`);
}

function macOf(secret: Uint8Array, webhook: string, key: HopKey): Buffer {
  return hmac(key, `tombolo-webhook ${webhook}\n${Buffer.from(secret).toString('base64')}`).subarray(0, macBytes);
}

export interface Signing {
  readonly id: string;
  /** Seconds of the epoch. */
  readonly at: number;
  readonly body: string;
}

/** `Webhook-Signature`: one by each secret, a space between. */
export function toSignature({ id, at, body }: Signing, secrets: readonly Uint8Array[]): string {
  return secrets.map((secret) => `v1,${createHmac('sha256', secret).update(`${id}.${at}.${body}`).digest('base64')}`).join(' ');
}
