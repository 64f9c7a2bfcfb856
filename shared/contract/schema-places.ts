/**
 * What a schema says of the members and elements of one value: which are declared, and of what type. A union is the
 * branches that the value is of (SEMANTICS §14); types that take anything name nothing, and everything in them is free.
 */
import * as z from 'zod';
import type { Type } from './schema-tree.ts';
import { isJsonObject, type Json } from '../wire/values.ts';

export interface Place {
  /** `undefined`: the schema does not say. */
  member(name: string): Type | undefined;
  /** `undefined`: the schema does not say. */
  element(index: number): Type | undefined;
  /** Whether members that it does not name are unknown. */
  readonly isClosed: boolean;
}

const nothing = (): undefined => undefined;
const free: Place = { member: nothing, element: nothing, isClosed: false };

export function placeOf(type: Type | undefined, value: Json): Place {
  if (type === undefined) return free;
  const definition = definitionOf(type);
  switch (definition.type) {
    case 'object':
      return ofObject(definition);
    case 'record':
      return { ...free, member: () => definition.valueType };
    case 'array':
      return { ...free, element: () => definition.element };
    case 'tuple':
      return { ...free, element: (index) => definition.items[index] ?? definition.rest ?? undefined };
    case 'intersection':
      return ofBoth(placeOf(definition.left, value), placeOf(definition.right, value));
    case 'union':
      return branchesOf(definition, value).map((option) => placeOf(option, value)).reduce(ofBoth);
    case 'lazy':
      return placeOf(definition.getter(), value);
    case 'pipe':
      return placeOf(definition.in, value);
    default:
      return placeOf(innerTypeOf(type), value);
  }
}

/** The type under `optional`, `nullable`, `default` and their kin; `undefined` for one that holds no other. */
export function innerTypeOf(type: Type): Type | undefined {
  const definition = definitionOf(type);
  return 'innerType' in definition ? definition.innerType : undefined;
}

/** The members that the schema does not name of a value that takes no others. */
export function undeclaredOf(place: Place, value: Readonly<Record<string, Json>>): readonly string[] {
  return place.isClosed ? Object.keys(value).filter((name) => place.member(name) === undefined) : [];
}

/** Whether objects of this type take no member that it does not name. */
export function isClosedObject({ catchall }: z.core.$ZodObjectDef): boolean {
  return catchall === undefined || definitionOf(catchall).type === 'never';
}

function ofObject(definition: z.core.$ZodObjectDef): Place {
  const { shape, catchall } = definition;
  const isClosed = isClosedObject(definition);
  return { ...free, isClosed, member: (name) => (Object.hasOwn(shape, name) ? shape[name] : isClosed ? undefined : catchall) };
}

/** Also of the branches of a union: who takes anything takes what the others do not name. */
function ofBoth(left: Place, right: Place): Place {
  return {
    member: (name) => left.member(name) ?? right.member(name),
    element: (index) => left.element(index) ?? right.element(index),
    isClosed: left.isClosed && right.isClosed,
  };
}

/** Those whose discriminator the value has, or that take it; all where it is of none. */
function branchesOf({ options, ...others }: z.core.$ZodUnionDef, value: Json): readonly Type[] {
  const discriminator = 'discriminator' in others ? String(others.discriminator) : undefined;
  const taking =
    discriminator === undefined
      ? options.filter((option) => z.safeParse(option, value).success)
      : discriminated(options, discriminator, value);
  return taking.length > 0 ? taking : options;
}

/** Those whose discriminator the value has. */
export function discriminated(options: readonly Type[], discriminator: string, value: Json): readonly Type[] {
  const given = discriminantOf(value, discriminator);
  return options.filter((option) => option._zod.propValues?.[discriminator]?.has(given) === true);
}

function discriminantOf(value: Json, discriminator: string): z.core.util.Primitive {
  const found = isJsonObject(value) ? value[discriminator] : undefined;
  return typeof found === 'object' ? null : found;
}

/** zod tells its own types apart by this member, whatever their class (https://zod.dev/packages/core). */
export function definitionOf(type: Type): z.core.$ZodTypes['_zod']['def'] {
  return (type as z.core.$ZodTypes)._zod.def;
}
