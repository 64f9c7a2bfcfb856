/**
 * Relations between resources: what `expand` can show beside a document. `to` follows a field that holds the id of a document
 * of the target, or an array of ids; `many` lists the documents of the target whose field holds the id of this one, by a
 * declared shape with that field as its only equality, whose index has the ids as they are. A resource names its target; the
 * contract puts the two together.
 */
import type { OnDelete, Referring } from './references.ts';
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

/**
 * Puts the relations of all resources together: in the order given, those that declare relations know their targets, and targets
 * who names them. A relation that leads nowhere is left out.
 */
export function linked(resources: readonly Resource[]): readonly Resource[] {
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
      const relation = toRelation(resource, name, declared, byName.get(declared.of));
      if (relation === undefined) continue;
      related.set(name, relation);
      const { onDelete, target: of } = relation;
      if (onDelete !== undefined) found.get(of)?.namedBy.push({ holder: resource, relation, onDelete });
    }
  }
  return made;
}

function toRelation(own: Resource, name: string, declared: RelationDeclaration, target: Resource | undefined): Relation | undefined {
  if (target === undefined) return undefined;
  const { kind, field: path } = declared;
  const shape = kind === 'to' ? undefined : listingShape(target, path);
  return { ...declared, name, target, isList: kind === 'many' || own.fields.get(path)?.kind === 'array', shape };
}

/** What a resource lists the documents by that hold an id at this path. */
export function listingShape({ shapes }: Resource, path: string): Shape | undefined {
  return shapes.find((each) => each.equal.join() === path && !isByEntries(each));
}
