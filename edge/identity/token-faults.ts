/** Refusals of tokens: nothing of the token is in them. */
import { errors } from 'jose';
import { Fault } from '../../shared/wire/fault.ts';

/** The refusal of RFC 6750 §3.1, with a description of our own words. */
export function tokenInvalid(detail: string, cause?: unknown): Fault {
  const challenge = `Bearer realm="tombolo", error="invalid_token", error_description="${detail.replaceAll('"', "'")}"`;
  return new Fault('token_invalid', { detail, headers: { 'www-authenticate': challenge }, cause });
}

/** What is told to whoever has not signed in (RFC 6750 §3: no error where nothing was sent). */
export function tokenMissing(detail: string): Fault {
  return new Fault('token_missing', { detail, headers: { 'www-authenticate': 'Bearer realm="tombolo"' } });
}

export function toTokenFault(cause: unknown): unknown {
  if (cause instanceof errors.JWTExpired) return tokenInvalid('the token has expired', cause);
  if (cause instanceof errors.JWTClaimValidationFailed) {
    return tokenInvalid(`the claim "${cause.claim}" is missing or not for this API`, cause);
  }
  if (cause instanceof errors.JOSEAlgNotAllowed) return tokenInvalid('the algorithm of the token is not allowed', cause);
  if (cause instanceof errors.JOSEError) return tokenInvalid('the signature of the token does not hold', cause);
  // Web Crypto refuses a key that does not fit the algorithm with errors of its own.
  return cause instanceof TypeError || cause instanceof DOMException
    ? tokenInvalid('the signature of the token does not hold', cause)
    : cause;
}
