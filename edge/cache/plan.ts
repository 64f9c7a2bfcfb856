/** Whether a request may be answered from stored bytes, under which name, and what that answer depends on. */
import type { Principal } from '../../shared/contract/principal.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { currentVersion, type Route } from '../../shared/contract/routes.ts';
import { publicScope, scopeOf } from '../../shared/contract/scope.ts';
import type { Conditions } from '../context.ts';
import { edgeLimits } from '../limits.ts';
import type { ReadRequest } from '../reads.ts';

export interface Plan {
  readonly key: string;
  readonly resource: Resource;
  readonly scope: string;
  /** Whether caches between us and the client may hold the answer for everybody. */
  readonly isPublic: boolean;
  readonly buckets: readonly number[];
}

/** Part of every key: another meaning of what is stored must not meet entries of the old one. */
const layout = 1;

export interface Planned {
  readonly route: Route;
  readonly read: ReadRequest | undefined;
  readonly principal: Principal;
  readonly conditions: Conditions;
}

/** `undefined`: the origin answers, and nothing is kept. */
export function toPlan({ route, read, principal, conditions }: Planned): Plan | undefined {
  const { resource } = route;
  // If-Match on a read (RFC 9110 §13.1.1) is the origin's to decide: it is rare, and not worth a rule here.
  if (read === undefined || resource.cache === 'none' || conditions.ifMatch !== undefined) return undefined;
  const scope = scopeOf(resource, principal);
  const { name, buckets } = read;
  // The scope's whole text: callers choose their names, and must not find another's by its digest.
  const key = `${layout}/${currentVersion}/${resource.name}/${resource.digest}/${scope}/${name}`;
  return key.length > edgeLimits.keyCharactersMax || buckets.length > edgeLimits.entryBucketsMax ? undefined : { key, resource, scope, isPublic: scope === publicScope, buckets };
}
