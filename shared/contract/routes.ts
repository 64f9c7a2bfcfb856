/** Paths to operations, the same on both sides: what is not in this table does not exist. */
import type { Contract } from './contract.ts';
import { Fault } from './fault.ts';
import { idForm, isNameable, toCanonicalId } from './ids.ts';
import type { Resource } from './resource.ts';

export type Verb = 'list' | 'one' | 'create' | 'replace' | 'patch' | 'remove' | 'import' | 'changes';

export interface Route {
  readonly verb: Verb;
  readonly resource: Resource;
  /** Of `one`, `replace`, `patch`, `remove`. */
  readonly id: string | undefined;
  /** Whether repeating the request changes nothing (RFC 9110 §9.2.1). */
  readonly safe: boolean;
}

const collectionVerbs: Readonly<Record<string, Verb>> = { GET: 'list', POST: 'create' };
const documentVerbs: Readonly<Record<string, Verb>> = { GET: 'one', PUT: 'replace', PATCH: 'patch', DELETE: 'remove' };
/** Names below a collection that are operations; no document may have one of them as its id. */
const actions: Readonly<Record<string, Readonly<Record<string, Verb>>>> = { import: { POST: 'import' }, changes: { GET: 'changes' } };
export const reservedIds: ReadonlySet<string> = new Set(['import', 'export', 'aggregate', 'changes']);

export const currentVersion = 'v1';

/** HEAD is GET (RFC 9110 §9.3.2). `path` is the raw, still percent-encoded path of the target. */
export function mustRoute(contract: Contract, method: string, path: string): Route {
  const [root, version, name, last, ...more] = path.split('/');
  const resource = name === undefined ? undefined : contract.resources.get(name);
  if (root !== '' || version === undefined || more.length > 0 || last === '') throw new Fault('route_not_found');
  if (version !== currentVersion) throw /^v\d+$/.test(version) ? new Fault('version_unknown', { detail: `the version served is ${currentVersion}` }) : new Fault('route_not_found');
  if (resource === undefined) throw new Fault('route_not_found', { detail: 'no such resource' });
  const table = tableOf(last);
  if (Object.keys(table).length === 0 || (last === 'changes' && !resource.live)) throw new Fault('route_not_found');
  const verb = Object.hasOwn(table, method === 'HEAD' ? 'GET' : method) ? table[method === 'HEAD' ? 'GET' : method] : undefined;
  if (verb === undefined) throw new Fault('method_not_allowed', { headers: { allow: allowOf(table) } });
  const id = table === documentVerbs ? toCanonicalId(resource, mustId(last ?? '')) : undefined;
  return { verb, resource, id, safe: verb === 'list' || verb === 'one' || verb === 'changes' };
}

/** Own names alone: a document may be called `constructor`. */
function tableOf(last: string | undefined): Readonly<Record<string, Verb>> {
  if (last === undefined) return collectionVerbs;
  if (Object.hasOwn(actions, last)) return actions[last] ?? {};
  return reservedIds.has(last) ? {} : documentVerbs;
}

/** The `Allow` of a path: also the answer to OPTIONS. */
function allowOf(table: Readonly<Record<string, Verb>>): string {
  const methods = Object.keys(table);
  return [...methods, ...(methods.includes('GET') ? ['HEAD'] : []), 'OPTIONS'].join(', ');
}

function mustId(segment: string): string {
  const id = decode(segment);
  if (!isNameable(id)) throw new Fault('path_invalid', { detail: 'the id in the path is not a valid id', errors: [{ at: 'id', in: 'path', detail: idForm }] });
  return id;
}

function decode(segment: string): string {
  try {
    return decodeURIComponent(segment);
  } catch {
    throw new Fault('path_invalid', { detail: 'the path is not percent-encoded UTF-8', errors: [{ at: 'id', in: 'path', detail: 'malformed percent-encoding' }] });
  }
}
