/** What is wrong with declared changes between versions. */
import { holdersOf, isWithin } from '../contract/path.ts';
import { type Change, newPlacesOf, targetOf, type VersionChanges } from '../versions/changes.ts';
import { Level } from '../versions/level.ts';
import { arrayAbove, movesOf, type Places, removalsOf } from '../versions/places.ts';
import type { Versions } from '../versions/versions.ts';
import type { Refuse } from './mistakes.ts';

/** A step that is wrong is told, and taken for one that changes nothing. */
export function checkChanges(declared: VersionChanges | undefined, { all, current }: Versions, places: Places, refuse: Refuse): void {
  const older = all.filter((version) => version !== current).map(({ name }) => name);
  for (const name of Object.keys(declared ?? {})) {
    if (!older.includes(name)) refuse(name, `is no older version; shared/resources/versions.ts has ${older.join(', ') || 'none'}`);
  }
  let now = places;
  for (const name of older.toReversed()) {
    const changes = (declared?.[name] ?? []).flat();
    const found = mistakesOf(changes, now);
    for (const detail of found) refuse(name, detail);
    if (found.length === 0 && changes.length > 0) now = new Level(changes, now).old;
  }
}

function mistakesOf(changes: readonly Change[], now: Places): readonly string[] {
  const removals = removalsOf(changes);
  const targets = changes.filter(({ kind }) => kind !== 'removed').map(targetOf);
  const missing = targets.filter((path) => !now.has(path)).map((path) => `the next version has no place "${path}"`);
  if (missing.length > 0) return missing;
  const moves = movesOf(changes);
  const gone = newPlacesOf(changes);
  const olds = [...moves.map(({ old }) => old), ...removals.map(({ at }) => at)];
  return [
    ...[...targets, ...olds].filter((path) => path === 'id').map(() => 'the id of a document is the same in every version'),
    ...overlaps(gone, 'changes twice'),
    ...overlaps(olds, 'is moved twice'),
    ...olds.filter((old) => now.has(old) && !gone.some((path) => isWithin(old, path)) && !isHolderOfMoves(old, moves))
      .map((old) => `"${old}" is a place of the next version too`),
    ...moves.filter((move) => arrayAbove(move.old, now) !== arrayAbove(move.now, now))
      .map((move) => `"${move.old}" and "${move.now}" stand in different arrays: what moves stays within one element`),
    ...removals.filter(({ schema, shown }) => shown !== null && !schema.safeParse(shown).success)
      .map(({ at }) => `"${at}" is shown as a value that its schema does not take`),
    ...olds.flatMap((old) => holdersOf(old).filter((holder) => gone.includes(holder) || olds.includes(holder))
      .map((holder) => `"${old}" stands in "${holder}", which changes as well`)),
  ];
}

/** An object of the older version, none of whose own places it is. */
function isHolderOfMoves(path: string, moves: readonly { readonly now: string }[]): boolean {
  return moves.some(({ now }) => now !== path && isWithin(path, now));
}

function overlaps(paths: readonly string[], detail: string): readonly string[] {
  return paths.flatMap((path, index) =>
    paths.some((other, at) => at !== index && isWithin(path, other)) ? [`"${path}" ${detail}`] : [],
  );
}
