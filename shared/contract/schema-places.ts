/**
 * What a schema says of the members and elements of one value: which are declared, and of what type. A union is the
 * branches that the value is of (SEMANTICS §14); types that take anything name nothing, and everything in them is free.
 */
import * as z from 'zod';
import { changed, rewritten, type Type } from './schema-tree.ts';
import { madeOnce } from '../remember.ts';
import { isJsonObject, type Json } from '../wire/values.ts';

export interface Place {
  /** `undefined`: the schema does not say. */
  member(name: string): Type | undefined;
  /** `undefined`: the schema does not say. */
  element(index: number): Type | undefined;
  /** Whether members that it does not name are unknown. */
  readonly isClosed: boolean;
  /** A transform makes what is stored here: the schema names what is sent, and nobody what is made of it. */
  readonly isMade: boolean;
}

const nothing = (): undefined => undefined;
const free: Place = { member: nothing, element: nothing, isClosed: false, isMade: false };

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
      return ofPipe(definition, value);
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

/** The same whatever stands there. */
const ofObject = madeOnce((definition: z.core.$ZodObjectDef): Place => {
  const { shape, catchall } = definition;
  const isClosed = isClosedObject(definition);
  return { ...free, isClosed, member: (name) => (Object.hasOwn(shape, name) ? shape[name] : isClosed ? undefined : catchall) };
});

/** What a transform takes, it names itself; what it gives, nobody names. */
function ofPipe({ in: sent, out }: z.core.$ZodPipeDef, value: Json): Place {
  if (isTransform(sent)) return placeOf(out, value);
  const place = placeOf(sent, value);
  return isTransform(out) ? { ...place, isMade: true } : place;
}

/** The side of a pipe that is a type of values, not a transform. */
function valueTypeOf({ in: sent, out }: z.core.$ZodPipeDef): Type {
  return isTransform(sent) ? out : sent;
}

function isTransform(type: Type): boolean {
  return definitionOf(type).type === 'transform';
}

/** Whether a place of this type is one thing or another by the value that stands there. */
export function isChoice(type: Type): boolean {
  const definition = definitionOf(type);
  switch (definition.type) {
    case 'union':
      return true;
    case 'intersection':
      return isChoice(definition.left) || isChoice(definition.right);
    case 'lazy':
      return isChoice(definition.getter());
    case 'pipe':
      return isChoice(valueTypeOf(definition));
    default: {
      const inner = innerTypeOf(type);
      return inner !== undefined && isChoice(inner);
    }
  }
}

/** Also of the branches of a union: who takes anything takes what the others do not name. */
function ofBoth(left: Place, right: Place): Place {
  return {
    member: (name) => left.member(name) ?? right.member(name),
    element: (index) => left.element(index) ?? right.element(index),
    isClosed: left.isClosed && right.isClosed,
    isMade: left.isMade || right.isMade,
  };
}

/** The same type, but that it refuses no member that it does not name. */
export function toOpen(type: Type): Type {
  const definition = definitionOf(type);
  return definition.type === 'object' && isClosedObject(definition) ? changed(type, { catchall: z.unknown() }) : type;
}

const openOptions = new WeakMap<Type, Type>();

/** What is undeclared in a stored value says nothing of its branch. */
function takes(option: Type, value: Json): boolean {
  const open = openOptions.get(option) ?? rewritten(option, toOpen);
  openOptions.set(option, open);
  return z.safeParse(open, value).success;
}

/** Those whose discriminator the value has, or that take it; where it is of none, all that are of its shape. */
function branchesOf({ options, ...others }: z.core.$ZodUnionDef, value: Json): readonly Type[] {
  const discriminator = 'discriminator' in others ? String(others.discriminator) : undefined;
  const taking =
    discriminator === undefined
      ? options.filter((option) => takes(option, value))
      : discriminated(options, discriminator, value);
  const fitting = taking.length > 0 ? taking : options.filter((option) => mayHold(option, value));
  return fitting.length > 0 ? fitting : options;
}

/** A type that holds no members says nothing of an object, and one without elements nothing of an array. */
function mayHold(option: Type, value: Json): boolean {
  const inner = innerTypeOf(option);
  if (inner !== undefined) return mayHold(inner, value);
  const definition = definitionOf(option);
  const { type: kind } = definition;
  // What a text becomes by a transform is no object that others stored.
  if (definition.type === 'pipe') return mayHold(valueTypeOf(definition), value);
  if (plainKinds.has(kind)) return false;
  return Array.isArray(value) ? kind !== 'object' && kind !== 'record' : kind !== 'array' && kind !== 'tuple';
}

const plainKinds: ReadonlySet<string> = new Set(['string', 'number', 'int', 'boolean', 'null', 'literal', 'enum', 'template_literal']);

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
