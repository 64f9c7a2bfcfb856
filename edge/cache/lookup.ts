/** Whether a request may be answered from stored bytes, under which name, and what that answer depends on. */
import type { Contract } from '../../shared/contract/contract.ts';
import { type Dependencies, goneOf } from '../../shared/contract/dependencies.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Cached } from '../../shared/operations/operation.ts';
import { currentVersion, type Route } from '../../shared/operations/route.ts';
import { publicScope, scopeOf } from '../../shared/contract/scope.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { Validated } from '../request/request.ts';
import { edgeLimits } from '../limits.ts';
import type { Part, Parts } from './entry.ts';

export interface Lookup extends Parts {
  readonly key: string;
  /** Whether caches between us and the client may hold the answer for everybody. */
  readonly isPublic: boolean;
  readonly dependencies: Dependencies;
  /** What must stand as it is for an answer to stand in for a later one; `undefined`: none ever does. */
  readonly gone: Dependencies | undefined;
  readonly keepsAbsence: boolean;
}

type Asking = Pick<Validated, 'route' | 'cached' | 'principal' | 'preconditions'> & { readonly context: { readonly contract: Contract } };

/** The layout of entries, part of every key: entries of another layout are not found. */
const layout = 1;

/** `undefined`: the origin answers, and nothing is kept. */
export function toLookup({ route, cached, principal, preconditions, context }: Asking): Lookup | undefined {
  const { resource } = route;
  // If-Match on a read (RFC 9110 §13.1.1) is the origin's to decide: it is rare, and not worth a rule here.
  if (cached === undefined || resource.cache === 'none' || preconditions.ifMatch !== undefined) return undefined;
  const scope = scopeOf(resource, principal);
  const { name, dependencies, keepsAbsence } = cached;
  const others = othersOf(cached, resource, context.contract, principal);
  if (others === undefined) return undefined;
  // The scope's whole text: callers choose their names, and must not find another's by its digest.
  const key = `${layout}/${currentVersion}/${resource.name}/${resource.digest}/${scope}/${keyOf(others)}${name}`;
  const buckets = dependencies.reduce((sum, each) => sum + each.buckets.length, 0);
  if (key.length > edgeLimits.keyCharactersMax || buckets > edgeLimits.entryBucketsMax) return undefined;
  const isPublic = scope === publicScope && others.every((other) => other.scope === publicScope);
  return { key, resource, scope, others, isPublic, dependencies, gone: goneOfAll(route, others), keepsAbsence };
}

const noOthers: readonly Part[] = [];

/** `undefined` where one of them is not served here, or is never cached. */
function othersOf({ dependencies }: Cached, own: Resource, contract: Contract, principal: Principal): readonly Part[] | undefined {
  if (dependencies.every(({ resource }) => resource === own.name)) return noOthers;
  const names = new Set(dependencies.map(({ resource }) => resource).filter((name) => name !== own.name));
  const found = [...names].map((name) => contract.resources.get(name));
  const cached = found.flatMap((resource) => (resource === undefined || resource.cache === 'none' ? [] : [resource]));
  return cached.length === found.length ? cached.map((resource) => ({ resource, scope: scopeOf(resource, principal) })) : undefined;
}

function keyOf(others: readonly Part[]): string {
  return others.map(({ resource, scope }) => `${resource.name}/${resource.digest}/${scope}/`).join('');
}

function goneOfAll({ resource, id }: Route, others: readonly Part[]): Dependencies | undefined {
  if (resource.outage !== 'last-known' || others.some((other) => other.resource.outage !== 'last-known')) return undefined;
  return [...goneOf(resource, id), ...others.flatMap((other) => goneOf(other.resource, ''))];
}
