/**
 * The issuer's public keys (JWKS, RFC 7517 §5), in this isolate and behind it in the colo's Cache API.
 *
 *   none ──load──▶ fresh ──10 min──▶ stale: used, refreshed behind the answer ──1 day──▶ none
 *                    └── unknown kid: fetched again, at most every 30 s
 *
 * An issuer that is down costs nothing while any key set is younger than a day.
 */
import { createLocalJWKSet, type JSONWebKeySet } from 'jose';
import { Fault } from '../../shared/wire/fault.ts';
import { SingleFlight, settledWithin } from '../single-flight.ts';
import { edgeLimits } from '../limits.ts';
import { log, toLogged } from '../log.ts';
import type { Host } from '../host/host.ts';

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
  readonly #flights = new SingleFlight<void>(edgeLimits.keysFetchMsMax);
  #current: (Keys & Fetched) | undefined;
  #attemptedAt = 0;

  readonly #store: Host['keys'];

  constructor(url: string, store: Host['keys']) {
    this.#url = url;
    this.#store = store;
  }

  /** What may be used now; refreshed behind the answer when it is no longer fresh. */
  held(waitUntil: WaitUntil): Keys | undefined {
    const ageMs = this.#ageMs();
    if (ageMs > edgeLimits.keysStaleMsMax) return undefined;
    if (ageMs > edgeLimits.keysFreshMs) this.#refresh(false, edgeLimits.keysCooldownMs, waitUntil);
    return this.#current;
  }

  /** Throws `identity_unavailable` when there are no keys and none can be had. */
  async mustKeys(waitUntil: WaitUntil): Promise<Keys> {
    const held = this.held(waitUntil);
    if (held !== undefined) return held;
    await this.#refreshed(true, edgeLimits.retryAfterSeconds * 1_000, waitUntil);
    const fetched = this.held(waitUntil);
    if (fetched !== undefined) return fetched;
    throw new Fault('identity_unavailable', {
      detail: 'tokens cannot be checked now',
      headers: { 'retry-after': String(edgeLimits.retryAfterSeconds) },
    });
  }

  /** Fetches anew for a `kid` that the set does not have: perhaps the issuer has rotated its keys. */
  async keysAgain(waitUntil: WaitUntil): Promise<Keys> {
    await this.#refreshed(false, edgeLimits.keysCooldownMs, waitUntil);
    return this.mustKeys(waitUntil);
  }

  #ageMs(): number {
    // Where the clock was set back, it is as far from now.
    return this.#current === undefined ? Number.POSITIVE_INFINITY : Math.abs(Date.now() - this.#current.fetchedAt);
  }

  async #refreshed(mayLoad: boolean, cooldownMs: number, waitUntil: WaitUntil): Promise<void> {
    const flying = this.#flights.join(this.#url);
    if (flying !== undefined) await flying;
    else await settledWithin(this.#refresh(mayLoad, cooldownMs, waitUntil), edgeLimits.keysFetchMsMax);
  }

  /** Never rejects: a failed refresh leaves what there was. */
  #refresh(mayLoad: boolean, cooldownMs: number, waitUntil: WaitUntil): Promise<void> {
    if (Math.abs(Date.now() - this.#attemptedAt) < cooldownMs) return Promise.resolve();
    const started = this.#flights.start(this.#url, () => this.#fetchOrLoad(mayLoad));
    // The fetch goes on when the client that began it leaves: everyone else waits for these keys.
    waitUntil(started);
    return started;
  }

  async #fetchOrLoad(mayLoad: boolean): Promise<void> {
    try {
      // A store that fails has nothing.
      const stored = mayLoad ? await this.#store.load(this.#url).catch(() => undefined) : undefined;
      if (stored !== undefined) this.#adopt(stored);
      if (this.#ageMs() <= edgeLimits.keysFreshMs && mayLoad) return;
      // What was found in the store has asked the issuer nothing: of a key that it lacks the issuer is still asked.
      this.#attemptedAt = Date.now();
      const fetched = await fetchKeys(this.#url);
      this.#adopt(fetched);
      await this.#store.keep(this.#url, fetched);
    } catch (cause) {
      const keysAgeMs = this.#current === undefined ? null : this.#ageMs();
      const { origin, pathname } = new URL(this.#url);
      const detail = `no keys from ${origin}${pathname}: the issuer's key set, TOMBOLO_JWKS_URL, must answer there to who asks from here`;
      log('warn', 'identity.keys_not_fetched', { detail, cause: toLogged(cause), keysAgeMs });
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
  const answer = await fetch(url, {
    headers: { accept: 'application/json' },
    redirect: 'manual',
    signal: AbortSignal.timeout(edgeLimits.keysFetchMsMax),
  });
  if (answer.status !== 200) throw new Error(`the issuer answered ${answer.status}`);
  const text = await answer.text();
  if (text.length > edgeLimits.keysBytesMax) throw new Error(`the key set has ${text.length} characters`);
  return { text, fetchedAt };
}
