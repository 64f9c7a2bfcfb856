/**
 * One step between two neighbouring versions, both ways: values of documents and patches, names of places, and back
 * again (SEMANTICS §19). All that changes in a step changes at once, so two places may change their names.
 */
import { type Draft, isDraft, removeAt, setAt, valueUnder } from '../contract/draft.ts';
import { holdersOf, isWithin } from '../contract/path.ts';
import { copyOf, isJsonObject, type Json, type JsonObject } from '../wire/values.ts';
import { type Change, type Converted, targetOf } from './changes.ts';
import { arrayAbove, below, movesOf, olderPlaces, type Places, removalsOf } from './places.ts';

/** What happens within one object: the document, or each element of an array in it. */
interface Within {
  /** The path of the array; empty for the document itself. */
  readonly array: string;
  /** Paths from there. */
  readonly moves: readonly { readonly old: string; readonly now: string }[];
  readonly converted: readonly (Converted & { readonly place: string })[];
  readonly added: readonly {
    readonly place: string;
    readonly initial: Json | undefined;
    /** The object that it stands in, where a document need not have that: then it is not made for this. */
    readonly optionalIn: string | undefined;
  }[];
  readonly removed: readonly {
    readonly place: string;
    readonly shown: Json;
    /** The innermost object that it stands in and both versions have; empty where that is all. */
    readonly holder: string;
  }[];
  /** Objects from which something moves away, and which a document of the newer version need not have. */
  readonly thinned: readonly string[];
  /** Objects that only one of the two versions has. */
  readonly onlyOld: readonly string[];
  readonly onlyNow: readonly string[];
  /** Of the latter those that a document must have, whether anything stands in them or not; the outermost first. */
  readonly demanded: readonly string[];
}

export class Level {
  readonly old: Places;
  readonly now: Places;
  readonly changes: readonly Change[];
  /** An array that moves is found where the newer version has it: what is in it is lowered before, and raised after. */
  readonly #within: readonly Within[];

  constructor(changes: readonly Change[], now: Places) {
    this.changes = changes;
    this.now = now;
    this.old = olderPlaces(changes, now);
    const arrays = new Set(changes.map((change) => arrayAbove(targetOf(change), now)));
    this.#within = innermostFirst([...arrays]).map((array) => toWithin(changes, array, this.old, now));
  }

