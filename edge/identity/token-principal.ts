/** From the claims of a verified token to a principal: each is read as whatever it may be, since issuers differ. */
import type { JWTPayload, JWTVerifyResult } from 'jose';
import type { Plain, Principal } from '../../shared/wire/principal.ts';
import type { ClaimPath, ClaimPaths } from '../../shared/settings/claim-paths.ts';
import { isJsonObject } from '../../shared/wire/values.ts';
import { tokenInvalid } from './token-faults.ts';

/** The types of access tokens (RFC 9068 §2.1) and of plain JWTs, as most issuers send them. Some (Cognito) name none. */
const types: ReadonlySet<string> = new Set(['at+jwt', 'jwt']);
/** Claims that rules cannot mention. */
const registered: ReadonlySet<string> = new Set(['iss', 'aud', 'exp', 'nbf', 'iat', 'jti', 'sub', 'roles']);
/** Claims whose text is a list with spaces between (RFC 8693 §4.2; `scp` is Entra's name). Elsewhere a text is one role. */
const spaced: ReadonlySet<string> = new Set(['scope', 'scp']);

/** Throws `token_invalid` for a token that says who asks in a way that cannot be read, or is not for this API. */
export function mustPrincipal({ payload, protectedHeader }: JWTVerifyResult, audience: string, paths: ClaimPaths): Principal {
  mustBeAccessToken(protectedHeader.typ);
  mustBeFor(payload, audience, paths.audience);
  const { sub } = payload;
  if (typeof sub !== 'string' || sub === '') throw tokenInvalid('the token has no subject');
  return { subject: sub, roles: mustRoles(payload, paths.roles), claims: toClaims(payload, paths) };
}

/** The header is JSON that a library has parsed: what it types as a text may be anything. */
function mustBeAccessToken(typ: unknown): void {
  if (typ === undefined) return;
  if (typeof typ !== 'string' || !types.has(typ.toLowerCase().replace(/^application\//, ''))) {
    throw tokenInvalid('the token is of another type');
  }
}

/** A token that has an `aud` is for those that it names (RFC 7519 §4.1.3), whichever claim is asked besides. */
function mustBeFor(payload: JWTPayload, audience: string, path: ClaimPath): void {
  const names = (value: unknown) => value === audience || (Array.isArray(value) && value.includes(audience));
  if (payload.aud !== undefined && !names(payload.aud)) throw tokenInvalid('the claim "aud" is missing or not for this API');
  if (!names(valueAt(payload, path))) throw tokenInvalid('the claim "aud", or the one in its place, is missing or not for this API');
}

function mustRoles(payload: JWTPayload, path: ClaimPath): readonly string[] {
  const given = valueAt(payload, path) ?? [];
  if (typeof given === 'string') return (spaced.has(path.at(-1) ?? '') ? given.split(' ') : [given]).filter((role) => role !== '');
  if (!Array.isArray(given) || !given.every((role) => typeof role === 'string')) {
    throw tokenInvalid('the roles are neither a text nor a list of texts');
  }
  return given;
}

/** Plain claims of the token, and those that have a name of ours from where the settings say, never from elsewhere. */
function toClaims(payload: JWTPayload, { tenant, plan }: ClaimPaths): Readonly<Record<string, Plain>> {
  const mapped = { tenant: valueAt(payload, tenant), plan: valueAt(payload, plan) };
  const own = Object.entries(payload).filter(([name]) => !registered.has(name) && !Object.hasOwn(mapped, name));
  return Object.fromEntries([...own, ...Object.entries(mapped)].filter((claim): claim is [string, Plain] => isPlain(claim[1])));
}

function valueAt(payload: JWTPayload, path: ClaimPath): unknown {
  return path.reduce<unknown>((value, name) => (isJsonObject(value) && Object.hasOwn(value, name) ? value[name] : undefined), payload);
}

function isPlain(value: unknown): value is Plain {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}
