/**
 * Bearer tokens (RFC 6750) as JWTs (RFC 7519, RFC 9068): who asks. What was verified is remembered until it
 * expires or the issuer's keys change. What is refused is never told back to the caller, nor logged.
 */
import { decodeProtectedHeader, errors, type JWTVerifyOptions, type JWTVerifyResult, jwtVerify } from 'jose';
import { limits } from '../../shared/wire/limits.ts';
import { remember } from '../../shared/remember.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { ClaimPaths } from '../../shared/settings/claim-paths.ts';
import { isCanonicalBase64Url } from '../../shared/wire/base64.ts';
import type { Host } from '../host/host.ts';
import { edgeLimits } from '../limits.ts';
import { type Keys, KeySet, type WaitUntil } from './key-set.ts';
import { tokenInvalid, toTokenFault } from './token-faults.ts';
import { mustPrincipal } from './token-principal.ts';

/** The algorithms taken: what the token's header asks for decides nothing (RFC 8725 §3.1). */
const algorithms = ['EdDSA', 'ES256', 'RS256'];

export interface Issuer {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
  readonly claims: ClaimPaths;
}

export interface Verified {
  readonly principal: Principal;
  /** Milliseconds of the epoch. */
  readonly expiresAt: number;
}

interface Remembered extends Verified {
  readonly keysVersion: number;
}

export class Tokens {
  readonly #issuer: Issuer;
  readonly #keySet: KeySet;
  /** Tokens in order of use: the least recently used goes first. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(issuer: Issuer, keys: Host['keys']) {
    this.#issuer = issuer;
    this.#keySet = new KeySet(issuer.jwksUrl, keys);
  }

  /** What was verified before and still holds. */
  recall(token: string, waitUntil: WaitUntil): Verified | undefined {
    const keys = this.#keySet.held(waitUntil);
    return keys === undefined ? undefined : this.#recall(token, keys);
  }

  /** Throws `token_invalid`, or `identity_unavailable` when nothing can be checked. */
  async mustVerify(token: string, waitUntil: WaitUntil): Promise<Verified> {
    if (token.length > limits.tokenCharactersMax) throw tokenInvalid(`the token has more than ${limits.tokenCharactersMax} characters`);
    const keys = await this.#keySet.mustKeys(waitUntil);
    const known = this.#recall(token, keys);
    if (known !== undefined) return known;
    const parts = token.split('.');
    if (parts.length !== 3 || !parts.every(isCanonicalBase64Url)) throw tokenInvalid('the token is not three canonical base64url parts');
    const { result, version } = await this.#verify(token, keys, waitUntil);
    const verified = {
      principal: mustPrincipal(result, this.#issuer.audience, this.#issuer.claims),
      expiresAt: (result.payload.exp ?? 0) * 1_000,
      keysVersion: version,
    };
    this.#remember(token, verified);
    return verified;
  }

  async #verify(token: string, keys: Keys, waitUntil: WaitUntil): Promise<{ result: JWTVerifyResult; version: number }> {
    const { issuer } = this.#issuer;
    const options = { algorithms, issuer, requiredClaims: ['exp', 'sub'], clockTolerance: edgeLimits.tokenSkewSeconds };
    try {
      return { result: await verifiedBy(keys, token, options), version: keys.version };
    } catch (cause) {
      if (!mayBeOfNewKey(cause, token)) throw toTokenFault(cause);
      const again = await this.#keySet.keysAgain(waitUntil);
      if (again.version === keys.version) throw toTokenFault(cause);
      return {
        result: await verifiedBy(again, token, options).catch((inner: unknown) => Promise.reject(toTokenFault(inner))),
        version: again.version,
      };
    }
  }

  #recall(token: string, keys: Keys): Verified | undefined {
    const found = this.#remembered.get(token);
    if (found === undefined) return undefined;
    this.#remembered.delete(token);
    if (found.expiresAt <= Date.now() || found.keysVersion !== keys.version) return undefined;
    this.#remembered.set(token, found);
    return found;
  }

  #remember(token: string, remembered: Remembered): void {
    remember(this.#remembered, token, remembered, edgeLimits.tokensRememberedMax);
  }
}

/** Whether the issuer may have signed it with a key that the set does not have. */
function mayBeOfNewKey(cause: unknown, token: string): boolean {
  if (cause instanceof errors.JWKSNoMatchingKey) return true;
  return cause instanceof errors.JWSSignatureVerificationFailed && decodeProtectedHeader(token).kid === undefined;
}

/** A token need not name its key (RFC 7515 §4.1.4): of several that fit, the one that signed it is found by trying. */
async function verifiedBy({ resolve }: Keys, token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
  try {
    return await jwtVerify(token, resolve, options);
  } catch (cause) {
    if (cause instanceof errors.JWKSMultipleMatchingKeys) return verifiedByOne(cause, token, options);
    throw cause;
  }
}

async function verifiedByOne(keys: AsyncIterable<CryptoKey>, token: string, options: JWTVerifyOptions): Promise<JWTVerifyResult> {
  let tried = 0;
  for await (const key of keys) {
    if (++tried > edgeLimits.keysTriedMax) break;
    try {
      return await jwtVerify(token, key, options);
    } catch (cause) {
      if (!(cause instanceof errors.JWSSignatureVerificationFailed)) throw cause;
    }
  }
  throw new errors.JWSSignatureVerificationFailed();
}
