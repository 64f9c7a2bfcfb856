/** Refusals of API keys: nothing of the key is in them. */
import { Fault } from '../../shared/wire/fault.ts';

/** The refusal of RFC 6750 §3.1, since a key is sent as a bearer token. */
export function keyInvalid(detail: string): Fault {
  const challenge = `Bearer realm="tombolo", error="invalid_token", error_description="${detail.replaceAll('"', "'")}"`;
  return new Fault('key_invalid', { detail, headers: { 'www-authenticate': challenge } });
}

/** Which it was, nobody can tell: of a revoked key nothing is kept. */
export function keyUnknown(): Fault {
  return keyInvalid('the API key is not known, or was revoked');
}

export function keyRestricted(detail: string): Fault {
  return new Fault('key_restricted', { detail });
}
