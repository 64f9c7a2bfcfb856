/** MACs in texts that clients carry: 128 bits are enough where an attacker can only try online (RFC 2104 §5). */
import { fromBase64, isCanonicalBase64Url, toBase64Url } from '../../shared/wire/base64.ts';
import type { Macs } from '../origin-client/macs.ts';

const macBytes = 16;
/** Characters of `macBytes` in base64url. */
const macCharacters = 22;

export function signTruncated(macs: Macs, text: string): string {
  return toBase64Url(macs.sign(text).subarray(0, macBytes));
}

export function isTruncatedMac(macs: Macs, text: string, mac: string): boolean {
  return mac.length === macCharacters && isCanonicalBase64Url(mac) && macs.verifyTruncated(text, fromBase64(mac));
}
