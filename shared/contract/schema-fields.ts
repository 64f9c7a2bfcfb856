/**
 * The places that a schema names, by path (SEMANTICS §14): members of objects at any depth, of the objects in an array, and
 * of all branches of a union with a discriminator. What a record or a loose object takes beside them has no path, nor has
 * what holds itself inside itself.
 */
import type * as z from 'zod';
import { eitherOf } from './document-schema.ts';
import { type Field, type FieldKind, kindOfType } from './fields.ts';
import { limits } from '../wire/limits.ts';
import { definitionOf, innerTypeOf } from './schema-places.ts';
import type { Type } from './schema-tree.ts';
import { isFieldName } from './system-fields.ts';

interface DeclaredPlace {
  readonly field: Field;
  /** What the schema says of one value there, or of one element: more than one type where branches differ. */
  readonly types: readonly Type[];
}

export function fieldsOf(schema: Type): readonly Field[] {
  return placesOf(schema).map(({ field }) => field);
}

/** The type of one value, by path. Fields that change what they are given have none. */
export function valueTypesOf(schema: Type): ReadonlyMap<string, Type> {
  return new Map(
    placesOf(schema).flatMap(({ field: { name }, types }): (readonly [string, Type])[] =>
      types.length === 0 || types.some(changesItsInput) ? [] : [[name, eitherOf(types)]],
    ),
  );
}

/** Objects that stand in one place: one, or the branches of a union. */
interface Holder {
  readonly objects: readonly z.core.$ZodObject[];
  readonly path: readonly string[];
  readonly isOptional: boolean;
  readonly isInArray: boolean;
  readonly isOfBranches: boolean;
  /** Objects that these stand in. */
  readonly within: readonly Type[];
}

function placesOf(schema: Type): readonly DeclaredPlace[] {
  return placesIn({ objects: objectsOf(schema), path: [], isOptional: false, isInArray: false, isOfBranches: false, within: [] });
}

function placesIn(holder: Holder): readonly DeclaredPlace[] {
  const names = new Set(holder.objects.flatMap(({ _zod: { def } }) => Object.keys(def.shape)));
  return [...names].flatMap((name) => (holder.path.length === 0 || isFieldName(name) ? placesAt(holder, name) : []));
}

/** A member, and the places in it. */
function placesAt({ objects, path: above, ...holder }: Holder, name: string): readonly DeclaredPlace[] {
  const declared = objects.flatMap(({ _zod: { def } }) => (Object.hasOwn(def.shape, name) ? (def.shape[name] ?? []) : []));
  const path = [...above, name];
  const types = declared.map(unwrapped);
  const kind = commonKind(types.map(kindOfType));
  const elements = kind === 'array' ? types.flatMap(elementOf) : undefined;
  const isOfBranches = holder.isOfBranches || declared.length < objects.length;
  const optional = holder.isOptional || isOfBranches || declared.some((type) => wraps(type, optionalTypes));
  const nullable = declared.some((type) => wraps(type, nullableTypes));
  const field: Field = {
    name: path.join('.'), ...toManyKind(kind, elements, holder.isInArray), optional, nullable,
    ...(holder.isInArray ? { isInArray: true } : {}),
    ...(holder.isInArray && elements !== undefined ? { isArrayInArray: true } : {}),
    ...(isOfBranches ? { isOfBranches } : {}),
  };
  const values = (elements ?? types).map(unwrapped);
  const within = [...holder.within, ...objects];
  const inner = {
    objects: values.flatMap(objectsOf).filter((object) => !within.includes(object)),
    path,
    within,
    isOptional: optional || nullable,
    isInArray: holder.isInArray || elements !== undefined,
    isOfBranches,
  };
  return [{ field, types: values }, ...(path.length < limits.pathStepsMax ? placesIn(inner) : [])];
}

/** Branches that share a name agree on its type, or nobody can ask for it. */
function commonKind(kinds: readonly FieldKind[]): FieldKind {
  const [kind, ...others] = new Set(kinds);
  return kind === undefined || others.length > 0 ? 'mixed' : kind;
}

function toManyKind(kind: FieldKind, elements: readonly Type[] | undefined, isInArray: boolean): Pick<Field, 'kind' | 'element'> {
  if (elements !== undefined) return { kind, element: commonKind(elements.map(kindOfType)) };
  return isInArray ? { kind: 'array', element: kind } : { kind };
}

/** The object types of a value that is always an object; none of any other. */
function objectsOf(type: Type): readonly z.core.$ZodObject[] {
  const definition = definitionOf(type);
  if (definition.type === 'union' && 'discriminator' in definition) return definition.options.map(unwrapped).flatMap(objectsOf);
  return definition.type === 'object' ? [asObject(type)] : [];
}

/** Its definition says so. */
function asObject(type: Type): z.core.$ZodObject {
  return type as z.core.$ZodObject;
}

function elementOf(type: Type): readonly Type[] {
  const definition = definitionOf(type);
  return definition.type === 'array' ? [definition.element] : [];
}

function unwrapped(type: Type): Type {
  const inner = innerTypeOf(type);
  return inner === undefined ? type : unwrapped(inner);
}

const optionalTypes: ReadonlySet<string> = new Set(['optional', 'default', 'prefault']);
const nullableTypes: ReadonlySet<string> = new Set(['nullable']);

function wraps(type: Type, kinds: ReadonlySet<string>): boolean {
  const inner = innerTypeOf(type);
  return inner !== undefined && (kinds.has(definitionOf(type).type) || wraps(inner, kinds));
}

/** What such a type shows it need not take: a hash, or a text that was cut. */
function changesItsInput(type: Type): boolean {
  const { type: kind, checks = [] } = definitionOf(type);
  return kind === 'pipe' || kind === 'transform' || checks.some((check) => check._zod.def.check === 'overwrite');
}
