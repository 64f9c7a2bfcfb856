/**
 * What a relation that follows a field promises of the ids in it (SEMANTICS §17): that a write names documents which are there,
 * and what becomes of those that name a document when it is removed. It is the database's own integrity: who may remove a
 * document causes the rest, whatever the rules say of it.
 */
import * as z from 'zod';
import { type DocumentSchema, memberTypes } from './document-schema.ts';
import type { Field } from './fields.ts';
import type { Refuse } from './mistakes.ts';
import type { RelationDeclaration, Relations } from './relations.ts';
import type { Removal } from './removal.ts';
import { coveringIndex, type IndexSpec, toIndex } from './shapes.ts';

const onDeletes = ['restrict', 'cascade', 'unset'] as const;

/** While a document is named it is not removed; those that name it are removed too; or the id is taken out of them. */
export type OnDelete = (typeof onDeletes)[number];

export interface Referring {
  /** Whether a write that names a document is refused where there is none. */
  readonly exists: boolean;
  /** What the removal of a document does to those that name it; `undefined`: they go on naming it. */
  readonly onDelete: OnDelete | undefined;
}

interface Surroundings {
  readonly schema: DocumentSchema;
  /** The field that is followed. */
  readonly field: Field | undefined;
}

/** What is wrong with it, by key. */
export function checkReferring({ kind, exists, onDelete }: RelationDeclaration, { schema, field }: Surroundings, refuse: Refuse): void {
  if (typeof exists !== 'boolean') refuse('exists', 'must be true or false');
  if (onDelete === undefined) {
    if (exists && kind !== 'to') refuse('exists', "is of the field that to('target', 'field') follows");
    return;
  }
  if (!onDeletes.includes(onDelete)) return refuse('onDelete', `must be ${onDeletes.join(', ')}`);
  if (kind !== 'to') return refuse('onDelete', "is of the field that to('target', 'field') follows");
  if (!exists) refuse('onDelete', 'needs `exists: true`: what is not looked for when it is named could be named while it is removed');
  if (field?.isOfBranches === true) refuse('onDelete', 'is of a field that all branches of the schema have');
  if (onDelete === 'unset' && field !== undefined && !mayBeUnset(schema, field)) {
    refuse('onDelete', `"${field.name}" must be a member that may be missing or null, or an array that may be empty, to be unset`);
  }
}

function mayBeUnset(schema: DocumentSchema, { name, kind }: Field): boolean {
  const types = memberTypes(schema).get(name) ?? [];
  const left = kind === 'array' ? [[]] : [undefined, null];
  return types.length > 0 && types.every((type) => left.some((value) => z.safeParse(type, value).success));
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
