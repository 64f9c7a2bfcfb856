/** From method and path to an operation, the same on both sides: what is in no table does not exist. */
import type { Contract } from '../contract/contract.ts';
import { Fault } from '../wire/fault.ts';
import { idForm, isNameable, toCanonicalId } from '../contract/ids.ts';
import { isReservedName } from '../contract/reserved-names.ts';
import type { Resource } from '../contract/resource.ts';
import { documents } from './documents.ts';
import type { Operation, Place } from './operation.ts';

export interface Route {
  readonly operation: Operation;
  readonly resource: Resource;
  /** The document's id; empty where the operation is about none. */
  readonly id: string;
}

export const currentVersion = 'v1';

interface Offered {
  readonly rows: readonly Operation[];
  /** What the place allows (RFC 9110 §10.2.1). */
  readonly allow: string;
}

const made = new WeakMap<Resource, ReadonlyMap<Place, Offered>>();

/** What a resource offers, by place; worked out once. */
function placesOf(resource: Resource): ReadonlyMap<Place, Offered> {
  const known = made.get(resource);
  if (known !== undefined) return known;
  const rows: readonly Operation[] = Object.values(documents);
  const offered = Map.groupBy(rows.filter((row) => row.offered?.(resource) ?? true), ({ at }) => at);
  const places = new Map([...offered].map(([at, here]) => [at, { rows: here, allow: toAllow(here) }]));
  made.set(resource, places);
  return places;
}

/** Every operation that a resource offers. */
export function operationsOf(resource: Resource): readonly Operation[] {
  return [...placesOf(resource).values()].flatMap(({ rows }) => rows);
}

/** HEAD is GET (RFC 9110 §9.3.2). `path` is the raw, still percent-encoded path of the target. */
export function mustRoute(contract: Contract, method: string, path: string): Route {
  const { rows, allow, resource, segment } = mustPlace(contract, path);
  const operation = rows.find((row) => row.method === (method === 'HEAD' ? 'GET' : method));
  if (operation === undefined) throw new Fault('method_not_allowed', { headers: { allow } });
  return { operation, resource, id: operation.at === '/:id' ? toCanonicalId(resource, mustId(segment)) : '' };
}

/** What a path answers to OPTIONS: `Allow`, and `Accept-Patch` where it takes patches (RFC 5789 §3.1). */
export function optionsOf(contract: Contract, path: string): Readonly<{ allow: string; 'accept-patch'?: string }> {
  const { rows, allow } = mustPlace(contract, path);
  const patch = rows.find(({ method }) => method === 'PATCH');
  return { allow, ...(patch === undefined ? {} : { 'accept-patch': patch.takes.join(', ') }) };
}

function mustPlace(contract: Contract, path: string): Offered & { readonly resource: Resource; readonly segment: string } {
  const [root, version, name, segment, ...more] = path.split('/');
  const resource = name === undefined ? undefined : contract.resources.get(name);
  if (root !== '' || version === undefined || more.length > 0 || segment === '') throw new Fault('route_not_found');
  if (version !== currentVersion) {
    throw /^v\d+$/.test(version)
      ? new Fault('version_unknown', { detail: `the version served is ${currentVersion}` })
      : new Fault('route_not_found');
  }
  if (resource === undefined) throw new Fault('route_not_found', { detail: 'no such resource' });
  const offered = placesOf(resource).get(toPlace(segment));
  if (offered === undefined) throw new Fault('route_not_found');
  return { ...offered, resource, segment: segment ?? '' };
}

function toPlace(segment: string | undefined): Place {
  if (segment === undefined) return '/';
  return isReservedName(segment) ? `/${segment}` : '/:id';
}

function toAllow(rows: readonly Operation[]): string {
  const methods: readonly string[] = rows.map(({ method }) => method);
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function mustId(segment: string): string {
  const id = decode(segment);
  if (!isNameable(id)) {
    throw new Fault('path_invalid', { detail: 'the id in the path is not a valid id', errors: [{ at: 'id', in: 'path', detail: idForm }] });
  }
  return id;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Fault('path_invalid', {
      detail: 'the path is not percent-encoded UTF-8',
      errors: [{ at: 'id', in: 'path', detail: 'malformed percent-encoding' }],
    });
  }
}
