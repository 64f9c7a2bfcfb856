/**
 * Which element of a stored array each element of a written one is: the one that is wholly the same, else the one
 * whose undeclared members it carries, else the one that it equals in what is declared, wherever in the array these
 * stand; and where neither array is longer, the one at its place, or the only one that is left. None is taken twice.
 */
import { toCanonicalJson } from '../wire/hash.ts';
import { placeOf, undeclaredOf } from './schema-places.ts';
import type { Type } from './schema-tree.ts';
import { isJsonObject, type Json } from '../wire/values.ts';

type TypeAt = (index: number) => Type | undefined;

type Matches = readonly (number | undefined)[];

const told = new WeakMap<readonly Json[], Matches>();

/** For an array that was made of a stored one element by element: nothing in it is guessed then. */
export function tellElements(written: readonly Json[], matches: Matches): readonly Json[] {
  told.set(written, matches);
  return written;
}

export function toldElements(written: readonly Json[]): Matches | undefined {
  return told.get(written);
}

/** The index of the stored element for each written one; `sent` is what it was made of. */
export function matchElements(typeAt: TypeAt, written: readonly Json[], stored: readonly Json[], sent = written): Matches {
  const known = told.get(sent);
  if (known !== undefined) return known;
  const matches = new Array<number | undefined>(written.length).fill(undefined);
  if (written.length === 0 || !stored.some((element) => element !== null && typeof element === 'object')) return matches;
  const taken = new Set<number>();
  const take = (at: number, index: number): void => {
    matches[at] = index;
    taken.add(index);
  };
  for (const { toWritten, toStored } of rounds) {
    const keys = stored.map((element, index) => (taken.has(index) ? undefined : toStored(element, typeAt(index))));
    const wanted = written.map((element, at) => (matches[at] === undefined ? toWritten(element, typeAt(at)) : undefined));
    wanted.forEach((key, at) => key !== undefined && key === keys[at] && take(at, at));
    const left = indexesOf(keys, taken);
    wanted.forEach((key, at) => {
      const index = key === undefined || matches[at] !== undefined ? undefined : left.get(key)?.pop();
      if (index !== undefined) take(at, index);
    });
  }
  if (written.length !== stored.length) return matches;
  written.forEach((_, at) => matches[at] === undefined && !taken.has(at) && take(at, at));
  const [at, ...others] = written.flatMap((_, index) => (matches[index] === undefined ? [index] : []));
  if (at !== undefined && others.length === 0) take(at, stored.findIndex((_, index) => !taken.has(index)));
  return matches;
}

/** Where each key stands, the first place last: thousands of elements may be alike, and each place is taken in one step. */
function indexesOf(keys: readonly (string | undefined)[], taken: ReadonlySet<number>): ReadonlyMap<string, number[]> {
  const indexes = new Map<string, number[]>();
  for (let index = keys.length - 1; index >= 0; index--) {
    const key = keys[index];
    if (key === undefined || taken.has(index)) continue;
    const known = indexes.get(key);
    if (known === undefined) indexes.set(key, [index]);
    else known.push(index);
  }
  return indexes;
}

type ToKey = (element: Json, type: Type | undefined) => string | undefined;

const whole: ToKey = (element) => toCanonicalJson(element);
const declared: ToKey = (element, type) => toCanonicalJson(declaredIn(element, type));

const rounds: readonly { readonly toWritten: ToKey; readonly toStored: ToKey }[] = [
  { toWritten: whole, toStored: whole },
  { toWritten: undeclared, toStored: undeclared },
  { toWritten: (element, type) => (undeclared(element, type) === undefined ? declared(element, type) : undefined), toStored: declared },
];

function undeclared(element: Json, type: Type | undefined): string | undefined {
  if (!isJsonObject(element)) return undefined;
  const names = undeclaredOf(placeOf(type, element), element);
  return names.length === 0 ? undefined : toCanonicalJson(names.toSorted().map((name) => [name, element[name]]));
}

/** The value without what its type does not name, at any depth. */
export function declaredIn(value: Json, type: Type | undefined): Json {
  const place = placeOf(type, value);
  if (place.isMade) return value;
  if (Array.isArray(value)) return value.map((element: Json, index) => declaredIn(element, place.element(index)));
  if (!isJsonObject(value)) return value;
  const unknown = new Set(undeclaredOf(place, value));
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, member]) => (unknown.has(name) ? [] : [[name, declaredIn(member, place.member(name))]])),
  );
}
