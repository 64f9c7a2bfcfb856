/** A request as the origin believes it: signed over everything that the origin reads (SEMANTICS: the hop). */
import { formatSignature, formatSignatureInput, toRequestMessage, toSignatureBase } from '../../shared/hop/profile.ts';
import { toBase64, toBase64Url } from './base64.ts';
import type { Macs } from './macs.ts';

export interface HopRequest {
  readonly method: string;
  readonly url: URL;
  /** Covered headers alone; the signature is added to them. */
  readonly headers: Headers;
  readonly nonce: string;
}

export async function signRequest({ method, url, headers, nonce }: HopRequest, macs: Macs, nowMs: number): Promise<void> {
  const message = toRequestMessage(method, url.pathname, url.search, (name) => headers.get(name));
  const parameters = { created: Math.floor(nowMs / 1_000), nonce, keyId: macs.signingKeyId, tag: 'tombolo-hop' } as const;
  const signed = toSignatureBase(message, parameters);
  headers.set('signature-input', formatSignatureInput(signed.parameters));
  headers.set('signature', formatSignature(toBase64(await macs.sign(signed.base))));
}

/** 128 random bits in 22 characters. */
export function randomNonce(): string {
  return toBase64Url(crypto.getRandomValues(new Uint8Array(16)));
}
