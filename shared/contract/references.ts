/**
 * What a relation that follows a field promises of the ids in it (SEMANTICS §17): that a write names documents which are there,
 * and what becomes of those that name a document when it is removed. It is the database's own integrity: who may remove a
 * document causes the rest, whatever the rules say of it.
 */
import type { Relations } from './relations.ts';
import type { Removal } from './removal.ts';
import { coveringIndex, type IndexSpec, toIndex } from './shapes.ts';

export const onDeletes = ['restrict', 'cascade', 'unset'] as const;

/** While a document is named it is not removed; those that name it are removed too; or the id is taken out of them. */
export type OnDelete = (typeof onDeletes)[number];

export interface Referring {
  /** Whether a write that names a document is refused where there is none. */
  readonly exists: boolean;
  /** What the removal of a document does to those that name it; `undefined`: they go on naming it. */
  readonly onDelete: OnDelete | undefined;
}

/** With those by which documents are found that name one; removed documents name none. */
export function withReferringIndexes(
  relations: Relations, indexes: readonly IndexSpec[], { removal, isArray }: Finding,
): readonly IndexSpec[] {
  const followed = Object.values(relations).filter(({ onDelete }) => onDelete !== undefined);
  return followed.reduce<readonly IndexSpec[]>((all, { field }) => {
    const wanted = toIndex([field, ...(removal === undefined ? [] : [removal.at])], [{ field: 'id', descending: false }], isArray);
    if (coveringIndex(all, wanted) !== undefined) return all;
    return [...all.filter((spec) => coveringIndex([wanted], spec) === undefined), wanted];
  }, indexes);
}

interface Finding {
  readonly removal: Removal | undefined;
  isArray(field: string): boolean;
}
