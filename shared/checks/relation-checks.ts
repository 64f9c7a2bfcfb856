/** What is wrong with relations, each by itself and beside the other resources. */
import * as z from 'zod';
import { type DocumentSchema, memberTypes } from '../contract/document-schema.ts';
import { type Field, isScalarKind } from '../contract/fields.ts';
import { onDeletes } from '../contract/references.ts';
import { listingShape, type RelationDeclaration, type Relations } from '../contract/relations.ts';
import type { Resource } from '../contract/resource.ts';
import { limits } from '../wire/limits.ts';
import { type Mistakes, type Refuse, refuseUnknown, toObject } from './mistakes.ts';

interface Surroundings {
  readonly schema: DocumentSchema;
  /** The id among them. */
  readonly fields: ReadonlyMap<string, Field>;
}

/** What is wrong with a relation by itself; the rest shows beside the others (`checkTargets`). */
export function checkRelations(declared: Relations | undefined, { schema, fields }: Surroundings, mistakes: Mistakes): void {
  const given = toObject(declared, (detail) => mistakes.add('relations', detail));
  for (const [name, relation] of Object.entries(given)) {
    const path = `relations.${name}`;
    const { kind, of, field, limit } = toObject(relation, (detail) => mistakes.add(path, detail));
    refuseUnknown(relation, ['kind', 'of', 'field', 'limit', 'exists', 'onDelete'], mistakes.at(`${path}.`));
    if (!/^[a-z][A-Za-z0-9_]{0,62}$/.test(name)) mistakes.add(path, 'must be named by a lower-case letter and letters, digits and _');
    if ((kind !== 'to' && kind !== 'many') || typeof of !== 'string' || typeof field !== 'string') {
      mistakes.add(path, "must be to('target', 'field') or many('target', 'field')");
    }
    if (!Number.isSafeInteger(limit) || limit < 1 || limit > limits.relatedDocumentsMax) {
      mistakes.add(`${path}.limit`, `must be a whole number from 1 to ${limits.relatedDocumentsMax}`);
    }
    const followed = kind === 'to' ? fields.get(field) : undefined;
    if (kind === 'to' && followed === undefined) mistakes.add(path, `follows "${field}", which is no field`);
    checkReferring(relation, { schema, field: followed }, mistakes.at(`${path}.`));
    const takesItsPlace = followed !== undefined && field === name && followed.kind !== 'array';
    if ((name === 'id' || fields.has(name)) && !takesItsPlace) {
      mistakes.add(path, 'has the name of a field; only a relation that follows that field, and no array, takes its place');
    }
  }
}

interface Following {
  readonly schema: DocumentSchema;
  /** The field that is followed. */
  readonly field: Field | undefined;
}

/** What is wrong with it, by key. */
function checkReferring({ kind, exists, onDelete }: RelationDeclaration, { schema, field }: Following, refuse: Refuse): void {
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

/** Of resources without mistakes of their own. `isSound`: of a declaration with mistakes of its own nothing means anything. */
export function checkTargets(
  own: Resource, served: ReadonlyMap<string, Resource>, isSound: (resource: Resource) => boolean, refuse: Refuse,
): void {
  for (const [name, relation] of Object.entries(own.relations)) {
    const target = served.get(relation.of);
    const detail = target !== undefined && !isSound(target) ? undefined : whyNoTarget(own, relation, target);
    if (detail !== undefined) refuse(`relations.${name}`, detail);
  }
}

function whyNoTarget(own: Resource, { kind, of, field: path }: RelationDeclaration, target: Resource | undefined): string | undefined {
  if (target === undefined) return `"${of}" is not served`;
  const [holder, named] = kind === 'to' ? [own, target] : [target, own];
  const field = holder.fields.get(path);
  if (field === undefined) return `"${path}" is no field of ${holder.name}`;
  if (!holdsIds(field, named)) return `"${path}" of ${holder.name} cannot hold the ids of ${named.name}`;
  const isListed = kind === 'to' || listingShape(target, path) !== undefined;
  return isListed ? undefined : `${target.name} has no shape whose only equality is "${path}"`;
}

/** Whether a value of the field, or an element of it, may be an id of the resource. */
function holdsIds({ kind, element = kind }: Field, { idKind }: Resource): boolean {
  if (idKind === 'integer') return element === 'integer' || element === 'long';
  return isScalarKind(element) && (element === 'string' || element === idKind || (idKind === 'string' && element === 'uuid'));
}
