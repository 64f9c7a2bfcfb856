/**
 * In which bracket what JSON shows of a document is stored (SEMANTICS §3, §4): an ObjectId, a date, bytes and some numbers are
 * shown as text, and other numbers as null. Only the engine can tell, so it says so of the documents that it gives to rules.
 */
import { valueAt } from './path.ts';
import { isExactKind, type JsonObject, type NumberKind, ranks } from '../wire/values.ts';

/**
 * The bracket at this path, or, where an element is asked for, of that one of the values at a path that is many; `undefined`: that
 * of its form on the wire.
 */
export type RankAt = (path: string, element?: number) => number | undefined;

/** Of bytes, which are in no order. */
export const bytesRank = -1;

const told = new WeakMap<JsonObject, RankAt>();

/** Says it of this very object. */
export function withRanks<T extends JsonObject>(document: T, rankAt: RankAt | undefined): T {
  if (rankAt !== undefined) told.set(document, rankAt);
  return document;
}

/** The same of another object: what stands where it stood is what it was. */
export function withRanksOf<T extends JsonObject>(before: JsonObject, next: T): T {
  const rankAt = told.get(before);
  // Elements stand where they stood in the very value that holds them all.
  const stands = (path: string) => valueAt(before, path) === valueAt(next, path);
  return withRanks(next, rankAt === undefined ? undefined : (path, element) =>
    (stands(element === undefined ? path : rootOf(path)) ? rankAt(path, element) : undefined));
}

function rootOf(path: string): string {
  return path.split('.')[0] ?? path;
}

export function toldRank(document: JsonObject, path: string, element?: number): number | undefined {
  return told.get(document)?.(path, element);
}

/** Whether what is shown there as of this bracket is stored in it. */
export function isOfRank(document: JsonObject, path: string, rank: number): boolean {
  return (toldRank(document, path) ?? rank) === rank;
}

/** Unless it is told, text is how decimals and longs are written, and no form of another number. */
export function isTextOfNumber(document: JsonObject, path: string, kind: NumberKind): boolean {
  const rank = toldRank(document, path);
  return rank === undefined ? isExactKind(kind) : rank === ranks.number;
}
