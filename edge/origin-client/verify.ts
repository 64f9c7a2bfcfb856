/** What the origin signed: its answers, bound to our request by the nonce, and its reports. */
import { Fault } from '../../shared/wire/fault.ts';
import {
  hopDemands, isAnswerHeader, isWithinWindow, parseSignature, parseSignatureInput, readHeader, type SignatureParameters,
  toAnswerMessage, toReceivedBase, toRequestMessage,
} from '../../shared/hop/profile.ts';
import { parseReadFacts, type ReadFacts } from '../../shared/hop/read-facts.ts';
import { loadHeader } from '../../shared/operations/load-level.ts';
import { dependsHeader, parseStatedReads, type StatedReads } from '../../shared/hop/stated-reads.ts';
import type { SentHeaders } from '../request/request-headers.ts';
import type { Target } from '../request/target.ts';
import type { Macs } from './macs.ts';

/** What the origin said: nothing of an answer that is not in here comes from it. */
export interface SignedAnswer {
  /** Headers that the signature covers and this edge takes, by lower-case name. */
  readonly headers: Readonly<Record<string, string>>;
  /** What the answer states of its reading; present where the answer is a state. */
  readonly facts: ReadFacts | undefined;
  /** What it was made of, where no request tells; present on answers of states alone. */
  readonly stated: StatedReads | undefined;
  /** How much the origin has to do, as it says; absent where that is nothing much. */
  readonly load: string | undefined;
}

/** `undefined` for an answer that is not signed, or not for this request. */
export function verifyAnswer(answer: Response, nonce: string, macs: Macs, nowMs: number): SignedAnswer | undefined {
  const given = answer.headers;
  const input = parseSignatureInput(given.get('signature-input') ?? '', 'tombolo-answer');
  const mac = parseSignature(given.get('signature') ?? '');
  if (input === undefined || mac === undefined) return undefined;
  const { parameters } = input;
  if (parameters.nonce !== nonce || !isWithinWindow(parameters.created, nowMs)) return undefined;
  const headers: Record<string, string> = {};
  let read: string | undefined;
  let depends: string | undefined;
  let load: string | undefined;
  // What is covered is what is read, so each field is asked of the platform once.
  const take = (name: string): string | null => {
    const value = given.get(name);
    if (value === null) return null;
    if (name === readHeader) read = value;
    else if (name === dependsHeader) depends = value;
    else if (name === loadHeader) load = value;
    else if (isAnswerHeader(name)) headers[name] = value;
    return value;
  };
  const base = toReceivedBase(toAnswerMessage(answer.status, take), input);
  if (base === undefined || !macs.verify(parameters.keyId, base, mac)) return undefined;
  return {
    headers, load,
    facts: read === undefined ? undefined : parseReadFacts(read),
    stated: depends === undefined ? undefined : parseStatedReads(depends),
  };
}

/** Throws unless a key of the ring signed this report just now. The body is checked by its digest, elsewhere. */
export function mustSignedReport(sent: SentHeaders, { path, query }: Target, macs: Macs, nowMs: number): SignatureParameters {
  const given = sent.get('signature-input');
  const signature = sent.get('signature');
  if (given === null || signature === null) throw new Fault('hop_unsigned', { detail: 'reports are signed by the origin' });
  const input = parseSignatureInput(given, 'tombolo-report');
  const mac = parseSignature(signature);
  if (input === undefined || mac === undefined || !hopDemands.report.every((name) => input.components.includes(name))) {
    throw new Fault('hop_invalid');
  }
  const { parameters } = input;
  const base = toReceivedBase(toRequestMessage('POST', path, query, (name) => sent.get(name)), input);
  if (base === undefined || !macs.verify(parameters.keyId, base, mac)) throw new Fault('hop_invalid');
  if (!isWithinWindow(parameters.created, nowMs)) {
    throw new Fault('hop_expired', { detail: 'the clocks of edge and origin differ, or the report was held' });
  }
  return parameters;
}
