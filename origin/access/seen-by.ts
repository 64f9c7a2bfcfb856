/** What is its maker's own, and what admins see of it: whatever has `owner` and `tenant` among its fields, as API keys and jobs have. */
import type { Principal } from '../../shared/wire/principal.ts';

/** All of them, or those of a tenant or an owner; it is a predicate, and names the shape that lists them. */
export type SeenOnes = true | { readonly kind: 'equals'; readonly field: 'owner' | 'tenant'; readonly value: string };

const adminRole = 'admin';

export function isAdmin({ roles }: Principal): boolean {
  return roles.includes(adminRole);
}

/** All for an admin, or those of the tenant where the admin has one; else one's own. */
export function seenBy(principal: Principal): SeenOnes {
  const { tenant } = principal.claims;
  if (isAdmin(principal)) return tenant === undefined ? true : { kind: 'equals', field: 'tenant', value: String(tenant) };
  return { kind: 'equals', field: 'owner', value: principal.subject ?? '' };
}
