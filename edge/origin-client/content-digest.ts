/** `Content-Digest` with SHA-256, RFC 9530 §2. */
import { toBase64 } from '../../shared/wire/base64.ts';

export async function contentDigest(body: Uint8Array<ArrayBuffer>): Promise<string> {
  return `sha-256=:${toBase64(new Uint8Array(await crypto.subtle.digest('SHA-256', body)))}:`;
}
