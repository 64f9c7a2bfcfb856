/** Verifies requests: nothing passes that a key of the ring did not sign just now (SEMANTICS §9). */
import { Fault } from '../../shared/wire/fault.ts';
import type { HopKey } from '../../shared/hop/keys.ts';
import {
  type HopHeader, isWithinWindow, parseSignature, parseSignatureInput, type SignatureParameters, toReceivedBase, toRequestMessage,
} from '../../shared/hop/profile.ts';
import { isEqualText } from '../../shared/wire/equal-text.ts';
import { targetOf } from '../host-and-target.ts';
import { macText } from './hmac.ts';
import type { AnswerSigning } from './sign.ts';

/** A request whose signature holds. `header` gives the covered headers alone. */
export interface VerifiedHop {
  readonly method: string;
  /** The path as sent, still percent-encoded. */
  readonly path: string;
  /** The query with its question mark, or empty. */
  readonly query: string;
  readonly parameters: SignatureParameters;
  readonly answers: AnswerSigning;
  header(name: HopHeader): string | null;
}

export function verifyHop(request: Request, keys: readonly HopKey[], nowMs: number): VerifiedHop {
  const input = request.headers.get('signature-input');
  const signature = request.headers.get('signature');
  if (input === null || signature === null) throw new Fault('hop_unsigned', { detail: 'the origin answers its edge alone' });
  const parsed = parseSignatureInput(input, 'tombolo-hop');
  const mac = parseSignature(signature);
  if (parsed === undefined || mac === undefined) throw new Fault('hop_invalid');
  const { parameters } = parsed;
  const key = keys.find((known) => known.id === parameters.keyId);
  if (key === undefined) {
    throw new Fault('hop_key_unknown', { detail: 'this origin does not have the key that the request is signed with' });
  }
  const { path, query } = splitTarget(targetOf(request));
  const covered = readCovered(request, parsed.components);
  const base = toReceivedBase(toRequestMessage(request.method, path, query, covered), parsed);
  if (base === undefined || !isEqualText(macText(key, base), mac)) throw new Fault('hop_invalid');
  if (!isWithinWindow(parameters.created, nowMs)) {
    throw new Fault('hop_expired', { detail: 'the clocks of edge and origin differ, or the request was held' });
  }
  return { method: request.method, path, query, parameters, answers: { key, nonce: parameters.nonce }, header: covered };
}

/** Throws unless the signature covers these headers. */
export function mustCover(hop: VerifiedHop, demanded: readonly HopHeader[]): void {
  const missing = demanded.find((name) => hop.header(name) === null);
  if (missing !== undefined) throw new Fault('hop_invalid', { detail: `the signature does not cover ${missing}` });
}

/**
 * How a refusal of an unverified request is signed: with our first key, bound to the nonce that it brought. It says no
 * more than that it was refused, and lets an edge that has this key too tell it from a proxy's own 401.
 */
export function refusalSigning(request: Request, keys: readonly [HopKey, ...HopKey[]]): AnswerSigning | undefined {
  const parsed = parseSignatureInput(request.headers.get('signature-input') ?? '', 'tombolo-hop');
  if (parsed === undefined) return undefined;
  const { keyId, nonce } = parsed.parameters;
  return { key: keys.find((known) => known.id === keyId) ?? keys[0], nonce };
}

/** Each header is fetched from the server once: what the signature was made over is what the request says later. */
function readCovered({ headers }: Request, components: readonly string[]): (name: string) => string | null {
  const covered = new Map<string, string | null>();
  for (const name of components) if (!name.startsWith('@')) covered.set(name, headers.get(name));
  return (name) => covered.get(name) ?? null;
}

/** Path and query as they came, untouched by URL normalisation: they are what was signed. */
function splitTarget(target: string): { path: string; query: string } {
  const mark = target.indexOf('?');
  return mark < 0 ? { path: target, query: '' } : { path: target.slice(0, mark), query: target.slice(mark) };
}
