/**
 * Requests that a stored answer was found for: whoever asks for the same target with the same `Accept`, as the same caller, and
 * sends no other field that a stage reads, is led by version, route, contract and look-up to the same place. That way is made
 * once; who asks, the flood shield, the plan and what is fresh are asked each time.
 */
import { remember } from '../../shared/remember.ts';
import { anonymous, type Principal } from '../../shared/wire/principal.ts';
import { edgeLimits } from '../limits.ts';
import type { Admitted, Identity, Validated } from '../request/request.ts';
import type { Lookup } from './lookup.ts';

/** Fields that say something of which answer is asked for, beside who asks. */
const telling = [
  'api-version', 'cache-control', 'content-encoding', 'content-length', 'content-type', 'cookie', 'if-match', 'if-none-match',
  'tombolo-position', 'transfer-encoding',
] as const;

export interface Recognised {
  readonly lookup: Lookup;
  /** What the stages between would hand on, but who asks. */
  readonly found: Omit<Validated, keyof Admitted | keyof Identity>;
}

export class RecognisedRequests {
  /** Targets in order of arrival: the oldest goes first. Those of callers who signed in are many, and displace none of these. */
  readonly #ofAnybody = new Map<string, Recognised>();
  readonly #ofCallers = new Map<string, Recognised>();
  /** A caller is who they were verified to be then: by another token, or the same one verified anew, they are another. */
  readonly #callers = new WeakMap<Principal, number>();
  #lastCaller = 0;

  find(request: Admitted, principal: Principal): Recognised | undefined {
    const key = keyOf(request);
    if (key === undefined) return undefined;
    if (principal === anonymous) return this.#ofAnybody.get(key);
    const caller = this.#callers.get(principal);
    return caller === undefined ? undefined : this.#ofCallers.get(`${caller} ${key}`);
  }

  keep(request: Validated, lookup: Lookup): void {
    const { speech, route, cached, preconditions, demanded, body, principal, signedInUntil } = request;
    const key = speech === undefined ? keyOf(request) : undefined;
    // A token that was taken within the skew of clocks is verified anew each time, and is another caller's then.
    const isOver = signedInUntil !== undefined && signedInUntil <= Date.now();
    if (isOver || key === undefined || key.length > edgeLimits.spellingCharactersMax) return;
    const known = { lookup, found: { route, cached, preconditions, demanded, body } };
    if (principal === anonymous) remember(this.#ofAnybody, key, known, edgeLimits.spellingsMax);
    else remember(this.#ofCallers, `${this.#numberOf(principal)} ${key}`, known, edgeLimits.spellingsMax);
  }

  #numberOf(principal: Principal): number {
    const known = this.#callers.get(principal) ?? ++this.#lastCaller;
    this.#callers.set(principal, known);
    return known;
  }
}

/** `undefined` where fields tell more. */
function keyOf({ raw, sent, target }: Admitted): string | undefined {
  if (raw.method !== 'GET') return undefined;
  for (const name of telling) if (sent.has(name)) return undefined;
  // No field is a line end: one that is empty is not one that is absent.
  return `${sent.get('accept') ?? '\n'} ${target.path}${target.query}`;
}
