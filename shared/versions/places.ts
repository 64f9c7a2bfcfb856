/** The places that a version has, by path, and how they differ from those of the next one. */
import { holdersOf, isWithin } from '../contract/path.ts';
import { type Change, type Moved, newPlacesOf, type Removed } from './changes.ts';

/** What is known of a place of the next version. */
export interface PlaceKind {
  /** An array, of values or of objects. */
  readonly isMany: boolean;
  /** A document need not have it. */
  readonly isOptional: boolean;
}

export type Places = ReadonlyMap<string, PlaceKind>;

export function movesOf(changes: readonly Change[]): readonly Moved[] {
  return changes.filter((change) => change.kind === 'moved');
}

export function removalsOf(changes: readonly Change[]): readonly Removed[] {
  return changes.filter((change) => change.kind === 'removed');
}

/** The places of the older of two neighbours. */
export function olderPlaces(changes: readonly Change[], now: Places): Places {
  const moves = movesOf(changes);
  const left = newPlacesOf(changes);
  const older = new Map<string, PlaceKind>();
  for (const [path, kind] of now) {
    const move = moves.find((each) => isWithin(path, each.now));
    if (move !== undefined) older.set(`${move.old}${path.slice(move.now.length)}`, kind);
    else if (!left.some((each) => isWithin(path, each))) older.set(path, kind);
  }
  // An object that held nothing else is not there before; an array still has its elements.
  const emptied = new Set<string>();
  for (const path of [...now.keys()].sort((one, other) => holdersOf(other).length - holdersOf(one).length)) {
    if (now.get(path)?.isMany === true) continue;
    const below = [...now.keys()].filter((each) => each !== path && isWithin(each, path));
    if (below.length === 0 || !below.every((each) => emptied.has(each) || left.some((gone) => isWithin(each, gone)))) continue;
    emptied.add(path);
    older.delete(path);
  }
  for (const { at, shown } of removalsOf(changes)) older.set(at, { isMany: Array.isArray(shown), isOptional: true });
  const holders = [...older.keys()].flatMap(holdersOf).filter((holder) => !older.has(holder));
  for (const holder of holders) older.set(holder, { isMany: false, isOptional: true });
  return older;
}

/** The innermost array that a path leads through, or empty: what moves, moves within one element. */
export function arrayAbove(path: string, places: Places): string {
  return holdersOf(path).findLast((holder) => places.get(holder)?.isMany === true) ?? '';
}

/** The rest of a path below one that it leads through. */
export function below(path: string, holder: string): string {
  return holder === '' ? path : path.slice(holder.length + 1);
}
