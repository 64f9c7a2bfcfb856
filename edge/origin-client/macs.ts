/**
 * HMAC-SHA256 with the key ring, on Web Crypto. All keys verify. The first one signs, unless the origin has said that it
 * does not know it yet: then the next one does, for a while (a rotation that has reached this side first).
 */
import type { HopKey } from '../../shared/hop/keys.ts';
import { edgeLimits } from '../limits.ts';

const encoder = new TextEncoder();
/** The buffer for short texts, as those of the hop are: Web Crypto copies what it is given before it returns. */
const scratch = new Uint8Array(new ArrayBuffer(8_192));

/** The text as UTF-8, which takes three bytes at most for a unit of UTF-16. */
function toBytes(text: string): Uint8Array<ArrayBuffer> {
  if (text.length * 3 > scratch.length) return new Uint8Array(encoder.encode(text));
  return scratch.subarray(0, encoder.encodeInto(text, scratch).written);
}

export class Macs {
  readonly #keys: readonly [HopKey, ...HopKey[]];
  /** Imported keys, not promises of them: a promise made in one request must not be awaited by another. */
  readonly #imported = new Map<string, CryptoKey>();
  #signing: HopKey;
  /** Until when `#signing` stands in for the first key. */
  #standsInUntil = 0;

  constructor(keys: readonly [HopKey, ...HopKey[]]) {
    this.#keys = keys;
    this.#signing = keys[0];
  }

  get signingKeyId(): string {
    return this.#signingKey().id;
  }

  async sign(text: string): Promise<Uint8Array> {
    return this.#mac(this.#signingKey(), text);
  }

  /** Makes the key behind `keyId`, which the origin does not know, sign from now on. False when there is none. */
  signWithNext(keyId: string): boolean {
    const next = this.#keys[this.#keys.findIndex(({ id }) => id === keyId) + 1];
    if (next === undefined) return false;
    this.#signing = next;
    this.#standsInUntil = Date.now() + edgeLimits.keyStandsInMs;
    return true;
  }

  /** Whether the MAC is right, in constant time; false for an unknown key. */
  async verify(keyId: string, text: string, mac: Uint8Array<ArrayBuffer>): Promise<boolean> {
    const key = this.#keys.find((known) => known.id === keyId);
    return key !== undefined && crypto.subtle.verify('HMAC', this.#imported.get(keyId) ?? (await this.#import(key)), mac, toBytes(text));
  }

  /** The same of a MAC that is sent truncated and names no key. */
  async verifyTruncated(text: string, mac: Uint8Array): Promise<boolean> {
    for (const key of this.#keys) if (isEqual((await this.#mac(key, text)).subarray(0, mac.length), mac)) return true;
    return false;
  }

  #signingKey(): HopKey {
    if (this.#signing !== this.#keys[0] && Date.now() > this.#standsInUntil) this.#signing = this.#keys[0];
    return this.#signing;
  }

  async #mac(key: HopKey, text: string): Promise<Uint8Array> {
    return new Uint8Array(await crypto.subtle.sign('HMAC', this.#imported.get(key.id) ?? (await this.#import(key)), toBytes(text)));
  }

  async #import(key: HopKey): Promise<CryptoKey> {
    const made = await crypto.subtle.importKey('raw', key.secret, { name: 'HMAC', hash: 'SHA-256' }, false, ['sign', 'verify']);
    this.#imported.set(key.id, made);
    return made;
  }
}

/** Whether the bytes are equal, in constant time for equal lengths; the length of a MAC is no secret. */
function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}
