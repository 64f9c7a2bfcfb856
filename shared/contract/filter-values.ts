/**
 * The text of a filter as a value of its field, in the one form that bodies have too (SEMANTICS §4). A value that is
 * asked for by equality must be one that the schema allows: another finds nothing, and whoever asks for it is mistaken.
 * Where a range begins or ends may be any value of the type.
 */
import * as z from 'zod';
import { bodiesOf } from './documents.ts';
import { type Field, type FieldKind, isScalarKind } from './fields.ts';
import { limits } from '../wire/limits.ts';
import type { Resource } from './resource.ts';
import { isCanonicalBase64Url } from '../wire/base64.ts';
import { isIntegerId } from './ids.ts';
import { valueTypesOf } from './schema-fields.ts';
import { type Exact, parseExact, parseFinite, parseShown } from '../wire/exact-numbers.ts';
import { toLong } from '../wire/shown-numbers.ts';
import { isExactKind, isNumeric, isObjectId, type Scalar, type ScalarKind, toInstant, toUuid } from '../wire/values.ts';

export type FilterValue = { readonly value: Scalar } | { readonly refused: string };

/** A value that a document has, or an element of its array. */
export function toEqualValue(resource: Resource, field: Field, text: string): FilterValue {
  const read = isIntegerIdField(field) ? ofIntegerId(text) : ofKind(text, kindOf(field));
  const type = 'value' in read ? typesOf(resource).get(field.name) : undefined;
  if (type === undefined || 'refused' in read) return read;
  if (isPastSchemas(read.value, kindOf(field))) return read;
  const parsed = z.safeParse(type, isExactKind(kindOf(field)) ? text : read.value);
  return parsed.success ? read : { refused: parsed.error.issues[0]?.message ?? 'not a value of the schema' };
}

/** A value that need not be there: the end of a range, or the beginning of a text. */
export function toBoundValue(field: Field, text: string): FilterValue {
  if (isIntegerIdField(field)) return ofIntegerId(text);
  const kind = kindOf(field);
  return kind === 'uuid' ? ofKind(text.toLowerCase(), 'string') : ofKind(text, kind);
}

function isIntegerIdField({ name, kind }: Field): boolean {
  return name === 'id' && kind === 'integer';
}

/** A number that names a document is meant to its last digit, as it is in a path. */
function ofIntegerId(text: string): FilterValue {
  const value = isIntegerId(text) ? parseExact(text) : undefined;
  return value === undefined ? { refused: 'not a valid integer' } : { value };
}

function kindOf({ kind, element = 'mixed' }: Field): FieldKind {
  return kind === 'array' ? element : kind;
}

function ofKind(text: string, kind: FieldKind): FilterValue {
  if (text.length > limits.filterValueBytesMax) return { refused: `longer than ${limits.filterValueBytesMax} characters` };
  if (!isScalarKind(kind)) return { refused: 'holds no values of one plain type, and cannot be asked for' };
  const value = parseScalar(text, kind);
  return value === undefined ? { refused: `not a valid ${kind}` } : { value };
}

function parseScalar(text: string, kind: ScalarKind): Scalar | undefined {
  switch (kind) {
    case 'string':
      return text.isWellFormed() ? text : undefined;
    case 'uuid':
      return toUuid(text);
    case 'number':
    case 'integer': {
      const value = /^-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?$/.test(text) ? parseShown(text) : undefined;
      return value === undefined || kind === 'number' || isWhole(value) ? value : undefined;
    }
    case 'decimal':
      return parseFinite(text);
    case 'long':
      return toLong(text) === undefined ? undefined : parseFinite(text);
    case 'binary':
      return text === '' || isCanonicalBase64Url(text) ? text : undefined;
    case 'boolean':
      return text === 'true' ? true : text === 'false' ? false : undefined;
    case 'objectId':
      return isObjectId(text) ? text : undefined;
    case 'instant':
      return toInstant(text);
  }
}

function isWhole(value: Exact): boolean {
  return typeof value === 'number' ? Number.isInteger(value) : !value.includes('E-');
}

/** A number that JavaScript does not tell from its neighbours: no schema allows it, and it may be stored all the same. */
function isPastSchemas(value: Scalar, kind: FieldKind): boolean {
  return isNumeric(kind) && !isExactKind(kind) && (typeof value === 'string' || Math.abs(Number(value)) > Number.MAX_SAFE_INTEGER);
}

const madeTypes = new WeakMap<Resource, ReadonlyMap<string, z.core.$ZodType>>();

/** The type of one value that is asked for, by field, the id among them. */
export function typesOf(resource: Resource): ReadonlyMap<string, z.core.$ZodType> {
  const made = madeTypes.get(resource) ?? new Map([...valueTypesOf(resource.schema), ['id', bodiesOf(resource).id]]);
  madeTypes.set(resource, made);
  return made;
}
