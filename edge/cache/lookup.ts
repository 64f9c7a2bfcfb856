/** Whether a request may be answered from stored bytes, under which name, and what that answer depends on. */
import { type Dependencies, goneOf } from '../../shared/contract/dependencies.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { currentVersion } from '../../shared/operations/route.ts';
import { publicScope, scopeOf } from '../../shared/contract/scope.ts';
import type { Validated } from '../request/request.ts';
import { edgeLimits } from '../limits.ts';

export interface Lookup {
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

/** `undefined`: the origin answers, and nothing is kept. */
export function toLookup({ route, cached, principal, preconditions }: Validated): Lookup | undefined {
  const { resource } = route;
  // If-Match on a read (RFC 9110 §13.1.1) is the origin's to decide: it is rare, and not worth a rule here.
  if (cached === undefined || resource.cache === 'none' || preconditions.ifMatch !== undefined) return undefined;
  const scope = scopeOf(resource, principal);
  const { name, dependencies, keepsAbsence } = cached;
  // The scope's whole text: callers choose their names, and must not find another's by its digest.
  const key = `${layout}/${currentVersion}/${resource.name}/${resource.digest}/${scope}/${name}`;
  const buckets = dependencies.reduce((sum, each) => sum + each.buckets.length, 0);
  if (key.length > edgeLimits.keyCharactersMax || buckets > edgeLimits.entryBucketsMax) return undefined;
  const gone = resource.outage === 'last-known' ? goneOf(resource, route.id) : undefined;
  return { key, resource, scope, isPublic: scope === publicScope, dependencies, gone, keepsAbsence };
}
