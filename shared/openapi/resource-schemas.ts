/** The schemas of a resource as components: its documents as they are answered, and the bodies that its operations take. */
import type * as z from 'zod';
import { flattened, memberNames } from '../contract/document-schema.ts';
import { bodiesOf, shownOf } from '../contract/documents.ts';
import { idField } from '../contract/id-declarations.ts';
import { readonlyPaths } from '../contract/given-fields.ts';
import { isWithin } from '../contract/path.ts';
import type { Resource } from '../contract/resource.ts';
import type { Operation } from '../operations/operation.ts';
import { namedPlacesOf } from '../versions/changes.ts';
import type { Translation } from '../versions/translation.ts';
import { Fault } from '../wire/fault.ts';
import { toPointer } from '../wire/json-pointer.ts';
import { isJsonObject, type Json, type JsonObject } from '../wire/values.ts';
import { rowsOf } from './answers.ts';
import { placeOf, schemaName, schemaRef } from './described.ts';
import { exampleOf } from './examples.ts';
import { schemaOfKind, toJsonSchema } from './json-schema.ts';
import { namedInWords, shownPartOf, withRelated } from './related.ts';
import { fieldInWords } from './rule-words.ts';

/** `rows`: the operations that the resource offers whose bodies are of a schema of their own. */
export function schemasOf(resource: Resource, rows: readonly Operation[]): JsonObject {
  const [part, whole] = [schemaName(resource, 'part'), schemaName(resource, undefined)];
  const demanded = fieldsThatAllSee(resource);
  return {
    [part]: toPart(resource, part),
    ...(resource.related.size === 0 ? {} : { [shownPartOf(resource)]: toExpanded(resource, shownPartOf(resource)) }),
    [whole]: { description: `A document of ${resource.name}.`, allOf: [schemaRef(part)], required: ['id', ...demanded] },
    ...Object.fromEntries(rows.flatMap((row) => {
      const body = row.schema?.(resource);
      return body === undefined ? [] : [[schemaName(resource, row.name), toBody(resource, body, schemaName(resource, row.name))]];
    })),
  };
}

/** A document that `fields` may have left without anything but its id. */
function toPart(resource: Resource, name: string): JsonObject {
  const { properties = {}, additionalProperties: _closed, required: _demanded, ...rest } = toJsonSchema(
    flattened(resource.schema), 'output', placeOf(name),
  );
  const declared = Object.entries(properties as JsonObject)
    .map(([field, schema]) => [field, told(resource, field, anyPartOf(schema as JsonObject))]);
  const kept = Object.values(resource.system).flatMap((field) => resource.fields.get(field) ?? []);
  return {
    ...rest,
    description:
      `What is answered of a document of ${resource.name}; with \`fields\`, those alone. A document that another program wrote may ` +
      `lack what the schema demands.`,
    required: ['id'],
    properties: {
      id: schemaOfKind(idField(resource)),
      ...Object.fromEntries(declared),
      ...Object.fromEntries(kept.map((field) => [field.name, { ...schemaOfKind(field), readOnly: true }])),
    },
    ...(resource.extra === 'serve' ? {} : { additionalProperties: false }),
  };
}

/** `fields` names members at any depth, and rules hide them there: an object that is answered may lack what it was sent with. */
function anyPartOf(schema: JsonObject): JsonObject {
  const { required: _demanded, properties, items, anyOf, ...rest } = schema;
  const within = (part: Json | undefined): Json | undefined => (isJsonObject(part) ? anyPartOf(part) : part);
  return {
    ...rest,
    ...(isJsonObject(properties)
      ? { properties: Object.fromEntries(Object.entries(properties).map(([name, part]) => [name, within(part) ?? {}])) }
      : {}),
    ...(items === undefined ? {} : { items: within(items) ?? {} }),
    ...(Array.isArray(anyOf) ? { anyOf: anyOf.map((part) => within(part as Json) ?? {}) } : {}),
  };
}

/** The same with related documents in it. */
function toExpanded(resource: Resource, name: string): JsonObject {
  const { properties = {}, ...part } = toPart(resource, name);
  return { ...part, properties: withRelated(resource, properties as JsonObject) };
}

