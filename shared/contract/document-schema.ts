/**
 * The schema of a resource: an object, or a union of objects that one member tells apart (SEMANTICS §14). Who asks for the
 * members of documents asks for those of each of its objects; to everything else it is a type like any other.
 */
import * as z from 'zod';
import { definitionOf } from './schema-places.ts';
import { changed, type Type } from './schema-tree.ts';

export type DocumentSchema = z.ZodObject | z.ZodDiscriminatedUnion;

/** The types of a declaration are not checked when it runs. */
export function isDocumentSchema(given: unknown): given is DocumentSchema {
  if (typeof given !== 'object' || given === null || !('_zod' in given)) return false;
  const definition = definitionOf(given as Type);
  if (definition.type === 'object') return true;
  return definition.type === 'union' && 'discriminator' in definition && definition.options.every(isDocumentSchema);
}

/** The objects that it is one of. */
export function objectsOf(schema: DocumentSchema): readonly z.ZodObject[] {
  return isObject(schema) ? [schema] : optionsOf(schema).flatMap(objectsOf);
}

/** The same schema with each of its objects as `change` gives it back. */
export function withObjects<Schema extends DocumentSchema>(schema: Schema, change: (object: z.ZodObject) => z.ZodObject): Schema {
  const anew = (option: DocumentSchema): DocumentSchema => withObjects(option, change);
  return asSchema(isObject(schema) ? change(schema) : changed(schema, { options: optionsOf(schema).map(anew) }));
}

/** None where it is no schema. */
export function memberNames(schema: unknown): readonly string[] {
  return isDocumentSchema(schema) ? [...memberTypes(schema).keys()] : [];
}

/** The types of each member, one for each object that has it. */
export function memberTypes(schema: DocumentSchema): ReadonlyMap<string, readonly Type[]> {
  const members = objectsOf(schema).flatMap(({ shape }) => Object.entries(shape));
  const byName = Map.groupBy(members, ([name]) => name);
  return new Map([...byName].map(([name, found]) => [name, found.map(([, type]) => type as Type)]));
}

/** One object that takes what any of its objects does, for whoever describes members one by one. */
export function flattened(schema: DocumentSchema): z.ZodObject {
  if (isObject(schema)) return schema;
  const count = objectsOf(schema).length;
  const members = [...memberTypes(schema)].map(([name, types]): [string, Type] => {
    return [name, types.length < count ? z.optional(eitherOf(types)) : eitherOf(types)];
  });
  return z.strictObject(Object.fromEntries(members));
}

/** What takes what any of the types does. */
export function eitherOf(types: readonly Type[]): Type {
  const [only, ...others] = types;
  return only !== undefined && others.length === 0 ? only : z.union(types);
}

/** What is made of a schema is of the kind that it was. */
export function asSchema<Schema extends DocumentSchema>(type: Type): Schema {
  return type as unknown as Schema;
}

function isObject(schema: DocumentSchema): schema is z.ZodObject {
  return schema.def.type === 'object';
}

function optionsOf(schema: DocumentSchema): readonly DocumentSchema[] {
  return (schema as z.ZodDiscriminatedUnion).options as readonly DocumentSchema[];
}
