/** Whether a request may be answered from stored bytes, under which name, and what that answer depends on. */
import { type Dependencies, goneOf } from '../../shared/contract/dependencies.ts';
import type { Principal } from '../../shared/contract/principal.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Cached } from '../../shared/operations/operation.ts';
import { currentVersion, type Route } from '../../shared/operations/route.ts';
import { publicScope, scopeOf } from '../../shared/contract/scope.ts';
import type { Conditions } from '../context.ts';
import { edgeLimits } from '../limits.ts';

export interface Plan {
  readonly key: string;
  readonly resource: Resource;
  readonly scope: string;
  /** Whether caches between us and the client may hold the answer for everybody. */
  readonly isPublic: boolean;
  readonly dependencies: Dependencies;
  /** What must stand as it is for an answer to stand in for a later one; `undefined`: none ever does. */
  readonly gone: Dependencies | undefined;
  readonly keepsAbsence: boolean;
}

/** Part of every key: another meaning of what is stored must not meet entries of the old one. */
const layout = 1;

export interface Planned {
  readonly route: Route;
  readonly read: Cached | undefined;
  readonly principal: Principal;
  readonly conditions: Conditions;
}

/** `undefined`: the origin answers, and nothing is kept. */
export function toPlan({ route, read, principal, conditions }: Planned): Plan | undefined {
  const { resource } = route;
  // If-Match on a read (RFC 9110 §13.1.1) is the origin's to decide: it is rare, and not worth a rule here.
  if (read === undefined || resource.cache === 'none' || conditions.ifMatch !== undefined) return undefined;
  const scope = scopeOf(resource, principal);
  const { name, dependencies, keepsAbsence } = read;
  // The scope's whole text: callers choose their names, and must not find another's by its digest.
  const key = `${layout}/${currentVersion}/${resource.name}/${resource.digest}/${scope}/${name}`;
  const buckets = dependencies.reduce((sum, each) => sum + each.buckets.length, 0);
  if (key.length > edgeLimits.keyCharactersMax || buckets > edgeLimits.entryBucketsMax) return undefined;
  const gone = resource.outage === 'last-known' ? goneOf(resource, route.id) : undefined;
  return { key, resource, scope, isPublic: scope === publicScope, dependencies, gone, keepsAbsence };
}
