/**
 * The one way to what stands in a document at a path, `imdb.rating` (SEMANTICS §14). A member of what is no object is
 * missing. Where a path is many, an array stands for its elements at each step, one level deep, as MongoDB has it.
 */
import { isJsonObject, type Json, type JsonObject, ownOf } from '../wire/values.ts';

type Members<Value> = Readonly<Record<string, Value>>;
type IsObject<Value> = (value: Value) => value is Value & Members<Value>;

/** The value at a path that runs through objects alone. */
export function valueAt(document: JsonObject, path: string): Json | undefined {
  return path.includes('.') ? valueIn<Json>(document, path, isJsonObject) : ownOf(document, path);
}

/** All values at a path. */
export function valuesAt(document: JsonObject, path: string): readonly Json[] {
  return valuesIn<Json>(document, path, isJsonObject);
}

/** `valueAt` in what is no JSON; `isObject` tells what has members. */
function valueIn<Value>(document: Members<Value>, path: string, isObject: IsObject<Value>): Value | undefined {
  let holder: Members<Value> = document;
  const steps = path.split('.');
  for (const step of steps.slice(0, -1)) {
    const value = memberOf(holder, step);
    if (value === undefined || !isObject(value)) return undefined;
    holder = value;
  }
  return memberOf(holder, steps.at(-1) ?? '');
}

/** `valuesAt` in what is no JSON. */
function valuesIn<Value>(document: Members<Value>, path: string, isObject: IsObject<Value>): readonly Value[] {
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

/** Whether the path is the other one, or leads to something in what stands there. */
export function isWithin(path: string, other: string): boolean {
  return path === other || path.startsWith(`${other}.`);
}
