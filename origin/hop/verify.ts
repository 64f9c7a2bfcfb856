/** The origin's door: nothing passes that a key of the ring did not sign just now (SEMANTICS: the hop). */
import { Fault } from '../../shared/contract/fault.ts';
import type { HopKey } from '../../shared/hop/keys.ts';
import { hopHeaders, isWithinWindow, parseSignature, parseSignatureInput, type SignatureParameters, toRequestMessage, toSignatureBase } from '../../shared/hop/profile.ts';
import { isEqualText, macText } from './hmac.ts';

/** A request whose signature holds. `header` gives the covered headers alone. */
export interface VerifiedHop {
  readonly method: string;
  /** Raw: still percent-encoded. */
  readonly path: string;
  /** With its question mark, or empty. */
  readonly query: string;
  readonly parameters: SignatureParameters;
  header(name: (typeof hopHeaders)[number]): string | null;
}

export function verifyHop(request: Request, keys: readonly HopKey[], nowMs: number): VerifiedHop {
  const input = request.headers.get('signature-input');
  const signature = request.headers.get('signature');
  if (input === null || signature === null) throw new Fault('hop_unsigned', { detail: 'the origin answers its edge alone' });
  const parameters = parseSignatureInput(input, 'tombolo-hop');
  const mac = parseSignature(signature);
  const key = keys.find((known) => known.id === parameters?.keyId);
  if (parameters === undefined || mac === undefined || key === undefined) throw new Fault('hop_invalid');
  const { path, query } = splitTarget(request.url);
  const { covered, header } = readCovered(request);
  const message = toRequestMessage(request.method, path, query, header);
  if (!isEqualText(macText(key, toSignatureBase(message, parameters).base), mac)) throw new Fault('hop_invalid');
  if (!isWithinWindow(parameters.created, nowMs)) throw new Fault('hop_expired', { detail: 'the clocks of edge and origin differ, or the request was held' });
  return { method: request.method, path, query, parameters, header: (name) => covered.get(name) ?? null };
}

/** Each header is fetched from the server once: what the signature was made over is what the request says later. */
function readCovered({ headers }: Request): { readonly covered: ReadonlyMap<string, string>; header(name: string): string | null } {
  const covered = new Map<string, string>();
  const header = (name: string) => {
    const value = headers.get(name);
    if (value !== null) covered.set(name, value);
    return value;
  };
  return { covered, header };
}

/** Path and query as they came, untouched by URL normalisation: they are what was signed. */
function splitTarget(url: string): { path: string; query: string } {
  const start = url.indexOf('/', url.indexOf('://') + 3);
  const mark = url.indexOf('?', start);
  return mark < 0 ? { path: url.slice(start), query: '' } : { path: url.slice(start, mark), query: url.slice(mark) };
}
