// Dotted paths: reading through arrays as queries do, and the plain lookups of everything else.
import { isDoc } from './types.ts';

const split = new Map<string, readonly string[]>();

export function pathParts(path: string): readonly string[] {
  let parts = split.get(path);
  if (!parts) {
    parts = path.split('.');
    if (split.size < 10_000) split.set(path, parts);
  }
  return parts;
}

export const isIndexName = (name: string): boolean => /^(0|[1-9]\d*)$/.test(name);

export function fieldOf(value: unknown, name: string): unknown {
  return isDoc(value) && Object.hasOwn(value, name) ? value[name] : undefined;
}

// The value straight down a path, through arrays by index alone: `a.0.b`.
export function valueAt(value: unknown, path: string): unknown {
  let at = value;
  for (const part of pathParts(path)) {
    at = Array.isArray(at) ? (isIndexName(part) ? at[Number(part)] : undefined) : fieldOf(at, part);
    if (at === undefined) return undefined;
  }
  return at;
}

// The value that aggregation expressions see at `$a.b`: arrays map, missing members drop out.
export function expressionValueAt(value: unknown, parts: readonly string[], from = 0): unknown {
  let at = value;
  for (let i = from; i < parts.length; i++) {
    if (Array.isArray(at)) return at.map(item => expressionValueAt(item, parts, i)).filter(item => item !== undefined);
    at = fieldOf(at, parts[i] as string);
    if (at === undefined) return undefined;
  }
  return at;
}

// True if some value that a query at this path looks at satisfies the test. The test is given `undefined` for a missing
// field, and for an array at the end both its items and the array itself (`leafArrays` false: the array only).
export function someAt(value: unknown, parts: readonly string[], at: number, test: (value: unknown) => boolean, leafArrays = true): boolean {
  const name = parts[at] as string;
  const last = at === parts.length - 1;
  const inner = fieldOf(value, name);
  if (last) return testLeaf(inner, test, leafArrays);
  if (isDoc(inner)) return someAt(inner, parts, at + 1, test, leafArrays);
  if (Array.isArray(inner)) return someInArray(inner, parts, at + 1, test, leafArrays);
  return test(undefined);
}

function someInArray(items: unknown[], parts: readonly string[], at: number, test: (value: unknown) => boolean, leafArrays: boolean): boolean {
  for (const item of items) if (isDoc(item) && someAt(item, parts, at, test, leafArrays)) return true;
  const name = parts[at] as string;
  if (!isIndexName(name)) return false;
  const item = items[Number(name)];
  if (item === undefined) return false;
  if (at === parts.length - 1) return testLeaf(item, test, leafArrays);
  if (isDoc(item)) return someAt(item, parts, at + 1, test, leafArrays);
  return Array.isArray(item) && someInArray(item, parts, at + 1, test, leafArrays);
}

function testLeaf(value: unknown, test: (value: unknown) => boolean, leafArrays: boolean): boolean {
  if (leafArrays && Array.isArray(value)) for (const item of value) if (test(item)) return true;
  return test(value);
}
