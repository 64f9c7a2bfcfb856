/**
 * HMAC-SHA256 with the key ring. All keys verify. The first one signs, unless the origin has said that it does not know it
 * yet: then the next one does, for a while (a rotation that has reached this side first).
 */
import { isEqualText } from '../../shared/wire/equal-text.ts';
import type { HopKey } from '../../shared/hop/keys.ts';
import { edgeLimits } from '../limits.ts';
import type { Hasher, KeyNumber } from './hasher.ts';

interface Key {
  readonly id: string;
  readonly number: KeyNumber;
}

export class Macs {
  readonly #hasher: Hasher;
  readonly #keys: readonly Key[];
  readonly #first: Key;
  #signing: Key;
  /** Until when `#signing` stands in for the first key. */
  #standsInUntil = 0;

  constructor([first, ...others]: readonly [HopKey, ...HopKey[]], hasher: Hasher) {
    this.#hasher = hasher;
    const toKey = ({ id, secret }: HopKey): Key => ({ id, number: this.#hasher.addKey(secret) });
    this.#first = toKey(first);
    this.#keys = [this.#first, ...others.map(toKey)];
    this.#signing = this.#first;
  }

  get signingKeyId(): string {
    return this.#signingKey().id;
  }

  sign(text: string): Uint8Array<ArrayBuffer> {
    return this.#hasher.mac(this.#signingKey().number, text);
  }

  /** In base64. */
  signText(text: string): string {
    return this.#hasher.macText(this.#signingKey().number, text);
  }

  /** A MAC by the first key, whichever one signs. */
  first(text: string): Uint8Array<ArrayBuffer> {
    return this.#hasher.mac(this.#first.number, text);
  }

  /** Makes the key behind `keyId`, which the origin does not know, sign from now on. False when there is none. */
  signWithNext(keyId: string): boolean {
    const next = this.#keys[this.#keys.findIndex(({ id }) => id === keyId) + 1];
    if (next === undefined) return false;
    this.#signing = next;
    this.#standsInUntil = Date.now() + edgeLimits.keyStandsInMs;
    return true;
  }

  /** Whether the MAC, in base64, is right, in constant time; false for an unknown key. */
  verify(keyId: string, text: string, mac: string): boolean {
    const key = this.#keys.find((known) => known.id === keyId);
    return key !== undefined && isEqualText(this.#hasher.macText(key.number, text), mac);
  }

  /** The same of a MAC that is sent truncated and names no key. */
  verifyTruncated(text: string, mac: Uint8Array): boolean {
    return this.#keys.some(({ number }) => isEqual(this.#hasher.mac(number, text).subarray(0, mac.length), mac));
  }

  #signingKey(): Key {
    if (this.#signing !== this.#first && Date.now() > this.#standsInUntil) this.#signing = this.#first;
    return this.#signing;
  }
}

/** Whether the bytes are equal, in constant time for equal lengths; the length of a MAC is no secret. */
export function isEqual(left: Uint8Array, right: Uint8Array): boolean {
  if (left.length !== right.length) return false;
  let difference = 0;
  for (let index = 0; index < left.length; index++) difference |= (left[index] ?? 0) ^ (right[index] ?? 0);
  return difference === 0;
}
