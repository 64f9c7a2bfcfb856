// Sorting: each document gets one key string, and keys are compared as strings.
import { fail } from '../errors.ts';
import type { Collation } from '../values/collation.ts';
import { invertKey, keyOf, UNDEFINED_KEY } from '../values/key-string.ts';
import { fieldOf, isIndexName, pathParts } from '../values/paths.ts';
import { type Doc, isDoc, toNumber } from '../values/types.ts';

export type SortField = { path: string; direction: 1 | -1 };

export function parseSort(sort: unknown): SortField[] {
  if (sort === undefined || sort === null) return [];
  if (!isDoc(sort)) throw fail('TypeMismatch', "Expected field sort to be of type object");
  return Object.entries(sort).map(([path, value]) => {
    if (isDoc(value)) throw fail('NotImplemented', 'sorting by $meta is refused by this test server');
    const direction = toNumber(value);
    if (direction !== 1 && direction !== -1) throw fail(15975, '$sort key ordering must be 1 (for ascending) or -1 (for descending)');
    return { path, direction };
  });
}

// An array sorts by its least item ascending and by its greatest descending.
export function sortKey(doc: unknown, fields: readonly SortField[], collation: Collation | null): string {
  let out = '';
  for (const { path, direction } of fields) {
    const value = isDoc(doc) && path.indexOf('.') < 0 && Object.hasOwn(doc, path) ? doc[path] : undefined;
    if (value !== undefined && !Array.isArray(value)) {
      const key = keyOf(value, collation);
      out += direction === 1 ? key : invertKey(key);
      continue;
    }
    let best: string | null = null;
    eachLeaf(doc, pathParts(path), 0, leaf => {
      const key = leaf === EMPTY ? UNDEFINED_KEY : keyOf(leaf, collation);
      if (best === null || (direction === 1 ? key < best : key > best)) best = key;
    });
    const key = best ?? keyOf(null);
    out += direction === 1 ? key : invertKey(key);
  }
  return out;
}

const EMPTY = Symbol('empty array');

function eachLeaf(value: unknown, parts: readonly string[], at: number, visit: (leaf: unknown) => void): void {
  if (Array.isArray(value)) {
    const name = parts[at];
    if (at === parts.length) {
      if (value.length === 0) visit(EMPTY);
      for (const item of value) visit(item);
    } else if (name !== undefined && isIndexName(name) && !value.some(item => isDoc(item) && Object.hasOwn(item, name))) eachLeaf(value[Number(name)], parts, at + 1, visit);
    else for (const item of value) isDoc(item) ? eachLeaf(item, parts, at, visit) : visit(null);
    return;
  }
  if (at === parts.length) visit(value);
  else eachLeaf(fieldOf(value, parts[at] as string), parts, at + 1, visit);
}

export function sortDocs<T>(items: Iterable<T>, docOf: (item: T) => Doc, fields: readonly SortField[], collation: Collation | null): T[] {
  const keyed = Array.from(items, item => ({ item, key: sortKey(docOf(item), fields, collation) }));
  keyed.sort((a, b) => (a.key < b.key ? -1 : a.key > b.key ? 1 : 0));
  return keyed.map(({ item }) => item);
}

export function comparatorFor(sort: Doc, collation: Collation | null): (a: Doc, b: Doc) => number {
  const fields = parseSort(sort);
  return (a, b) => { const [x, y] = [sortKey(a, fields, collation), sortKey(b, fields, collation)]; return x < y ? -1 : x > y ? 1 : 0; };
}
