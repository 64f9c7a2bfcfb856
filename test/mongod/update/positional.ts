// Turns `a.$[x].b` into the concrete paths of one document.
import { fail } from '../errors.ts';
import { compileFilter, type MatchContext, type Test } from '../query/match.ts';
import { type Doc, isDoc } from '../values/types.ts';
import type { Draft, Path } from './draft.ts';

export type ArrayFilters = ReadonlyMap<string, Test>;

export function parseArrayFilters(filters: unknown, context: MatchContext): ArrayFilters {
  const out = new Map<string, Test>();
  if (filters === undefined) return out;
  if (!Array.isArray(filters)) throw fail('TypeMismatch', "BSON field 'update.updates.arrayFilters' is the wrong type, expected type 'array'");
  for (const filter of filters) {
    if (!isDoc(filter)) throw fail('TypeMismatch', 'array filters must be documents');
    const name = filterName(filter);
    if (out.has(name)) throw fail('FailedToParse', `Found multiple array filters with the same top-level field name ${name}`);
    out.set(name, compileFilter(filter, context));
  }
  return out;
}

function filterName(filter: Doc): string {
  const first = Object.keys(filter)[0];
  if (first === undefined) throw fail('FailedToParse', 'Cannot use an expression without a top-level field name in arrayFilters');
  const inner = filter[first];
  if (first.startsWith('$') && Array.isArray(inner) && isDoc(inner[0])) return filterName(inner[0]);
  const name = first.split('.')[0] as string;
  if (!/^[a-z][a-zA-Z0-9]*$/.test(name)) throw fail('BadValue', `Error parsing array filter :: caused by :: The top-level field name must be an alphanumeric string beginning with a lowercase letter, found '${name}'`);
  return name;
}

// The filters that no path names are an error, as are names without a filter.
export function checkArrayFilters(filters: ArrayFilters, paths: string[]): void {
  const named = new Set(paths.flatMap(path => [...path.matchAll(/\$\[([^\]]+)\]/g)].map(match => match[1] as string)));
  for (const name of named) if (!filters.has(name)) throw fail('BadValue', `No array filter found for identifier '${name}' in path '${paths.find(path => path.includes(`$[${name}]`))}'`);
  for (const name of filters.keys()) if (!named.has(name)) throw fail('FailedToParse', `The array filter for identifier '${name}' was not used in the update { $set: { ${paths.join(', ')} } }`);
}

export function expandPath(draft: Draft, path: string, filters: ArrayFilters, positionOf: (arrayPath: string) => number | null): Path[] {
  const parts = path.split('.');
  if (!path.includes('$')) return [parts];
  let open: string[][] = [[]];
  for (const part of parts) open = open.flatMap(prefix => step(draft, prefix, part, path, filters, positionOf));
  return open;
}

function step(draft: Draft, prefix: string[], part: string, path: string, filters: ArrayFilters, positionOf: (arrayPath: string) => number | null): string[][] {
  if (part === '$') {
    const at = positionOf(prefix.join('.'));
    if (at === null) throw fail('BadValue', 'The positional operator did not find the match needed from the query.');
    return [[...prefix, String(at)]];
  }
  const name = /^\$\[(.*)\]$/.exec(part)?.[1];
  if (name === undefined) return [[...prefix, part]];
  const items = draft.get(prefix);
  if (items === undefined) throw fail('BadValue', `The path '${prefix.join('.')}' must exist in the document in order to apply array updates.`);
  if (!Array.isArray(items)) throw fail('BadValue', `Cannot apply array updates to non-array element ${path}`);
  const test = name === '' ? null : filters.get(name);
  return items.flatMap((item, i) => (!test || test({ [name]: item }) ? [[...prefix, String(i)]] : []));
}
