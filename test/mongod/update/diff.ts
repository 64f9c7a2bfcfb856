// What an update changed: the `updateDescription` of change events.
import { isIdentical } from '../values/compare.ts';
import { documentBytes } from '../values/size.ts';
import { type Doc, isDoc } from '../values/types.ts';
import type { Draft, Path } from './draft.ts';

export type Change = { path: Path; components: (string | number)[]; value: unknown };
export type Description = { updated: Change[]; removed: Change[]; truncated: { path: Path; components: (string | number)[]; newSize: number }[] };

export const isNoop = ({ updated, removed, truncated }: Description): boolean => updated.length + removed.length + truncated.length === 0;

// The description of a draft: what it noted, without what lies below another note, with the values that it ends with.
export function describeDraft(draft: Draft, before: Doc): Description {
  const paths = [...draft.touched.values()];
  const names = new Set(draft.touched.keys());
  const covered = (path: Path): boolean => path.some((_, i) => i > 0 && names.has(path.slice(0, i).join('.')));
  const updated = paths.filter(path => !covered(path) && draft.get(path) !== undefined).map(path => ({ path, components: componentsOf(draft.root, path), value: draft.get(path) }));
  const removed = [...draft.removed.values()].filter(path => !covered(path)).map(path => ({ path, components: componentsOf(before, path), value: undefined }));
  return { updated, removed, truncated: [] };
}

function componentsOf(doc: unknown, path: Path): (string | number)[] {
  let at: unknown = doc;
  return path.map(part => {
    const inArray = Array.isArray(at);
    at = inArray ? (at as unknown[])[Number(part)] : isDoc(at) ? at[part] : undefined;
    return inArray ? Number(part) : part;
  });
}

// The description of two documents: descends where both are documents or arrays, cuts arrays short, and gives a field as a whole
// where telling its parts would be longer.
export function diffDocuments(before: Doc, after: Doc): Description {
  const out: Description = { updated: [], removed: [], truncated: [] };
  diffFields(before, after, [], out);
  return out;
}

function diffFields(before: Doc, after: Doc, prefix: (string | number)[], out: Description): void {
  for (const name of Object.keys(before)) if (!(name in after)) out.removed.push(change([...prefix, name], undefined));
  for (const name of Object.keys(after)) {
    if (!(name in before)) out.updated.push(change([...prefix, name], after[name]));
    else if (!isIdentical(before[name], after[name])) diffValue(before[name], after[name], [...prefix, name], out);
  }
}

function diffValue(before: unknown, after: unknown, path: (string | number)[], out: Description): void {
  const inner: Description = { updated: [], removed: [], truncated: [] };
  if (isDoc(before) && isDoc(after)) diffFields(before, after, path, inner);
  else if (Array.isArray(before) && Array.isArray(after)) diffItems(before, after, path, inner);
  else { out.updated.push(change(path, after)); return; }
  if (weight(inner) >= documentBytes({ '': after })) { out.updated.push(change(path, after)); return; }
  out.updated.push(...inner.updated);
  out.removed.push(...inner.removed);
  out.truncated.push(...inner.truncated);
}

function diffItems(before: unknown[], after: unknown[], path: (string | number)[], out: Description): void {
  if (after.length < before.length) out.truncated.push({ path: path.map(String), components: path, newSize: after.length });
  after.forEach((item, i) => {
    if (i >= before.length) out.updated.push(change([...path, i], item));
    else if (!isIdentical(before[i], item)) diffValue(before[i], item, [...path, i], out);
  });
}

const change = (components: (string | number)[], value: unknown): Change => ({ path: components.map(String), components, value });

// About the bytes of a mongod's own `$v: 2` entry.
function weight({ updated, removed, truncated }: Description): number {
  const names = (n: number): number => n * 3;
  return updated.reduce((sum, item) => sum + documentBytes({ [`u${String(item.components.at(-1))}`]: item.value }), 0) + names(removed.length) + truncated.length * 9;
}