  /** A whole document of the older version as the newer has it. */
  up(document: JsonObject): JsonObject {
    return each(document, this.#within.toReversed(), (draft, within) => raise(draft, within, 'document'));
  }

  /** The same of a merge patch (RFC 7396): `null` takes a place out, and an array is a whole one. */
  upPatch(patch: JsonObject): JsonObject {
    return each(patch, this.#within.toReversed(), (draft, within) => raise(draft, within, within.array === '' ? 'patch' : 'document'));
  }

  /** What the newer version shows as the older showed it. */
  down(document: JsonObject): JsonObject {
    return each(document, this.#within, lower);
  }

  /** What the newer version calls a place of the older: none where the older has no such place, several where it was an object. */
  nowOf(path: string): readonly string[] {
    if ((!this.old.has(path) && this.now.has(path)) || this.removes(path)) return [];
    return renamed(path, movesOf(this.changes).map(({ old, now }) => ({ from: old, to: now })), (each) => this.now.has(each));
  }

  oldOf(path: string): readonly string[] {
    if (!this.now.has(path) && this.old.has(path)) return [];
    if (this.changes.some((change) => change.kind === 'added' && isWithin(path, change.at))) return [];
    return renamed(path, movesOf(this.changes).map(({ old, now }) => ({ from: now, to: old })), (each) => this.old.has(each));
  }

  /** Whether the older version alone has it, and the next one nothing that was in it. */
  removes(path: string): boolean {
    const isLeftEmpty = !this.now.has(path) && movesOf(this.changes).every(({ old }) => !isWithin(old, path));
    return removalsOf(this.changes).some(({ at }) => isWithin(path, at) || (isLeftEmpty && isWithin(at, path)));
  }

  conversionAt(path: string): Converted | undefined {
    return this.changes.find((change): change is Converted => change.kind === 'converted' && change.at === path);
  }

  /** What a body of the older version says that it cannot: places that only the newer has, and values that convert to nothing. */
  mistakesIn(body: JsonObject): readonly Mistake[] {
    const strange = strangers(body, { path: '', pointer: [], old: this.old, now: this.now });
    const unconverted = this.changes.flatMap((change): readonly Mistake[] => {
      if (change.kind !== 'converted' && change.kind !== 'removed') return [];
      const [old] = change.kind === 'removed' ? [change.at] : this.oldOf(change.at);
      if (old === undefined) return [];
      return valuesWithPlaces(body, old.split('.')).flatMap(({ pointer, value }) => {
        const parsed = value === null ? undefined : change.schema.safeParse(value);
        return parsed?.success === false ? [{ pointer, detail: parsed.error.issues[0]?.message ?? 'not a value of this version' }] : [];
      });
    });
    return [...strange.map((pointer) => ({ pointer, detail: 'unknown field' })), ...unconverted];
  }
}

interface Mistake {
  /** With the indexes that lead there. */
  readonly pointer: readonly string[];
  readonly detail: string;
}

interface Placed {
  readonly pointer: readonly string[];
  readonly value: Json;
}

/** All values at a path, through arrays too. */
function valuesWithPlaces(value: Json, steps: readonly string[], pointer: readonly string[] = []): readonly Placed[] {
  if (Array.isArray(value) && steps.length > 0) {
    return value.flatMap((each: Json, index) => valuesWithPlaces(each, steps, [...pointer, String(index)]));
  }
  const [step, ...rest] = steps;
  if (step === undefined) return [{ pointer, value }];
  return isJsonObject(value) && Object.hasOwn(value, step) ? valuesWithPlaces(value[step] ?? null, rest, [...pointer, step]) : [];
}

function toWithin(changes: readonly Change[], array: string, old: Places, now: Places): Within {
  const here = changes.filter((change) => arrayAbove(targetOf(change), now) === array);
  const moved = movesOf(here);
  const rest = (path: string) => below(path, array);
  const only = (paths: Places, others: Places, whole: readonly string[]) =>
    [...paths.keys()].filter((path) =>
      !others.has(path) && !whole.some((each) => isWithin(path, each)) && arrayAbove(path, paths) === array && isHolder(path, paths),
    ).map(rest);
  const onlyNow = innermostFirst(only(now, old, movesOf(changes).map((move) => move.now)));
  const whole = (path: string) => (array === '' ? path : `${array}.${path}`);
  return {
    array,
    moves: moved.map((move) => ({ old: rest(move.old), now: rest(move.now) })),
    converted: here.flatMap((change) => (change.kind === 'converted' ? [{ ...change, place: rest(change.at) }] : [])),
    added: here.flatMap((change) => {
      if (change.kind !== 'added') return [];
      const above = holdersOf(change.at).at(-1) ?? '';
      const optionalIn = above !== array && now.get(above)?.isOptional === true ? rest(above) : undefined;
      return [{ place: rest(change.at), initial: change.initial, optionalIn }];
    }),
    removed: removalsOf(here).map(({ at, shown }) => {
      const above = holdersOf(at).findLast((holder) => now.has(holder)) ?? '';
      return { place: rest(at), shown, holder: above === array ? '' : rest(above) };
    }),
    thinned: innermostFirst([...new Set(moved.flatMap(({ old: path }) => holdersOf(path)))].filter(
      (path) => now.get(path)?.isOptional === true && arrayAbove(path, now) === array && now.get(path)?.isMany !== true,
    ).map(rest)),
    onlyOld: innermostFirst(only(old, now, movesOf(changes).map((move) => move.old))),
    onlyNow,
    demanded: onlyNow.toReversed().filter((path) => now.get(whole(path))?.isOptional === false),
  };
}

function isHolder(path: string, places: Places): boolean {
  return places.get(path)?.isMany === false && [...places.keys()].some((each) => each !== path && isWithin(each, path));
}

function innermostFirst(paths: readonly string[]): readonly string[] {
  const depthOf = (path: string) => (path === '' ? 0 : path.split('.').length);
  return [...paths].sort((a, b) => depthOf(b) - depthOf(a));
}

function raise(draft: Draft, within: Within, as: 'document' | 'patch'): void {
  const taken = within.moves.map(({ old, now }) => ({ to: now, value: valueUnder(draft, old) }));
  for (const { old } of within.moves) removeAt(draft, old);
  const thinned = as === 'document' ? within.thinned.filter((path) => valueUnder(draft, path) !== null) : [];
  const dropped = within.removed.filter((each) => isHeld(draft, each) && valueUnder(draft, each.place) !== undefined);
  for (const { place } of dropped) removeAt(draft, place);
  for (const path of [...within.onlyOld, ...thinned]) removeIfEmpty(draft, path);
  // A patch of nothing but this must not make the object that it stood in.
  if (as === 'patch') for (const { holder } of dropped) if (holder !== '') removeIfEmpty(draft, holder);
  for (const { to, value } of taken) moveTo(draft, to, value);
  for (const { place, up } of within.converted) convertAt(draft, place, up);
  for (const path of within.onlyNow) nullIfAllIs(draft, path, within);
  if (as === 'patch') return;
  for (const path of within.demanded) makeIfHeld(draft, path);
  for (const each of within.added) fill(draft, each);
}

function makeIfHeld(draft: Draft, path: string): void {
  const above = holdersOf(path).at(-1);
  if (valueUnder(draft, path) === undefined && (above === undefined || isDraft(valueUnder(draft, above) ?? null))) setAt(draft, path, {});
}

function fill(draft: Draft, { place, initial, optionalIn }: Within['added'][number]): void {
  const isWanted = optionalIn === undefined || isDraft(valueUnder(draft, optionalIn) ?? null);
  if (initial !== undefined && isWanted) setAt(draft, place, initial);
}

function lower(draft: Draft, within: Within): void {
  for (const { place } of within.added) removeAt(draft, place);
  for (const { place, down } of within.converted) convertAt(draft, place, (value) => orAsIs(value, down));
  const taken = within.moves.map(({ old, now }) => ({ to: old, value: valueUnder(draft, now) }));
  for (const { now } of within.moves) removeAt(draft, now);
  for (const path of within.onlyNow) removeIfEmpty(draft, path);
  for (const { to, value } of taken) moveTo(draft, to, value);
  for (const each of within.removed) if (isHeld(draft, each)) setAt(draft, each.place, copyOf(each.shown));
}

/** What was `null` because it stood in what is `null` makes no object of that. */
function moveTo(draft: Draft, path: string, value: Json | undefined): void {
  if (value !== undefined && !(value === null && valueUnder(draft, path) === null)) setAt(draft, path, value);
}

/** Whether there is what it stands in. */
function isHeld(draft: Draft, { holder }: Within['removed'][number]): boolean {
  return holder === '' || isDraft(valueUnder(draft, holder) ?? null);
}

/** Whoever takes out all that an object of the newer version holds takes out the object. */
function nullIfAllIs(draft: Draft, path: string, { moves, added }: Within): void {
  if (added.some(({ place }) => isWithin(place, path))) return;
  const members = moves.filter(({ now }) => isWithin(now, path));
  if (members.length > 0 && members.every(({ now }) => valueUnder(draft, now) === null)) setAt(draft, path, null);
}

function convertAt(draft: Draft, path: string, convert: (value: Json) => Json): void {
  const value = valueUnder(draft, path);
  if (value !== undefined && value !== null) setAt(draft, path, convert(value));
}

/** What others stored may be of no type that converts: it is shown as it is. */
function orAsIs(value: Json, down: (value: Json) => Json): Json {
  try {
    const shown: Json | undefined = down(value);
    return shown === undefined || (typeof shown === 'number' && !Number.isFinite(shown)) ? value : shown;
  } catch {
    return value;
  }
}

/** What is left of an object that the version does not have: nothing, where all that it held has moved away. */
function removeIfEmpty(draft: Draft, path: string): void {
  const value = valueUnder(draft, path);
  if (value === null || (value !== undefined && isDraft(value) && Object.keys(value).length === 0)) removeAt(draft, path);
}

function each(document: JsonObject, withins: readonly Within[], change: (draft: Draft, within: Within) => void): JsonObject {
  const draft: Draft = copyOf(document);
  for (const within of withins) for (const object of objectsAt(draft, within.array)) change(object, within);
  return draft;
}

/** The document itself, or the elements of one of its arrays. */
function objectsAt(draft: Draft, array: string): readonly Draft[] {
  let found: readonly (Json | Draft)[] = [draft];
  for (const step of array === '' ? [] : array.split('.')) {
    found = found.flatMap((each) => (isDraft(each) && Object.hasOwn(each, step) ? (each[step] ?? []) : []));
  }
  return found.filter(isDraft);
}

function renamed(path: string, moves: readonly { from: string; to: string }[], isThere: (path: string) => boolean): readonly string[] {
  const whole = moves.find(({ from }) => isWithin(path, from));
  if (whole !== undefined) return [`${whole.to}${path.slice(whole.from.length)}`];
  const parts = moves.filter(({ from }) => isWithin(from, path)).map(({ to }) => to);
  return isThere(path) || parts.length === 0 ? [path, ...parts.filter((part) => !isWithin(part, path))] : parts;
}

interface Looking {
  readonly path: string;
  readonly pointer: readonly string[];
  readonly old: Places;
  readonly now: Places;
}

function strangers(value: Json, { path, pointer, old, now }: Looking): readonly (readonly string[])[] {
  if (Array.isArray(value)) {
    return value.flatMap((each: Json, index) => strangers(each, { path, pointer: [...pointer, String(index)], old, now }));
  }
  if (!isJsonObject(value)) return [];
  return Object.entries(value).flatMap(([name, member]) => {
    const at = path === '' ? name : `${path}.${name}`;
    if (!old.has(at) && now.has(at)) return [[...pointer, name]];
    return strangers(member, { path: at, pointer: [...pointer, name], old, now });
  });
}

