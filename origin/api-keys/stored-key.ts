/** An API key as it is stored: what its maker asks for and may give, what the edge is told of it, and what is shown. */
import type * as z from 'zod';
import type { Credential } from '../../shared/api-keys/credential.ts';
import { keyLimits } from '../../shared/api-keys/limits.ts';
import type { NewKey } from '../../shared/api-keys/operations.ts';
import type { apiKeys } from '../../shared/api-keys/resource.ts';
import { whyNoScope } from '../../shared/api-keys/scopes.ts';
import { documentInvalid } from '../../shared/contract/documents.ts';
import type { FieldError } from '../../shared/wire/fault.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { isAdmin } from '../access/seen-by.ts';
import type { Context } from '../context.ts';
import type { StoredDocument } from '../store/stored-document.ts';

export type StoredKey = z.output<typeof apiKeys.schema>;
/** What is stored of a principal beside its subject. */
type KeptPrincipal = Pick<Principal, 'roles' | 'claims'> & { readonly isCountedAlone?: true };

/** Throws `document_invalid` where it would be more than its maker is. */
export function mustBeGiven(
  asked: NewKey, maker: Principal, { contract, plans }: Pick<Context, 'contract' | 'plans'>, nowMs: number,
): Omit<StoredKey, 'hash'> {
  const { name, scopes, roles = maker.roles, addresses = [], origins = [], expiresAt } = asked;
  const tenant = asked.tenant ?? textOf(maker.claims['tenant']);
  const errors = [
    ...scopes.map((scope, index) => at(`/scopes/${index}`, whyNoScope(scope, contract, maker))),
    ...roles.map((role, index) => at(`/roles/${index}`, maker.roles.includes(role) ? undefined : 'is no role of yours')),
    at('/tenant', asked.tenant === undefined ? undefined : whyNoTenant(asked.tenant, maker)),
    at('/plan', asked.plan === undefined ? undefined : whyNoPlan(asked.plan, maker, plans)),
    at('/expiresAt', expiresAt === undefined || Date.parse(expiresAt) > nowMs ? undefined : 'has passed'),
  ];
  const principal = JSON.stringify(toKept(asked, maker, roles));
  if (JSON.stringify([maker.subject, principal, scopes]).length > keyLimits.principalCharactersMax) {
    errors.push(at('', `your claims, the roles and the scopes have at most ${keyLimits.principalCharactersMax} characters; name fewer`));
  }
  const found = errors.flat();
  if (found.length > 0) throw documentInvalid(found);
  return {
    name, owner: maker.subject ?? '', principal, scopes, addresses, origins, made: new Date(nowMs).toISOString(),
    ...(tenant === undefined ? {} : { tenant }), ...(expiresAt === undefined ? {} : { expiresAt: new Date(expiresAt).toISOString() }),
  };
}

function at(place: string, detail: string | undefined): readonly FieldError[] {
  return detail === undefined ? [] : [{ at: place, in: 'body', detail }];
}

function whyNoTenant(tenant: string, maker: Principal): string | undefined {
  const own = maker.claims['tenant'];
  if (textOf(own) === tenant || (own === undefined && isAdmin(maker))) return undefined;
  return 'is not your tenant';
}

function whyNoPlan(plan: string, maker: Principal, plans: Context['plans']): string | undefined {
  if (!isAdmin(maker)) return 'is given by an admin';
  return plans?.byName.has(plan) === true ? undefined : `is no declared plan; there are ${[...(plans?.byName.keys() ?? [])].join(', ')}`;
}

/** A tenant that the maker has stays the claim that it is. */
function toKept({ plan, tenant }: NewKey, { claims }: Principal, roles: readonly string[]): KeptPrincipal {
  return {
    roles,
    claims: { ...(tenant === undefined ? {} : { tenant }), ...claims, ...(plan === undefined ? {} : { plan }) },
    ...(plan === undefined ? {} : { isCountedAlone: true }),
  };
}

export function toCredential(id: string, key: StoredKey): Credential {
  const { hash, owner, scopes, expiresAt, previousHash, previousUntil, addresses, origins } = key;
  const { roles, claims, isCountedAlone } = keptOf(key);
  const asking = { id, scopes, ...(isCountedAlone === undefined ? {} : { isCountedAlone }) };
  return {
    hash, addresses, origins,
    previous: previousHash === undefined || previousUntil === undefined ? null : { hash: previousHash, until: Date.parse(previousUntil) },
    principal: { subject: owner, roles, claims, key: asking },
    expiresAt: expiresAt === undefined ? null : Date.parse(expiresAt),
  };
}

/** `nowMs`: what has passed of a rotation is not told any more. */
export function toShownKey(id: string, key: StoredKey, usedAt: string | undefined, nowMs: number): JsonObject {
  const { name, owner, tenant, scopes, expiresAt, addresses, origins, made, rotated, previousUntil } = key;
  const { roles, claims, isCountedAlone } = keptOf(key);
  const isOverlapping = previousUntil !== undefined && Date.parse(previousUntil) > nowMs;
  return {
    id, name, owner, ...(tenant === undefined ? {} : { tenant }), roles: [...roles], scopes,
    ...(isCountedAlone === true ? { plan: String(claims['plan']) } : {}), addresses, origins, createdAt: made,
    ...(expiresAt === undefined ? {} : { expiresAt }), ...(rotated === undefined ? {} : { rotatedAt: rotated }),
    ...(isOverlapping ? { previousUntil } : {}), ...(usedAt === undefined ? {} : { lastUsedAt: usedAt }),
  };
}

/** Code alone writes it, so a stored key is one. */
export function keyIn({ value: { id: _id, ...key } }: StoredDocument): StoredKey {
  return key as unknown as StoredKey;
}

export function documentOf(key: StoredKey): JsonObject {
  return JSON.parse(JSON.stringify(key)) as JsonObject;
}

function keptOf({ principal }: StoredKey): KeptPrincipal {
  return JSON.parse(principal) as KeptPrincipal;
}

/** A tenant that is a number is kept as its text: it stands in a field of texts. */
function textOf(claim: string | number | boolean | undefined): string | undefined {
  return claim === undefined ? undefined : String(claim);
}
