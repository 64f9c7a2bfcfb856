/** What the origin signs: all of its answers, and reports of changes. */
import type { HopKey } from '../../shared/hop/keys.ts';
import {
  completeBase, type Covered, formatSignature, formatSignatureInput, type SignatureParameters, toAnswerMessage, toCovered,
  toRequestMessage,
} from '../../shared/hop/profile.ts';
import { contentDigest, macText, randomNonce } from './hmac.ts';

export interface AnswerSigning {
  /** The key of the request, which its sender has. */
  readonly key: HopKey;
  /** The request's nonce, which binds the answer to it. */
  readonly nonce: string;
}

/** Adds the signature to an answer's headers, lower-case names: every one of them is covered. */
export function signAnswer(headers: Record<string, string>, status: number, signing: AnswerSigning, nowMs: number): void {
  signCovered(headers, coveredOf(headers, status), signing, nowMs);
}

/** What is signed of an answer, for whoever gives the same one often. */
export function coveredOf(headers: Readonly<Record<string, string>>, status: number): Covered {
  return toCovered(toAnswerMessage(status, (name) => headers[name] ?? null), Object.keys(headers));
}

/** Adds the signature over `covered`, all headers that there are. */
export function signCovered(headers: Record<string, string>, covered: Covered, { key, nonce }: AnswerSigning, nowMs: number): void {
  sign(headers, covered, key, { created: Math.floor(nowMs / 1_000), nonce, keyId: key.id, tag: 'tombolo-answer' });
}

/** A signed POST to the edge, body included. */
export function toSignedReport(url: string, body: string, key: HopKey, nowMs: number): Request {
  const headers: Record<string, string> = { 'content-type': 'application/json', 'content-digest': contentDigest(body) };
  const message = toRequestMessage('POST', new URL(url).pathname, '', (name) => headers[name] ?? null);
  const covered = toCovered(message, Object.keys(headers));
  sign(headers, covered, key, { created: Math.floor(nowMs / 1_000), nonce: randomNonce(), keyId: key.id, tag: 'tombolo-report' });
  return new Request(url, { method: 'POST', headers, body });
}

function sign(headers: Record<string, string>, covered: Covered, key: HopKey, parameters: SignatureParameters): void {
  const signed = completeBase(covered, parameters);
  headers['signature-input'] = formatSignatureInput(signed.parameters);
  headers['signature'] = formatSignature(macText(key, signed.base));
}
