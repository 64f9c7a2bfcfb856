/**
 * Requests that a stored answer was found for: whoever asks for the same target with the same `Accept`, as nobody, and sends
 * no other field that a stage reads, is led by version, route, contract and look-up to the same place. That way is made
 * once; the flood shield, the plan and what is fresh are asked each time.
 */
import { remember } from '../../shared/remember.ts';
import { edgeLimits } from '../limits.ts';
import type { Admitted, Validated } from '../request/request.ts';
import type { Lookup } from './lookup.ts';

/** Fields that say something of which answer is asked for, or of who asks. */
const telling = [
  'api-version', 'authorization', 'cache-control', 'content-encoding', 'content-length', 'content-type', 'cookie', 'if-match',
  'if-none-match', 'tombolo-position', 'transfer-encoding',
] as const;

export interface Recognised {
  readonly lookup: Lookup;
  /** What the stages between would hand on. */
  readonly found: Omit<Validated, keyof Admitted>;
}

export class RecognisedRequests {
  /** Targets in order of arrival: the oldest goes first. */
  readonly #known = new Map<string, Recognised>();

  find(request: Admitted): Recognised | undefined {
    const key = keyOf(request);
    return key === undefined ? undefined : this.#known.get(key);
  }

  keep(request: Validated, lookup: Lookup): void {
    const key = request.speech === undefined ? keyOf(request) : undefined;
    if (key === undefined || key.length > edgeLimits.spellingCharactersMax) return;
    const { route, principal, signedInUntil, stream, cached, preconditions, demanded, body } = request;
    const found = { route, principal, signedInUntil, stream, cached, preconditions, demanded, body };
    remember(this.#known, key, { lookup, found }, edgeLimits.spellingsMax);
  }
}

/** `undefined` where fields tell more. */
function keyOf({ raw, sent, target }: Admitted): string | undefined {
  if (raw.method !== 'GET') return undefined;
  for (const name of telling) if (sent.has(name)) return undefined;
  return `${sent.get('accept') ?? ''} ${target.path}${target.query}`;
}
