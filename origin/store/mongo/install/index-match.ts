/** Which index that is there serves a walk that is asked for: whoever made it, longer than needed or in the other direction. */
import type { Document, IndexDescriptionInfo } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { IndexSpec } from '../../../../shared/contract/shapes.ts';
import { toIndexKey } from '../read/branch-query.ts';
import { toPath } from '../read/keyset.ts';

/** The order of Tombolo's lists, said where a collection has another: its indexes and queries would inherit that. */
export const simpleCollation = { locale: 'simple' } as const;

/** What names an index where its key is meant: the order of the fields counts. */
export function keyText(key: Document): string {
  return JSON.stringify(Object.entries(key));
}

/** The shortest that serves. */
export function servingIndex(resource: Resource, there: readonly IndexDescriptionInfo[], spec: IndexSpec): string | undefined {
  const serving = there.filter((index) => holdsAll(index) && serves(resource, index.key, spec));
  const [shortest] = serving.sort((a, b) => Object.keys(a.key).length - Object.keys(b.key).length);
  return shortest?.name;
}

/** Queries pass over a hidden one. */
function holdsAll(index: IndexDescriptionInfo): boolean {
  return !isSpecial(index) && !isOn(index, 'hidden');
}

/** Holds a part of the documents, or has a collation and orders differently. */
export function isSpecial(index: IndexDescriptionInfo): boolean {
  return ['sparse', 'partialFilterExpression', 'collation'].some((option) => isOn(index, option));
}

function isOn(index: IndexDescriptionInfo, option: string): boolean {
  return index[option] !== undefined && index[option] !== false;
}

/** The key begins with the fields of the walk; those that are walked have its directions, or all the opposite ones. */
function serves(resource: Resource, key: Document, spec: IndexSpec): boolean {
  const has = Object.entries(key);
  if (has.some(([path, direction]) => typeof direction !== 'number' || path.endsWith('$**'))) return false;
  const pinned = new Set([...spec.equal, ...(spec.has === undefined ? [] : [spec.has])].map((field) => toPath(resource, field)));
  const wanted = Object.entries(toIndexKey(resource, spec));
  const turned = new Set<boolean>();
  for (const [position, [path, direction]] of wanted.entries()) {
    const [theirs, theirDirection] = has[position] ?? [];
    if (theirs !== path) return false;
    if (!pinned.has(path)) turned.add(theirDirection !== direction);
  }
  return turned.size <= 1;
}
