/**
 * Which texts of a document are numbers where they are stored (SEMANTICS §3, §4). JSON shows a Decimal128, and a Long past
 * 2^53, as text; where another program stored that text as a text, it equals no number. Only the engine can tell, so
 * it says so of the documents that it gives to rules.
 */
import { valueAt } from './path.ts';
import { isExactKind, type JsonObject, type NumberKind } from '../wire/values.ts';

/** Whether a number stands at this path; `undefined`: what is usual for its kind. */
export type IsNumber = (path: string) => boolean | undefined;

const told = new WeakMap<JsonObject, IsNumber>();

/** Says it of this very object. */
export function withNumbers<T extends JsonObject>(document: T, isNumber: IsNumber | undefined): T {
  if (isNumber !== undefined) told.set(document, isNumber);
  return document;
}

/** The same of another object: a text that stands where it stood is what it was. */
export function withNumbersOf<T extends JsonObject>(before: JsonObject, next: T): T {
  const isNumber = told.get(before);
  const stands = (path: string) => valueAt(before, path) === valueAt(next, path);
  return withNumbers(next, isNumber === undefined ? undefined : (path) => (stands(path) ? isNumber(path) : undefined));
}

/** Unless it is told, text is how decimals and longs are written, and no form of another number. */
export function isTextOfNumber(document: JsonObject, path: string, kind: NumberKind): boolean {
  return told.get(document)?.(path) ?? isExactKind(kind);
}
