/**
 * The field table of a resource, read from its zod schema once: what queries, indexes, store checks, CSV
 * and rules know about a field. Whatever zod can say beyond this still validates writes.
 */
import type * as z from 'zod';
import { type SystemFields, systemFieldsOf } from './system-fields.ts';
import type { ScalarKind } from '../wire/values.ts';

export type FieldKind = ScalarKind | 'array' | 'object' | 'mixed';

export interface Field {
  /** The path that leads to it: `year`, `imdb.rating`. */
  readonly name: string;
  readonly kind: FieldKind;
  /** What an array holds, or of what kind each of many values is. */
  readonly element?: FieldKind;
  /** Also where what it stands in may be missing. */
  readonly optional: boolean;
  readonly nullable: boolean;
  /** Its path runs through an array above it, so that there may be any number of values; its kind is `array` then. */
  readonly isInArray?: true;
  /** Each of its many values is an array again. */
  readonly isArrayInArray?: true;
  /** Some branches of a union alone name it: in documents of the others anything may stand there, undeclared. */
  readonly isOfBranches?: true;
}

/** By path, with those of Tombolo. */
export function toFields(declared: readonly Field[], system: SystemFields): ReadonlyMap<string, Field> {
  const fields = new Map(declared.map((field) => [field.name, field]));
  for (const field of systemFieldsOf(system)) fields.set(field.name, field);
  return fields;
}

interface CheckDefinition {
  readonly check?: string;
  readonly format?: string;
  /** Date-times have these two. */
  readonly local?: boolean;
  readonly precision?: number | null;
  /** A custom type has what `long()` says of itself. */
  readonly params?: Readonly<Record<string, unknown>>;
}

/** zod's own public description of a type: https://zod.dev/packages/core */
export interface Definition extends CheckDefinition {
  readonly type: string;
  readonly innerType?: z.core.$ZodType;
  readonly element?: z.core.$ZodType;
  readonly values?: readonly unknown[];
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly in?: z.core.$ZodType;
  readonly discriminator?: string;
  readonly transform?: (value: unknown, payload: z.core.ParsePayload) => unknown;
  readonly checks?: readonly Check[];
}

export interface Check {
  readonly _zod: { readonly def: CheckDefinition; check(payload: z.core.ParsePayload): unknown };
}

export function definitionOf(type: z.core.$ZodType): Definition {
  return type._zod.def as Definition;
}

export function kindOfType(type: z.core.$ZodType): FieldKind {
  return toKind(definitionOf(type));
}

function toKind(definition: Definition): FieldKind {
  const formats = [definition.format, ...(definition.checks ?? []).map((check) => check._zod.def.format)];
  switch (definition.type) {
    case 'string':
      return stringKindOf(formats);
    case 'number':
      return formats.some((format) => format === 'safeint' || format === 'int32' || format === 'uint32') ? 'integer' : 'number';
    case 'boolean':
      return 'boolean';
    case 'custom':
      return definition.params?.['format'] === 'long' ? 'long' : 'mixed';
    case 'enum':
      return kindOfAll(Object.values(definition.entries ?? {}));
    case 'literal':
      return kindOfAll(definition.values ?? []);
    case 'array':
      return 'array';
    case 'object':
    case 'record':
      return 'object';
    case 'union':
      // Of each branch that has a discriminator, an object.
      return definition.discriminator === undefined ? 'mixed' : 'object';
    default:
      return 'mixed';
  }
}

/** zod's formats with a canonical form of their own. */
const stringKinds = [
  ['datetime', 'instant'], ['objectid', 'objectId'], ['uuid', 'uuid'], ['guid', 'uuid'], ['decimal', 'decimal'], ['binary', 'binary'],
] as const;

export function stringKindOf(formats: readonly (string | undefined)[]): 'string' | (typeof stringKinds)[number][1] {
  return stringKinds.find(([format]) => formats.includes(format))?.[1] ?? 'string';
}

function kindOfAll(values: readonly unknown[]): FieldKind {
  const types = new Set(values.map((value) => typeof value));
  const [only] = types;
  return types.size === 1 && (only === 'string' || only === 'number' || only === 'boolean') ? only : 'mixed';
}

export function isScalarKind(kind: FieldKind): kind is ScalarKind {
  return kind !== 'array' && kind !== 'object' && kind !== 'mixed';
}
