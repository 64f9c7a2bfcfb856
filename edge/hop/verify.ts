/** What the origin signed: its answers, bound to our request by the nonce, and its reports. */
import { Fault } from '../../shared/contract/fault.ts';
import { parsePosition, type Position } from '../../shared/contract/position.ts';
import { isWithinWindow, parseSignature, parseSignatureInput, readHeader, type SignatureParameters, toAnswerMessage, toRequestMessage, toSignatureBase } from '../../shared/hop/profile.ts';
import type { SentHeaders } from '../sent-headers.ts';
import type { Target } from '../target.ts';
import { fromBase64 } from './base64.ts';
import type { Macs } from './macs.ts';

/** What an answer states of itself: where its state was read, under which declaration, for whom. */
export interface ReadFacts {
  readonly position: Position;
  readonly resourceDigest: string;
  readonly scopeDigest: string;
}

/** `undefined` for an answer that is not signed, not for this request, or says nothing of its state. */
export async function verifyAnswer(answer: Response, nonce: string, macs: Macs, nowMs: number): Promise<ReadFacts | undefined> {
  const parameters = parseSignatureInput(answer.headers.get('signature-input') ?? '', 'tombolo-answer');
  const mac = parseSignature(answer.headers.get('signature') ?? '');
  const facts = parseReadFacts(answer.headers.get(readHeader) ?? '');
  if (parameters === undefined || mac === undefined || facts === undefined) return undefined;
  if (parameters.nonce !== nonce || !isWithinWindow(parameters.created, nowMs)) return undefined;
  const { base } = toSignatureBase(toAnswerMessage(answer.status, (name) => answer.headers.get(name)), parameters);
  return (await macs.verify(parameters.keyId, base, fromBase64(mac))) ? facts : undefined;
}

function parseReadFacts(text: string): ReadFacts | undefined {
  const [at = '', resourceDigest, scopeDigest, ...more] = text.split(';');
  const position = parsePosition(at);
  if (position === undefined || resourceDigest === undefined || scopeDigest === undefined || more.length > 0) return undefined;
  return { position, resourceDigest, scopeDigest };
}

/** The headers of a report that the edge reads, hence all that its signature covers. */
const reportHeaders: ReadonlySet<string> = new Set(['content-digest', 'content-type']);

/** Throws unless a key of the ring signed this report just now. The body is checked by its digest, elsewhere. */
export async function mustSignedReport(sent: SentHeaders, { path, query }: Target, macs: Macs, nowMs: number): Promise<SignatureParameters> {
  const input = sent.get('signature-input');
  const signature = sent.get('signature');
  if (input === null || signature === null) throw new Fault('hop_unsigned', { detail: 'reports are signed by the origin' });
  const parameters = parseSignatureInput(input, 'tombolo-report');
  const mac = parseSignature(signature);
  if (parameters === undefined || mac === undefined) throw new Fault('hop_invalid');
  // HTTP clients add headers of their own, `Accept` above all: what is not read here is not covered.
  const header = (name: string) => (reportHeaders.has(name) ? sent.get(name) : null);
  const { base } = toSignatureBase(toRequestMessage('POST', path, query, header), parameters);
  if (!(await macs.verify(parameters.keyId, base, fromBase64(mac)))) throw new Fault('hop_invalid');
  if (!isWithinWindow(parameters.created, nowMs)) throw new Fault('hop_expired', { detail: 'the clocks of edge and origin differ, or the report was held' });
  return parameters;
}
