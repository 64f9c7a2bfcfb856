/** zod types as a tree: what a type is made of, and the same type made anew with other parts (https://zod.dev/packages/core). */
import * as z from 'zod';
import { definitionOf } from './fields.ts';
import type { Json } from '../wire/values.ts';

export type Type = z.core.$ZodType;

interface Part {
  /** What leads to it in the path of a message: `.name`, `[]`, `{}`, or nothing. */
  readonly step: string;
  readonly type: Type;
}

/** Names of a definition's members that hold one type, or several, each with its step. */
const single = {
  innerType: '', in: '', out: '', left: '', right: '', element: '[]', rest: '[]',
  keyType: '{}', valueType: '{}', catchall: '{}',
} as const;
const several = { options: '', items: '[]' } as const;

export function partsOf(type: Type): readonly Part[] {
  const members = membersOf(type);
  const one = Object.entries(single).flatMap(([name, step]) => asTypes([members[name]]).map((part) => ({ step, type: part })));
  const many = Object.entries(several).flatMap(([name, step]) => asTypes(members[name]).map((part) => ({ step, type: part })));
  return [...one, ...many, ...Object.entries(shapeOf(type)).map(([name, part]) => ({ step: `.${name}`, type: part })), ...lazyPartOf(type)];
}

/** Every type below, itself first and each once, with the path that leads to it. */
export function* typesWithin(type: Type, path: string, seen = new Set<Type>()): Generator<{ readonly type: Type; readonly path: string }> {
  if (seen.has(type)) return;
  seen.add(type);
  yield { type, path };
  for (const part of partsOf(type)) yield* typesWithin(part.type, path + part.step, seen);
}

/** Which members are named where, as far as what is served depends on it (SEMANTICS §16); a type inside itself is named once. */
export function outlineOf(type: Type, above: readonly Type[] = []): Json {
  const { type: kind } = definitionOf(type);
  if (above.includes(type)) return kind;
  return [kind, ...partsOf(type).map((part) => [part.step, outlineOf(part.type, [...above, type])])];
}

/**
 * The same type with each type in it as `change` gives it back. Parts come before what is made of them; a type that
 * holds itself does so through an object or `z.lazy`, whose parts are made when they are first asked for.
 */
export function rewritten(type: Type, change: (type: Type) => Type, made = new Map<Type, Type>()): Type {
  const known = made.get(type);
  if (known !== undefined) return known;
  const anew = (part: Type) => rewritten(part, change, made);
  const members = membersOf(type);
  const parts: Record<string, unknown> = {};
  for (const name of Object.keys(single)) for (const part of asTypes([members[name]])) parts[name] = anew(part);
  for (const name of Object.keys(several)) if (asTypes(members[name]).length > 0) parts[name] = asTypes(members[name]).map(anew);
  if (definitionOf(type).type === 'object') parts['shape'] = lazily(shapeOf(type), anew);
  for (const part of lazyPartOf(type)) Object.assign(parts, { getter: () => anew(part.type), _cachedInner: undefined });
  const result = change(changed(type, parts));
  made.set(type, result);
  return result;
}

/** The same type with other members of its definition. Descriptors are copied: a default is made anew each time it is read. */
export function changed(type: Type, members: object): Type {
  const definition = Object.defineProperties(
    {},
    { ...Object.getOwnPropertyDescriptors(type._zod.def), ...Object.getOwnPropertyDescriptors(members) },
  );
  return z.clone(type, asDefinition(definition), { parent: true });
}

/** It has every member of the definition that it was made from. */
function asDefinition(definition: object): z.core.$ZodTypeDef {
  return definition as z.core.$ZodTypeDef;
}

function lazily(shape: Readonly<Record<string, Type>>, anew: (part: Type) => Type): object {
  return Object.defineProperties(
    {},
    Object.fromEntries(Object.entries(shape).map(([name, part]) => [name, { enumerable: true, get: () => anew(part) }])),
  );
}

/** The definition itself: which members it has depends on its kind. */
function membersOf(type: Type): Readonly<Record<string, unknown>> {
  return type._zod.def as unknown as Readonly<Record<string, unknown>>;
}

function shapeOf(type: Type): Readonly<Record<string, Type>> {
  return definitionOf(type).type === 'object' ? (type as z.core.$ZodObject)._zod.def.shape : {};
}

function lazyPartOf(type: Type): readonly Part[] {
  return definitionOf(type).type === 'lazy' ? [{ step: '', type: (type as z.core.$ZodLazy)._zod.innerType }] : [];
}

function asTypes(members: unknown): readonly Type[] {
  return Array.isArray(members)
    ? members.filter((member): member is Type => typeof member === 'object' && member !== null && '_zod' in member)
    : [];
}
