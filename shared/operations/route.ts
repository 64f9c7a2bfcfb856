/** From method and path to an operation, the same on both sides: what is in no table does not exist. */
import type { Contract } from '../contract/contract.ts';
import { everyResource, everyResourceOf } from '../contract/every-resource.ts';
import { Fault } from '../wire/fault.ts';
import { idForm, isNameable, toCanonicalId } from '../contract/ids.ts';
import { isActionName, isReservedName } from '../contract/reserved-names.ts';
import type { Resource } from '../contract/resource.ts';
import { modules } from '../modules.ts';
import { isVersionName } from '../versions/versions.ts';
import { firstWordOf, isOfOne, isOwnPlace, type Operation, type Place } from './operation.ts';
import { madeOnce } from '../remember.ts';

export interface Route {
  readonly operation: Operation;
  readonly resource: Resource;
  /** The document's id; empty where the operation is about none. */
  readonly id: string;
}

interface Offered {
  readonly rows: readonly Operation[];
  /** What the place allows (RFC 9110 §10.2.1). */
  readonly allow: string;
}

type Places = ReadonlyMap<string, Offered>;

/** What a resource offers, by place; worked out once. Paths of a module's own stand there as they are. */
const placesOf = madeOnce((resource: Resource): Places => {
  const rows = modules.rows.filter(({ at, offered }) => isOf(at, resource) && offered?.(resource) !== false);
  const offered = Map.groupBy(rows, ({ at }) => (isOwnPlace(at) ? ownKey(at.path) : isOfOne(at) ? at.at : at));
  return new Map([...offered].map(([at, here]) => [at, { rows: here, allow: toAllow(here) }]));
});

function isOf(at: Place, { name, internal }: Resource): boolean {
  return typeof at === 'string' ? !internal : (isOwnPlace(at) ? at.about : at.of) === name;
}

/** No place of a resource is written so. */
function ownKey(path: string): string {
  return `own ${path}`;
}

/** Every operation that a resource offers, or that is about it. */
export function operationsOf(resource: Resource): readonly Operation[] {
  return [...placesOf(resource).values()].flatMap(({ rows }) => rows);
}

/** HEAD is GET (RFC 9110 §9.3.2). `path` is the raw, still percent-encoded path of the target. */
export function mustRoute(contract: Contract, method: string, path: string): Route {
  const { rows, allow, resource, segment } = mustPlace(contract, path);
  const operation = rows.find((row) => row.method === (method === 'HEAD' ? 'GET' : method));
  if (operation === undefined) {
    throw new Fault('method_not_allowed', { detail: `this takes ${allow}`, headers: toOptions({ rows, allow }) });
  }
  return { operation, resource, id: segment === '' ? '' : toCanonicalId(resource, mustId(segment)) };
}

/** What a path answers to OPTIONS: `Allow`, and `Accept-Patch` where it takes patches (RFC 5789 §3.1). */
export function optionsOf(contract: Contract, path: string): Readonly<{ allow: string; 'accept-patch'?: string }> {
  return toOptions(mustPlace(contract, path));
}

function toOptions({ rows, allow }: Offered): Readonly<{ allow: string; 'accept-patch'?: string }> {
  const patch = rows.find(({ method }) => method === 'PATCH');
  return { allow, ...(patch === undefined ? {} : { 'accept-patch': patch.takes.join(', ') }) };
}

interface Placed extends Offered {
  readonly resource: Resource;
  /** The document's id as it stands in the path; empty where the place is about none. */
  readonly segment: string;
}

function mustPlace(contract: Contract, path: string): Placed {
  const parts = path.split('/');
  const [root, version, name, segment] = parts;
  if (root !== '' || version === undefined) throw noSuchResource(contract);
  const current = contract.versions.current.name;
  if (version !== current) {
    throw isVersionName(version)
      ? new Fault('version_unknown', { detail: `the version served is ${current}` })
      : noSuchResource(contract);
  }
  const resource = name === undefined ? undefined : contract.resources.get(name);
  if (resource === undefined) return mustOwnPlace(contract, path.slice(current.length + 1));
  const places = placesOf(resource);
  const isWord = segment !== undefined && (isReservedName(segment) || (isActionName(segment) && places.has(`/${segment}`)));
  const place = segment === undefined ? '/' : isWord ? `/${segment}` : '/:id';
  const offered = places.get(parts.length <= 4 ? place : [place, ...parts.slice(4)].join('/'));
  if (offered === undefined || segment === '') {
    const detail = `${resource.name} has ${[...places.keys()].filter((key) => key[0] === '/').join(' ')}`;
    throw new Fault('route_not_found', { detail });
  }
  return { ...offered, resource, segment: segment === undefined || isWord ? '' : segment };
}

function noSuchResource({ resources }: Contract): Fault {
  return new Fault('route_not_found', { detail: `no such resource; there are ${[...resources.keys()].join(', ')}` });
}

/** Below no resource's name a path is a module's own, or none. */
function mustOwnPlace(contract: Contract, path: string): Placed {
  const { place, segment } = abouts.has(path) ? { place: path, segment: '' } : toOwnPlace(path);
  const resource = toAbout(contract, abouts.get(place));
  const offered = resource === undefined ? undefined : placesOf(resource).get(ownKey(place));
  if (resource === undefined || offered === undefined) throw noSuchResource(contract);
  return { ...offered, resource, segment };
}

/** The path with `:id` in the place of its second word. */
function toOwnPlace(path: string): { readonly place: string; readonly segment: string } {
  const first = firstWordOf(path);
  const [segment = '', ...more] = path.slice(first.length + 1).split('/');
  return segment === '' ? { place: path, segment } : { place: [first, ':id', ...more].join('/'), segment };
}

function toAbout(contract: Contract, about: string | undefined): Resource | undefined {
  if (about === undefined) return undefined;
  return about === everyResource ? everyResourceOf(contract) : (contract.resources.get(about) ?? ofModules.get(about));
}

const ofModules = new Map(modules.resources.map((resource) => [resource.name, resource]));

/** Whether only the edge asks it, of the origin. `path` is that of a target. */
export function isForEdgeAlone(path: string): boolean {
  return path.split('/', 3)[2]?.startsWith('.') === true;
}

/** By path of a module's own: the resource that it is about. */
const abouts = new Map(modules.rows.flatMap(({ at }) => (isOwnPlace(at) ? [[at.path as string, at.about] as const] : [])));

function toAllow(rows: readonly Operation[]): string {
  const methods: readonly string[] = rows.map(({ method }) => method);
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function mustId(segment: string): string {
  const id = segment.includes('%') ? decode(segment) : segment;
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
