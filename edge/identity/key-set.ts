/**
 * The issuer's public keys (JWKS, RFC 7517 §5), in this isolate and behind it in the colo's Cache API.
 *
 *   none ──load──▶ fresh ──10 min──▶ stale: used, refreshed behind the answer ──1 day──▶ none
 *                    └── unknown kid: fetched again, at most every 30 s
 *
 * An issuer that is down costs nothing while any key set is younger than a day.
 */
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { Fault } from '../../shared/contract/fault.ts';
import { Flights, settledWithin } from '../flights.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';
import { loadKeys, storeKeys } from './key-store.ts';

export interface Keys {
  readonly resolve: ReturnType<typeof createLocalJWKSet>;
  /** Grows when the issuer's set has changed: what was verified under another set is verified again. */
  readonly version: number;
}

export interface Fetched {
  readonly text: string;
  readonly fetchedAt: number;
}

export type WaitUntil = (work: Promise<unknown>) => void;

export class KeySet {
  readonly #url: string;
  readonly #flights = new Flights<void>(edgeLimits.keysFetchMsMax);
  #current: (Keys & Fetched) | undefined;
  #attemptedAt = 0;

  constructor(url: string) {
    this.#url = url;
  }

  /** Throws `identity_unavailable` when there are no keys and none can be had. */
  async keys(waitUntil: WaitUntil): Promise<Keys> {
    const ageMs = this.#ageMs();
    if (ageMs > edgeLimits.keysFreshMs) {
      const none = ageMs > edgeLimits.keysStaleMsMax;
      const refreshed = this.#refresh(none, none ? edgeLimits.retryAfterSeconds * 1_000 : edgeLimits.keysCooldownMs, waitUntil);
      if (none) await settledWithin(refreshed, edgeLimits.keysFetchMsMax);
    }
    if (this.#current !== undefined && this.#ageMs() <= edgeLimits.keysStaleMsMax) return this.#current;
    throw new Fault('identity_unavailable', { detail: 'tokens cannot be checked now', headers: { 'retry-after': String(edgeLimits.retryAfterSeconds) } });
  }

  /** For a `kid` that the set does not have: perhaps the issuer has rotated. */
  async keysAgain(waitUntil: WaitUntil): Promise<Keys> {
    await settledWithin(this.#refresh(false, edgeLimits.keysCooldownMs, waitUntil), edgeLimits.keysFetchMsMax);
    return this.keys(waitUntil);
  }

  #ageMs(): number {
    return this.#current === undefined ? Number.POSITIVE_INFINITY : Date.now() - this.#current.fetchedAt;
  }

  /** Never rejects: a failed refresh leaves what there was. */
  #refresh(mayLoad: boolean, cooldownMs: number, waitUntil: WaitUntil): Promise<void> {
    const flying = this.#flights.joinable(this.#url);
    if (flying !== undefined) return flying;
    if (Date.now() - this.#attemptedAt < cooldownMs) return Promise.resolve();
    this.#attemptedAt = Date.now();
    const started = this.#flights.start(this.#url, () => this.#fetchOrLoad(mayLoad));
    // Goes on when the client that began it leaves: everyone else waits for these keys.
    waitUntil(started);
    return started;
  }

  async #fetchOrLoad(mayLoad: boolean): Promise<void> {
    try {
      const stored = mayLoad ? await loadKeys(this.#url) : undefined;
      if (stored !== undefined) this.#adopt(stored);
      if (this.#ageMs() <= edgeLimits.keysFreshMs && mayLoad) return;
      const fetched = await fetchKeys(this.#url);
      this.#adopt(fetched);
      await storeKeys(this.#url, fetched);
    } catch (cause) {
      log('warn', 'identity.keys_not_fetched', { cause: toLogged(cause), keysAgeMs: this.#current === undefined ? null : this.#ageMs() });
    }
  }

  #adopt({ text, fetchedAt }: Fetched): void {
    const { text: known, version = 0 } = this.#current ?? {};
    if (text === known && this.#current !== undefined) this.#current = { ...this.#current, fetchedAt };
    else this.#current = { text, fetchedAt, resolve: createLocalJWKSet(JSON.parse(text) as JSONWebKeySet), version: version + 1 };
  }
}

async function fetchKeys(url: string): Promise<Fetched> {
  const fetchedAt = Date.now();
  const answer = await fetch(url, { headers: { accept: 'application/json' }, redirect: 'manual', signal: AbortSignal.timeout(edgeLimits.keysFetchMsMax) });
  if (answer.status !== 200) throw new Error(`the issuer answered ${answer.status}`);
  const text = await answer.text();
  if (text.length > edgeLimits.keysBytesMax) throw new Error(`the key set has ${text.length} characters`);
  return { text, fetchedAt };
}
