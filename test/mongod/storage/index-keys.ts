// The keys that an index holds for one document.
import { fail } from '../errors.ts';
import type { Collation } from '../values/collation.ts';
import { invertKey, keyOf, UNDEFINED_KEY } from '../values/key-string.ts';
import { fieldOf, isIndexName, pathParts } from '../values/paths.ts';
import { type Doc, isDoc } from '../values/types.ts';

export type IndexField = { path: string; direction: 1 | -1 };
type KeySet = { keys: string[]; multikeyPaths: Set<string>; values: unknown[] };

const EMPTY_ARRAY = Symbol('empty array');

export function keysOf(doc: Doc, fields: readonly IndexField[], collation: Collation | null, sparse: boolean): KeySet {
  const multikeyPaths = new Set<string>();
  const columns = fields.map(({ path }) => valuesAt(doc, path, multikeyPaths));
  if (sparse && columns.every(column => column.length === 1 && column[0] === undefined)) return { keys: [], multikeyPaths, values: [] };
  // However many items they have.
  if (new Set([...multikeyPaths].map(path => path.split('.')[0])).size > 1) {
    throw fail('CannotIndexParallelArrays', `cannot index parallel arrays [${[...multikeyPaths].join('] [')}]`);
  }
  const encoded = columns.map((column, i) => column.map(value => encode(value, fields[i] as IndexField, collation)));
  return { keys: combine(encoded, correlated(doc, fields, columns, collation)), multikeyPaths, values: columns.map(column => (column[0] === EMPTY_ARRAY ? undefined : column[0] ?? null)) };
}

// The one key of a document without arrays under these fields of its top level; null where that is not so.
export function plainKey(doc: Doc, fields: readonly IndexField[], collation: Collation | null): string | null {
  let key = '';
  for (const field of fields) {
    const value = Object.hasOwn(doc, field.path) ? doc[field.path] : undefined;
    if (Array.isArray(value)) return null;
    key += encode(value, field, collation);
  }
  return key;
}

function encode(value: unknown, field: IndexField, collation: Collation | null): string {
  const key = value === EMPTY_ARRAY ? UNDEFINED_KEY : keyOf(value, collation);
  return field.direction === 1 ? key : invertKey(key);
}

// Paths into one and the same array vary together: { a: [{ b: 1, c: 2 }, …] } under { 'a.b': 1, 'a.c': 1 }.
function correlated(doc: Doc, fields: readonly IndexField[], columns: unknown[][], collation: Collation | null): string[] | null {
  const wide = fields.filter((_, i) => (columns[i] as unknown[]).length > 1);
  if (wide.length < 2) return null;
  const top = pathParts((wide[0] as IndexField).path)[0] as string;
  const items = doc[top];
  if (!Array.isArray(items)) return null;
  const keys = new Set<string>();
  for (const item of items) for (const key of keysOf({ ...doc, [top]: item }, fields, collation, false).keys) keys.add(key);
  return [...keys];
}

function combine(columns: string[][], joint: string[] | null): string[] {
  if (joint) return joint;
  let keys = [''];
  for (const column of columns) {
    if (column.length === 1) { const only = column[0] as string; keys = keys.map(key => key + only); }
    else keys = keys.flatMap(key => column.map(part => key + part));
  }
  return keys;
}

function valuesAt(doc: Doc, path: string, multikey: Set<string>): unknown[] {
  if (path.indexOf('.') === -1) {
    const value = Object.hasOwn(doc, path) ? doc[path] : undefined;
    if (!Array.isArray(value)) return [value];
  }
  const out: unknown[] = [];
  const seen = new Set<string>();
  collect(doc, pathParts(path), 0, path, multikey, value => {
    const key = value === EMPTY_ARRAY ? UNDEFINED_KEY : keyOf(value);
    if (!seen.has(key)) { seen.add(key); out.push(value); }
  });
  return out.length ? out : [undefined];
}

function collect(value: unknown, parts: readonly string[], at: number, path: string, multikey: Set<string>, add: (value: unknown) => void): void {
  if (at === parts.length) {
    if (!Array.isArray(value)) return add(value);
    multikey.add(path);
    if (value.length === 0) return add(EMPTY_ARRAY);
    for (const item of value) add(item);
    return;
  }
  const name = parts[at] as string;
  if (Array.isArray(value)) {
    multikey.add(path);
    if (isIndexName(name) && value[Number(name)] !== undefined && !value.some(item => isDoc(item) && Object.hasOwn(item, name))) return collect(value[Number(name)], parts, at + 1, path, multikey, add);
    if (value.length === 0) return add(undefined);
    for (const item of value) collect(isDoc(item) ? item : undefined, parts, at, path, multikey, add);
    return;
  }
  collect(fieldOf(value, name), parts, at + 1, path, multikey, add);
}
