/** What a JSON Schema says of the values that it describes, and the same schema with that changed. */
import { type Draft, isDraft } from '../contract/draft.ts';
import type { Json } from '../wire/values.ts';

type Node = Json | Draft | undefined;

/** A schema to be changed; `true` and `false` are none. */
export function asSchema(node: Node): Draft | undefined {
  return node !== undefined && isDraft(node) ? node : undefined;
}

/** Schemas of which a value is described by one, or by all: branches of a union, and the elements of an array. */
export function branchesOf({ anyOf, oneOf, allOf, items }: Draft): readonly Draft[] {
  const several = [anyOf, oneOf, allOf].flatMap((schemas) => (Array.isArray(schemas) ? (schemas as readonly Json[]) : []));
  return [...several, ...(items === undefined ? [] : [items])].filter(isDraft);
}

/** The members that an object schema names; there to be changed. */
export function membersOf(schema: Draft): Draft {
  const { properties = {} } = schema;
  schema['properties'] = properties;
  return isDraft(properties) ? properties : {};
}

export function requiredOf({ required }: Draft): readonly Json[] {
  return Array.isArray(required) ? (required as readonly Json[]) : [];
}

/** An empty list is none: JSON Schema of before 2019 takes no empty one. */
export function setRequired(schema: Draft, names: readonly Json[]): void {
  if (names.length === 0) delete schema['required'];
  else schema['required'] = names;
}

export function takesNull(schema: Node): boolean {
  if (schema === undefined || !isDraft(schema)) return false;
  const { type, const: only, enum: choices, anyOf, oneOf, allOf, $ref } = schema;
  const branches = anyOf ?? oneOf;
  if (Array.isArray(branches)) return (branches as readonly Json[]).some(takesNull);
  if (Array.isArray(choices)) return (choices as readonly Json[]).includes(null);
  if (type !== undefined) return Array.isArray(type) ? (type as readonly Json[]).includes('null') : type === 'null';
  return only === undefined ? allOf === undefined && $ref === undefined : only === null;
}

export function orNull(schema: Draft): Draft {
  return takesNull(schema) ? schema : { anyOf: [schema as Json, { type: 'null' }] };
}

/** What takes what any of the schemas does. */
export function eitherOf(schemas: readonly Draft[]): Draft {
  const different = [...new Map(schemas.map((schema) => [JSON.stringify(schema), schema])).values()];
  const [only = {}, ...others] = different;
  return others.length === 0 ? only : { anyOf: different as readonly Json[] };
}