/** Fields that every document has, and that no rule hides. */
function fieldsThatAllSee(resource: Resource): readonly string[] {
  const { required = [] } = toJsonSchema(flattened(resource.schema), 'output');
  return (Array.isArray(required) ? required : []).map(String).filter((field) => resource.fieldRules[field]?.read === undefined);
}

function toBody(resource: Resource, body: z.ZodType, name: string): JsonObject {
  const schema = toJsonSchema(shownOf(body), 'input', placeOf(name));
  const { properties, required = [] } = schema;
  if (properties === undefined) return schema;
  const declared = new Set(memberNames(resource.schema));
  const demanded = new Set(Array.isArray(required) ? required : []);
  const members = Object.entries(properties as JsonObject).map(([field, member]): [string, JsonObject] => {
    // What Tombolo keeps may be sent back as it was read.
    const isReadBack = !declared.has(field) && !demanded.has(field);
    const words = withWords(told(resource, field, member as JsonObject), namedInWords(resource, field));
    return [field, isReadBack && (field === 'id' || resource.fields.has(field)) ? { ...words, readOnly: true } : words];
  });
  return { ...schema, properties: Object.fromEntries(members) };
}

function told(resource: Resource, field: string, schema: JsonObject): JsonObject {
  const described = withWords(schema, fieldInWords(resource, field));
  return readonlyPaths(resource).includes(field) ? { ...described, readOnly: true } : described;
}

function withWords(schema: JsonObject, words: string | undefined): JsonObject {
  const { description } = schema;
  return words === undefined ? schema : { ...schema, description: typeof description === 'string' ? `${description} ${words}` : words };
}

/** A body that its type takes, as the version has it; `undefined` where none is known. */
export function bodyExampleOf(body: z.ZodType, input?: Translation, as: 'document' | 'patch' = 'document'): JsonObject | undefined {
  const example = exampleOf(toJsonSchema(shownOf(body), 'input'));
  if (!body.safeParse(example).success) return undefined;
  const older = input?.down(example as JsonObject) ?? (example as JsonObject);
  return input === undefined || isTaken(body, older, input, as) ? older : undefined;
}

/** An older version cannot name all that a body must have. */
function isTaken(body: z.ZodType, older: JsonObject, input: Translation, as: 'document' | 'patch'): boolean {
  try {
    return body.safeParse(input.up(older, as)).success;
  } catch (thrown) {
    if (thrown instanceof Fault) return false;
    throw thrown;
  }
}

/** Rows of an import, each a document to create. */
export function rowsExampleOf(resource: Resource, input?: Translation): Readonly<Record<string, string>> {
  const { create } = bodiesOf(resource);
  const { 'text/csv': table, ...lines } = rowsOf(bodyExampleOf(create, input));
  // Cells are not converted, so columns are those whose values are the same.
  const columns = table?.slice(0, table.indexOf('\n')).split(',') ?? [];
  const isTable = table !== undefined && columns.every((name) => input === undefined || input.upPath(name) !== undefined);
  return { ...lines, ...(isTable ? { 'text/csv': table } : {}) };
}

export function jsonPatchExampleOf(resource: Resource): Json | undefined {
  const [name, value] = plainMemberOf(resource) ?? [];
  return name === undefined || value === undefined ? undefined : [{ op: 'add', path: toPointer([name]), value }];
}

export function changesExampleOf(resource: Resource): Json | undefined {
  const [name, value] = plainMemberOf(resource) ?? [];
  return name === undefined || value === undefined ? undefined : { set: { [name]: value } };
}

/** A member that every version calls alike, and a value of it. */
function plainMemberOf(resource: Resource): readonly [string, Json] | undefined {
  const changed = namedPlacesOf(Object.values(resource.versions).flat(2));
  const members = Object.entries(bodyExampleOf(bodiesOf(resource).patch) ?? {});
  return members.find(([each, given]) => typeof given !== 'object' && !changed.some((at) => isWithin(at, each)));
}
