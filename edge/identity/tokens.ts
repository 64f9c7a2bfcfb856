/**
 * Bearer tokens (RFC 6750) as JWTs (RFC 7519, RFC 9068): who asks. What was verified is remembered until it
 * expires or the issuer's keys change. What is refused is never told back to the caller, nor logged.
 */
import { errors, type JWTVerifyResult, jwtVerify } from 'jose';
import { Fault } from '../../shared/contract/fault.ts';
import { limits } from '../../shared/contract/limits.ts';
import type { Plain, Principal } from '../../shared/contract/principal.ts';
import { isCanonicalBase64Url } from '../hop/base64.ts';
import { edgeLimits } from '../limits.ts';
import { type Keys, KeySet, type WaitUntil } from './key-set.ts';

/** Pinned: what the token's header asks for decides nothing (RFC 8725 §3.1). */
const algorithms = ['EdDSA', 'ES256', 'RS256'];
/** RFC 9068 §2.1, and plain JWTs as most issuers send them. */
const types: ReadonlySet<string> = new Set(['at+jwt', 'jwt']);
const registered: ReadonlySet<string> = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sub', 'roles']);

export interface Issuer {
  readonly issuer: string;
  readonly audience: string;
  readonly jwksUrl: string;
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
  /** In order of use, the oldest first. */
  readonly #remembered = new Map<string, Remembered>();

  constructor(issuer: Issuer) {
    this.#issuer = issuer;
    this.#keySet = new KeySet(issuer.jwksUrl);
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
    const verified = { principal: toPrincipal(result), expiresAt: (result.payload.exp ?? 0) * 1_000, keysVersion: version };
    this.#remember(token, verified);
    return verified;
  }

  async #verify(token: string, keys: Keys, waitUntil: WaitUntil): Promise<{ result: JWTVerifyResult; version: number }> {
    const { issuer, audience } = this.#issuer;
    const options = { algorithms, issuer, audience, requiredClaims: ['exp', 'sub'], clockTolerance: edgeLimits.tokenSkewSeconds };
    try {
      return { result: await jwtVerify(token, keys.resolve, options), version: keys.version };
    } catch (cause) {
      if (!(cause instanceof errors.JWKSNoMatchingKey)) throw toTokenFault(cause);
      const again = await this.#keySet.keysAgain(waitUntil);
      if (again.version === keys.version) throw toTokenFault(cause);
      return { result: await jwtVerify(token, again.resolve, options).catch((inner: unknown) => Promise.reject(toTokenFault(inner))), version: again.version };
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
    this.#remembered.set(token, remembered);
    const [oldest] = this.#remembered.keys();
    if (this.#remembered.size > edgeLimits.tokensRememberedMax && oldest !== undefined) this.#remembered.delete(oldest);
  }
}

function toPrincipal({ payload, protectedHeader }: JWTVerifyResult): Principal {
  const type = protectedHeader.typ?.toLowerCase().replace(/^application\//, '');
  if (type === undefined || !types.has(type)) throw tokenInvalid('the token is of another type');
  if (typeof payload.sub !== 'string' || payload.sub === '') throw tokenInvalid('the token has no subject');
  const roles = payload['roles'] ?? [];
  if (!Array.isArray(roles) || !roles.every((role) => typeof role === 'string')) throw tokenInvalid('the claim "roles" is not a list of texts');
  const claims = Object.entries(payload).filter((claim): claim is [string, Plain] => !registered.has(claim[0]) && isPlain(claim[1]));
  return { subject: payload.sub, roles, claims: Object.fromEntries(claims) };
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

/** RFC 6750 §3.1. The description is ours, word for word: nothing of the token is in it. */
export function tokenInvalid(detail: string, cause?: unknown): Fault {
  const challenge = `Bearer realm="tombolo", error="invalid_token", error_description="${detail.replaceAll('"', "'")}"`;
  return new Fault('token_invalid', { detail, headers: { 'www-authenticate': challenge }, cause });
}

function toTokenFault(cause: unknown): unknown {
  if (cause instanceof errors.JWTExpired) return tokenInvalid('the token has expired', cause);
  if (cause instanceof errors.JWTClaimValidationFailed) return tokenInvalid(`the claim "${cause.claim}" is missing or not for this API`, cause);
  if (cause instanceof errors.JOSEAlgNotAllowed) return tokenInvalid('the algorithm of the token is not allowed', cause);
  if (cause instanceof errors.JOSEError) return tokenInvalid('the signature of the token does not hold', cause);
  // Web Crypto refuses a key that does not fit the algorithm with errors of its own.
  return cause instanceof TypeError || cause instanceof DOMException ? tokenInvalid('the signature of the token does not hold', cause) : cause;
}
