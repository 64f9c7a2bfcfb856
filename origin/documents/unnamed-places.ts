/**
 * Places that whoever writes has no name for: their version of the API is older than these (SEMANTICS §19). What they sent
 * was filled in on the way, so that it fits the schema; what is stored there stays, and the filling stands in what is new.
 */
import * as z from 'zod';
import { matchElements, tellElements, toldElements } from '../../shared/contract/elements.ts';
import { only, type PathTree, toPathTree, without } from '../../shared/contract/path.ts';
import { placeOf, undeclaredOf } from '../../shared/contract/schema-places.ts';
import type { Type } from '../../shared/contract/schema-tree.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import { asDocument } from './hidden-places.ts';

type Writer = Pick<Asked, 'resource' | 'keeps'>;

/** What they sent themselves, without the filling. */
export function namedOf({ keeps = [] }: Writer, sent: JsonObject): JsonObject {
  return keeps.length === 0 ? sent : without(sent, toPathTree(keeps));
}

interface Views {
  readonly sent: JsonObject;
  /** The stored document, without what else they do not see. */
  readonly before: JsonObject;
  /** A merge patch is silent about what it keeps, but for the elements of its arrays. */
  readonly as: 'document' | 'patch';
}

/** What they would have sent by the current version, not to change what they cannot name. */
export function withUnnamed({ resource, keeps = [] }: Writer, { sent, before, as }: Views): JsonObject {
  if (keeps.length === 0) return sent;
  return asDocument(completed(resource.schema, toPathTree(keeps), { sent, before, isWhole: as === 'document' }));
}

interface Standing {
  readonly sent: Json;
  readonly before: Json | undefined;
  readonly isWhole: boolean;
}

function completed(type: Type | undefined, places: PathTree, { sent, before, isWhole }: Standing): Json {
  const place = placeOf(type, sent);
  if (Array.isArray(sent) && Array.isArray(before)) {
    const bare = (elements: readonly Json[]) => elements.map((each) => shownIn(each, places));
    const matches = matchElements(place.element, bare(sent), bare(before), sent);
    const whole = sent.map((each: Json, index) =>
      completed(place.element(index), places, { sent: each, before: before[matches[index] ?? -1], isWhole: true }),
    );
    return toldElements(sent) === undefined ? whole : tellElements(whole, matches);
  }
  if (!isJsonObject(sent) || !isJsonObject(before)) return sent;
  const members = new Map<string, Json>(Object.entries(sent));
  for (const [name, below] of places) {
    const [member, stood] = [place.member(name), ownOf(before, name)];
    const isNamed = Object.hasOwn(sent, name) && below !== 'all';
    const kept = isNamed
      ? completed(member, below, { sent: sent[name] ?? null, before: stood, isWhole })
      : isWhole ? keptAlone(member, below, stood) : undefined;
    if (kept === undefined) members.delete(name);
    else members.set(name, kept);
  }
  return Object.fromEntries(members);
}

/** Of what is not sent: what they cannot name in it, where that is a value without the rest. */
function keptAlone(type: Type | undefined, places: PathTree | 'all', stood: Json | undefined): Json | undefined {
  if (places === 'all' || !isJsonObject(stood)) return places === 'all' ? stood : undefined;
  const named = only(stood, membersOf(places));
  if (type !== undefined && !z.safeParse(type, named).success) return undefined;
  const others = places.has(itself) ? undeclaredOf(placeOf(type, stood), stood) : [];
  const kept = Object.entries(stood).flatMap(([name, value]) =>
    (Object.hasOwn(named, name) ? [[name, named[name] ?? null] as const] : others.includes(name) ? [[name, value] as const] : []));
  return kept.length > 0 || places.has(itself) ? Object.fromEntries(kept) : undefined;
}

/** Marks an object that they have no name for, and others may have something in: that stays, though they empty it of what they name. */
const itself = '*';

function membersOf(places: PathTree): PathTree {
  return new Map([...places].flatMap(([name, below]): [string, PathTree | 'all'][] => {
    const members = below === 'all' ? below : membersOf(below);
    return name === itself || (members !== 'all' && members.size === 0) ? [] : [[name, members]];
  }));
}

/** Of an element what they see and can name. An object in which that is nothing may not be there for them. */
function shownIn(value: Json, places: PathTree): Json {
  if (Array.isArray(value)) return value.map((each: Json) => shownIn(each, places));
  if (!isJsonObject(value)) return value;
  return Object.fromEntries(Object.entries(value).flatMap(([name, each]): [string, Json][] => {
    const below = places.get(name);
    if (below === 'all') return [];
    const shown = below === undefined ? each : shownIn(each, below);
    return below !== undefined && isJsonObject(shown) && Object.keys(shown).length === 0 ? [] : [[name, shown]];
  }));
}
