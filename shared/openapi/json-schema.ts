/** zod types as JSON Schema 2020-12, the dialect of OpenAPI 3.1 (https://spec.openapis.org/oas/v3.1.0#schema-object). */
import * as z from 'zod';
import type { Field, FieldKind } from '../contract/fields.ts';
import { limits } from '../wire/limits.ts';
import { isJsonObject, type Json, type JsonObject } from '../wire/values.ts';

/**
 * `input`: what is sent, where a default need not be; `output`: what is answered. `place` is where the schema stands in the
 * description: a type that holds itself refers to it, and without a place it is any value inside itself. What JSON Schema cannot
 * say, such as a refinement, is left out.
 */
export function toJsonSchema(type: z.core.$ZodType, io: 'input' | 'output', place?: string): JsonObject {
  const { $schema: _dialect, ...schema } = z.toJSONSchema(type, { io, unrepresentable: 'any', override: toPlain }) as JsonObject;
  if (place !== undefined) return rebased(schema, place) as JsonObject;
  const { $defs = {}, ...rest } = schema;
  return inlined(rest, $defs as JsonObject, []) as JsonObject;
}

interface Overridden {
  readonly zodSchema: z.core.$ZodType;
  readonly jsonSchema: z.core.JSONSchema.BaseSchema;
}

function toPlain({ zodSchema, jsonSchema }: Overridden): void {
  // The pattern of a date-time has 400 characters and says what the format says.
  if (jsonSchema.format === 'date-time') delete jsonSchema.pattern;
  const { protocol } = zodSchema._zod.def as { readonly protocol?: RegExp };
  if (protocol !== undefined) jsonSchema.pattern = `^(${protocol.source.replace(/^\^|\$$/g, '')}):`;
}

/** References inside a schema are to itself; in the description they begin where it stands. */
function rebased(schema: Json, place: string): Json {
  if (Array.isArray(schema)) return schema.map((part) => rebased(part as Json, place));
  if (!isJsonObject(schema)) return schema;
  return Object.fromEntries(
    Object.entries(schema).map(([name, value]) => [
      name,
      name === '$ref' && typeof value === 'string' && value.startsWith('#') ? place + value.slice(1) : rebased(value, place),
    ]),
  );
}

/** References as what they stand for. */
function inlined(schema: Json, definitions: JsonObject, within: readonly string[]): Json {
  if (Array.isArray(schema)) return schema.map((part) => inlined(part as Json, definitions, within));
  if (!isJsonObject(schema)) return schema;
  const { $ref, ...rest } = schema;
  const members = Object.fromEntries(Object.entries(rest).map(([name, value]) => [name, inlined(value, definitions, within)]));
  if (typeof $ref !== 'string') return members;
  const target = definitions[$ref.slice('#/$defs/'.length)];
  if (target === undefined || within.includes($ref)) return members;
  return { ...(inlined(target, definitions, [...within, $ref]) as JsonObject), ...members };
}

const ofKinds: Readonly<Record<FieldKind, JsonObject>> = {
  string: { type: 'string' },
  uuid: { type: 'string', format: 'uuid' },
  number: { type: 'number' },
  integer: { type: 'integer' },
  boolean: { type: 'boolean' },
  objectId: { type: 'string', pattern: '^[0-9a-f]{24}$' },
  instant: { type: 'string', format: 'date-time' },
  decimal: { type: 'string' },
  long: { type: ['integer', 'string'] },
  binary: { type: 'string', contentEncoding: 'base64url' },
  array: { type: 'array' },
  object: { type: 'object' },
  mixed: {},
};

/** Any value of a field's kind, whatever its schema allows beside it. */
export function schemaOfKind({ kind, element = 'mixed' }: Field): JsonObject {
  return ofKinds[kind === 'array' ? element : kind];
}

/** A value in a filter: of a text its length is bound, too. */
export function bounded(schema: JsonObject): JsonObject {
  return schema['type'] === 'string' && schema['maxLength'] === undefined && schema['format'] === undefined
    ? { ...schema, maxLength: limits.filterValueBytesMax }
    : schema;
}
