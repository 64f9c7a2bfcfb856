/** Whether a request may be answered from stored bytes, under which name, and what that answer depends on. */
import type { Contract } from '../../shared/contract/contract.ts';
import { type Dependencies, goneOf } from '../../shared/contract/dependencies.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { reduce } from '../../shared/contract/rules.ts';
import type { Cached, Stated } from '../../shared/operations/operation.ts';
import type { Route } from '../../shared/operations/route.ts';
import { publicScope, scopeOf } from '../../shared/contract/scope.ts';
import { anonymous, type Principal } from '../../shared/wire/principal.ts';
import type { Validated } from '../request/request.ts';
import { edgeLimits } from '../limits.ts';
import type { Asking as Generating } from './generations.ts';
import type { Entry, Part, Parts } from './entry.ts';

export interface Lookup extends Parts {
  readonly key: string;
  /** Whether caches between us and the client may hold the answer for everybody. */
  readonly isPublic: boolean;
  readonly dependencies: Dependencies;
  /** Whether only an answer says which buckets it depends on; `dependencies` has the resources then. */
  readonly isStated: boolean;
  /** What must stand as it is for an answer to stand in for a later one; `undefined`: none ever does. */
  readonly gone: Dependencies | undefined;
  readonly keepsAbsence: boolean;
}

type Asking = Pick<Validated, 'route' | 'cached' | 'principal' | 'preconditions' | 'speech' | 'dialect'> & {
  readonly context: { readonly contract: Contract };
};

/** The layout of entries, part of every key: entries of another layout are not found. */
const layout = 1;

/** `undefined`: the origin answers, and nothing is kept. */
export function toLookup(asking: Asking): Lookup | undefined {
  const { route, cached, principal, preconditions, context } = asking;
  const { resource } = route;
  // If-Match on a read (RFC 9110 §13.1.1) is the origin's to decide: it is rare, and not worth a rule here.
  if (cached === undefined || resource.cache === 'none' || preconditions.ifMatch !== undefined) return undefined;
  const { name, dependencies, stated, keepsAbsence } = cached;
  // Who may not ask at all is the origin's to refuse.
  if (stated !== undefined && reduce(stated.rule, principal) !== true) return undefined;
  const reader = stated?.forEverybody === true ? anonymous : principal;
  const scope = scopeOf(resource, reader);
  const others = othersOf(cached, resource, context.contract, reader);
  if (others === undefined) return undefined;
  // The scope's whole text: callers choose their names, and must not find another's by its digest.
  const key = `${layout}/${wordsOf(asking)}/${resource.name}/${resource.digest}/${scope}/${keyOf(others)}${name}`;
  const buckets = dependencies.reduce((sum, each) => sum + each.buckets.length, 0);
  if (key.length > edgeLimits.keyCharactersMax || buckets > edgeLimits.entryBucketsMax) return undefined;
  const isPublic = stated === undefined
    ? scope === publicScope && others.every((other) => other.scope === publicScope)
    : isForAll(stated, [scope, ...others.map((other) => other.scope)]);
  const isStated = stated !== undefined;
  return { key, resource, scope, others, isPublic, dependencies, isStated, gone: goneOfAll(route, others), keepsAbsence };
}

/** What is the same in an older version is kept once; what differs, by what makes it differ. */
function wordsOf({ speech, dialect, context: { contract: { versions } } }: Asking): string {
  return speech === undefined || dialect === undefined ? versions.current.name : `${speech.version.name}/${dialect.digest}`;
}

/** Whether nobody is refused it, and all are given the same. */
function isForAll({ rule, forEverybody }: Stated, scopes: readonly string[]): boolean {
  return rule.kind === 'anyone' && (forEverybody || scopes.every((scope) => scope === publicScope));
}

/** How the coordinator is asked on behalf of a request. */
export function askingOf({ context: { host }, waitUntil }: Validated): Generating {
  return { ask: host.coordinator.changesSince, waitUntil };
}

/** What an entry of this look-up depends on. */
export function dependenciesOf({ dependencies }: Lookup, entry: Entry | undefined): Dependencies {
  return entry?.dependencies ?? dependencies;
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
