/**
 * Relations between resources: what `expand` can show beside a document. `to` follows a field that holds the id of a document
 * of the target, or an array of ids; `many` lists the documents of the target whose field holds the id of this one, by a
 * declared shape with that field as its only equality, whose index has the ids as they are. A resource names its target; the
 * contract puts the two together.
 */
import type { DocumentSchema } from './document-schema.ts';
import { type Field, isScalarKind } from './fields.ts';
import { type Mistakes, refuseUnknown, toObject } from './mistakes.ts';
import { checkReferring, type OnDelete, type Referring } from './references.ts';
import type { Resource } from './resource.ts';
import { isByEntries, type Shape } from './shapes.ts';
import { limits } from '../wire/limits.ts';

export interface RelationDeclaration extends Referring {
  readonly kind: 'to' | 'many';
  /** The name of the target. */
  readonly of: string;
  /** A path: of this resource for `to`, of the target for `many`. */
  readonly field: string;
  /** Documents shown of one list, at most. */
  readonly limit: number;
}

/** A relation whose target is known. */
export interface Relation extends RelationDeclaration {
  readonly name: string;
  readonly target: Resource;
  /** Whether it is shown as a list: of `many`, and of an array of ids. */
  readonly isList: boolean;
  /** Of `many`: what it lists by. */
  readonly shape: Shape | undefined;
}

interface RelationOptions {
  /** Documents shown of one list, 20 unless said; the rest is a list of its own. */
  readonly limit?: number;
}

interface ToOptions extends RelationOptions {
  /** Whether what is written must name documents that are there and that its caller may see; false unless said. */
  readonly exists?: boolean;
  /** What becomes of those that name a document when it is removed; unless said, nothing. */
  readonly onDelete?: OnDelete;
}

/** Exported for resource files. */
export function to(
  of: string, field: string, { limit = limits.pageDocumentsDefault, exists = false, onDelete }: ToOptions = {},
): RelationDeclaration {
  return { kind: 'to', of, field, limit, exists, onDelete };
}

/** Exported for resource files. */
export function many(of: string, field: string, { limit = limits.pageDocumentsDefault }: RelationOptions = {}): RelationDeclaration {
  return { kind: 'many', of, field, limit, exists: false, onDelete: undefined };
}

export type Relations = Readonly<Record<string, RelationDeclaration>>;

interface Surroundings {
  readonly schema: DocumentSchema;
  /** The id among them. */
  readonly fields: ReadonlyMap<string, Field>;
}

/** What is wrong with a relation by itself; the rest shows beside the others (`linked`). */
export function toRelations(declared: Relations | undefined, { schema, fields }: Surroundings, mistakes: Mistakes): Relations {
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
  return given;
}

/** A relation by which the documents of `holder` name those of the resource that has this, and what follows when one is removed. */
export interface NamedBy {
  readonly holder: Resource;
  readonly relation: Relation;
  readonly onDelete: OnDelete;
}

/** What a resource in a contract knows of the others. */
export interface Links {
  /** Its relations by name, with their targets. */
  readonly related: ReadonlyMap<string, Relation>;
  /** What names its documents and heeds their removal. */
  readonly namedBy: readonly NamedBy[];
}

export interface Linked {
  /** In the order given; those that declare relations know their targets, and targets who names them. */
  readonly resources: readonly Resource[];
  readonly refused: readonly { readonly resource: Resource; readonly key: string; readonly detail: string }[];
}

/** Puts the relations of all resources together. */
export function linked(resources: readonly Resource[]): Linked {
  const refused: Linked['refused'][number][] = [];
  const found = new Map<Resource, { readonly related: Map<string, Relation>; readonly namedBy: NamedBy[] }>();
  const named = new Set(resources.flatMap(({ relations }) => Object.values(relations).map(({ of }) => of)));
  const made = resources.map((resource) => {
    if (Object.keys(resource.relations).length === 0 && !named.has(resource.name)) return resource;
    const links = { related: new Map<string, Relation>(), namedBy: [] };
    const copy: Resource = { ...resource, ...links };
    found.set(copy, links);
    return copy;
  });
  const byName = new Map(made.map((resource) => [resource.name, resource]));
  for (const [resource, { related }] of found) {
    for (const [name, declared] of Object.entries(resource.relations)) {
      const target = byName.get(declared.of);
      // Of a declaration with mistakes of its own nothing means anything.
      if (target !== undefined && target.mistakes.length > 0) continue;
      const relation = toRelation(resource, name, declared, target);
      if (typeof relation === 'string') {
        refused.push({ resource, key: `relations.${name}`, detail: relation });
        continue;
      }
      related.set(name, relation);
      const { onDelete, target: of } = relation;
      if (onDelete !== undefined) found.get(of)?.namedBy.push({ holder: resource, relation, onDelete });
    }
  }
  return { resources: made, refused };
}

/** The text says what is wrong. */
function toRelation(own: Resource, name: string, declared: RelationDeclaration, target: Resource | undefined): Relation | string {
  if (target === undefined) return `"${declared.of}" is not served`;
  const { kind, field: path } = declared;
  const [holder, named] = kind === 'to' ? [own, target] : [target, own];
  const field = holder.fields.get(path);
  if (field === undefined) return `"${path}" is no field of ${holder.name}`;
  if (!holdsIds(field, named)) return `"${path}" of ${holder.name} cannot hold the ids of ${named.name}`;
  const shape = kind === 'to' ? undefined : target.shapes.find((each) => each.equal.join() === path && !isByEntries(each));
  if (kind === 'many' && shape === undefined) return `${target.name} has no shape whose only equality is "${path}"`;
  return { ...declared, name, target, isList: kind === 'many' || field.kind === 'array', shape };
}

/** Whether a value of the field, or an element of it, may be an id of the resource. */
function holdsIds({ kind, element = kind }: Field, { idKind }: Resource): boolean {
  if (idKind === 'integer') return element === 'integer' || element === 'long';
  return isScalarKind(element) && (element === 'string' || element === idKind || (idKind === 'string' && element === 'uuid'));
}
