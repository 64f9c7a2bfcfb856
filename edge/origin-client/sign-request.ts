/** A request as the origin believes it: signed over everything that it carries (SEMANTICS §9). */
import { formatSignature, formatSignatureInput, toRequestMessage, toSignatureBase } from '../../shared/hop/profile.ts';
import type { Target } from '../request/target.ts';
import type { Macs } from './macs.ts';

export interface Signed {
  readonly method: string;
  readonly target: Target;
  /** By lower-case name; every one is covered, and the signature is added to them. */
  readonly headers: Record<string, string>;
  readonly nonce: string;
}

/** Gives the id of the key that signed. */
export function signRequest({ method, target, headers, nonce }: Signed, macs: Macs, nowMs: number): string {
  const message = toRequestMessage(method, target.path, target.query, (name) => headers[name] ?? null);
  const keyId = macs.signingKeyId;
  const signed = toSignatureBase(message, Object.keys(headers), { created: Math.floor(nowMs / 1_000), nonce, keyId, tag: 'tombolo-hop' });
  headers['signature-input'] = formatSignatureInput(signed.parameters);
  headers['signature'] = formatSignature(macs.signText(signed.base));
  return keyId;
}
