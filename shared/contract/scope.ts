/**
 * The scope of an answer: the values of exactly those claims and roles that the read rule and the field
 * rules mention (SEMANTICS §2). Two callers with one scope get the same bytes; the scope is part of the
 * cache key and is compared with the one that the origin applied.
 */
import { digest64, toCanonicalJson } from '../wire/hash.ts';
import { claimOf, type Principal } from '../wire/principal.ts';
import type { Resource } from './resource.ts';

export const publicScope = 'public';

export function scopeOf(resource: Resource, principal: Principal): string {
  const { claims, roles, signedIn } = resource.mentions;
  if (claims.size === 0 && roles.size === 0 && !signedIn) return publicScope;
  const values = {
    claims: [...claims].sort().map((claim) => [claim, claimOf(principal, claim) ?? null]),
    roles: [...roles].filter((role) => principal.roles.includes(role)).sort(),
    signedIn: signedIn && principal.subject !== undefined,
  };
  return toCanonicalJson(values);
}

/** Short enough for a header and a cache key. The text itself is compared where it decides who sees what. */
export function scopeDigest(scope: string): string {
  return scope === publicScope ? publicScope : digest64(scope);
}
