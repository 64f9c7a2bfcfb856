/**
 * The one way to what stands in a document at a path, `imdb.rating` (SEMANTICS §14). A member of what is no object is
 * missing. Where a path is many, an array stands for its elements at each step, one level deep, as MongoDB has it.
 */
import { isJsonObject, type Json, type JsonObject } from '../wire/values.ts';

type Members<Value> = Readonly<Record<string, Value>>;
type IsObject<Value> = (value: Value) => value is Value & Members<Value>;

/** The value at a path that runs through objects alone. */
export function valueAt(document: JsonObject, path: string): Json | undefined {
  return valueIn<Json>(document, path, isJsonObject);
}

/** All values at a path. */
export function valuesAt(document: JsonObject, path: string): readonly Json[] {
  return valuesIn<Json>(document, path, isJsonObject);
}

/** `valueAt` in what is no JSON; `isObject` tells what has members. */
export function valueIn<Value>(document: Members<Value>, path: string, isObject: IsObject<Value>): Value | undefined {
  if (!path.includes('.')) return memberOf(document, path);
  let holder = document;
  const steps = path.split('.');
  for (const step of steps.slice(0, -1)) {
    const value = memberOf(holder, step);
    if (value === undefined || !isObject(value)) return undefined;
    holder = value;
  }
  return memberOf(holder, steps.at(-1) ?? '');
}

/** `valuesAt` in what is no JSON. */
export function valuesIn<Value>(document: Members<Value>, path: string, isObject: IsObject<Value>): readonly Value[] {
  if (!path.includes('.')) return elementsOf(memberOf(document, path));
  let holders: readonly Members<Value>[] = [document];
  let values: readonly Value[] = [];
  for (const step of path.split('.')) {
    values = holders.flatMap((holder) => elementsOf(memberOf(holder, step)));
    holders = values.filter(isObject);
  }
  return values;
}

function memberOf<Value>(holder: Members<Value>, name: string): Value | undefined {
  return Object.hasOwn(holder, name) ? holder[name] : undefined;
}

function elementsOf<Value>(value: Value | undefined): readonly Value[] {
  return value === undefined ? [] : Array.isArray(value) ? value : [value];
}

/** The paths of what this one leads through, the outermost first. */
export function holdersOf(path: string): readonly string[] {
  const steps = path.split('.');
  return steps.slice(1).map((_step, index) => steps.slice(0, index + 1).join('.'));
}

/** Whether the path is the other one, or leads to something in what stands there. */
export function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}.`);
}

/** Paths by their first members; `all`: whatever stands there. */
export type PathTree = ReadonlyMap<string, PathTree | 'all'>;

export function toPathTree(paths: Iterable<string>): PathTree {
  const rests = new Map<string, string[]>();
  for (const path of paths) {
    const [first = '', ...rest] = path.split('.');
    rests.set(first, [...(rests.get(first) ?? []), rest.join('.')]);
  }
  return new Map([...rests].map(([first, below]) => [first, below.includes('') ? 'all' : toPathTree(below)]));
}

/** The document without what stands at these paths, in elements of arrays too. */
export function without(document: JsonObject, paths: PathTree): JsonObject {
  return Object.fromEntries(Object.entries(document).flatMap(([name, value]) => {
    const below = paths.get(name);
    if (below === 'all') return [];
    return [[name, below === undefined ? value : withoutIn(value, below)]];
  }));
}

function withoutIn(value: Json, paths: PathTree): Json {
  if (Array.isArray(value)) return value.map((each: Json) => withoutIn(each, paths));
  return isJsonObject(value) ? without(value, paths) : value;
}

/** The document with what stands at these paths alone. */
export function only(document: JsonObject, paths: PathTree): JsonObject {
  return Object.fromEntries(Object.entries(document).flatMap(([name, value]) => {
    const below = paths.get(name);
    const shown = below === 'all' ? value : below === undefined ? undefined : onlyIn(value, below);
    return shown === undefined ? [] : [[name, shown]];
  }));
}

function onlyIn(value: Json, paths: PathTree): Json | undefined {
  if (!Array.isArray(value)) return isJsonObject(value) ? only(value, paths) : undefined;
  return value.flatMap((each: Json) => {
    const shown = onlyIn(each, paths);
    return shown === undefined ? [] : [shown];
  });
}
