/**
 * The key ring shared by edge and origin: `TOMBOLO_KEYS="k2:<base64url>,k1:<base64url>"`. The first key signs, all
 * verify, and a key that the other side does not know yet gives way to the next: a rotation is to put the new key in
 * front on both sides, in either order, and to drop the old one when both have it.
 *
 * One ring serves several purposes; what is signed begins with a text that names its purpose
 * (`"@method": …`, `tombolo-position …`), so that no MAC of one kind is good for another.
 */
import { fromBase64 } from '../wire/base64.ts';

export interface HopKey {
  readonly id: string;
  readonly secret: Uint8Array<ArrayBuffer>;
}

const secretBytesMin = 32;
/** Longer ones are no stronger: RFC 2104 §3 hashes what is longer than a block. */
const secretBytesMax = 1_024;
const keysMax = 16;

/** Throws with what is wrong, never with the secret. */
export function mustKeyRing(text: string): readonly [HopKey, ...HopKey[]] {
  const [first, ...rest] = text.split(',').map(mustKey);
  if (first === undefined) throw new Error('is empty');
  if (rest.length >= keysMax) throw new Error(`has more than ${keysMax} keys`);
  const ids = new Set([first, ...rest].map((key) => key.id));
  if (ids.size !== rest.length + 1) throw new Error('names a key id twice');
  return [first, ...rest];
}

function mustKey(text: string, index: number): HopKey {
  const found = /^([a-z0-9-]{1,32}):([A-Za-z0-9_-]+)$/.exec(text.trim());
  if (found?.[1] === undefined || found[2] === undefined) throw new Error(`entry ${index + 1} is not <id>:<base64url>`);
  const secret = fromBase64(found[2]);
  if (secret.length < secretBytesMin) throw new Error(`key "${found[1]}" has ${secret.length} bytes; ${secretBytesMin} at least`);
  if (secret.length > secretBytesMax) throw new Error(`key "${found[1]}" has ${secret.length} bytes; ${secretBytesMax} at most`);
  return { id: found[1], secret };
}
