/**
 * A write to a document that is there, as the paths that differ (SEMANTICS §17). Nothing else is sent, so it is neither
 * rewritten, retyped nor reordered. An array whose elements moved is set as a whole, and an object with names that no path
 * can name (empty, with a dot, beginning with `$`) where such a one differs.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { matchElements } from '../../../../shared/contract/elements.ts';
import { placeOf } from '../../../../shared/contract/schema-places.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../../../../shared/wire/values.ts';
import { type BsonDocument, type Declared, declaredAt, isPlainObject, isSame, restored, toJson } from '../read/bson-values.ts';
import type { Stored } from '../read/documents.ts';

export interface Changes {
  /** By path. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly unset: readonly string[];
  /** The document that they make. */
  readonly stored: Stored;
}

/** `_id` names the document, a field `id` beside it stands behind that name, and no update reaches the others. */
function isOutOfReach(name: string): boolean {
  return name === '_id' || name === 'id' || !isPathPart(name);
}

/** `next` as a whole in the place of `stored`, but for what is out of reach: that stays. */
export function toChanges(resource: Resource, stored: Stored, next: JsonObject): Changes {
  const changes = new Collected();
  const reachable = Object.entries(next).filter(([name]) => !isOutOfReach(name));
  const members = changes.members('', stored, Object.fromEntries(reachable), (name) => declaredAt(resource, name), isOutOfReach);
  const { set, unset } = changes;
  return { set: Object.fromEntries(set), unset, stored: { ...members, _id: stored._id } };
}

class Collected {
  readonly set = new Map<string, unknown>();
  readonly unset: string[] = [];

  /** In the order that the server leaves: what was there, then new members by their names. */
  members(
    prefix: string,
    before: BsonDocument,
    next: JsonObject,
    declared: (name: string) => Declared,
    stays: (name: string) => boolean,
  ): BsonDocument {
    const members = new Map<string, unknown>();
    for (const name of Object.keys(before)) {
      const value = ownOf(next, name);
      if (stays(name)) members.set(name, before[name]);
      else if (value === undefined) this.unset.push(prefix + name);
      else members.set(name, this.#value(prefix + name, before[name], value, declared(name)));
    }
    for (const name of Object.keys(next).filter((each) => !Object.hasOwn(before, each)).sort()) {
      const value = restored(next[name] ?? null, undefined, declared(name));
      members.set(name, value);
      this.set.set(prefix + name, value);
    }
    return Object.fromEntries(members);
  }

  #value(path: string, before: unknown, next: Json, declared: Declared): unknown {
    if (isSame(next, before)) return before;
    const place = placeOf(declared.type, next);
    if (isPlainObject(before) && isJsonObject(next) && isReachable(before, next)) {
      return this.members(`${path}.`, before, next, (name) => ({ type: place.member(name) }), () => false);
    }
    if (Array.isArray(before) && Array.isArray(next) && standsInPlace(place.element, before, next)) {
      return next.map((each: Json, index) => this.#value(`${path}.${index}`, before[index], each, { type: place.element(index) }));
    }
    const value = restored(next, before, declared);
    this.set.set(path, value);
    return value;
  }
}

/** Whether no element has moved, come or gone; of plain values nobody can say which they were. */
function standsInPlace(typeAt: Parameters<typeof matchElements>[0], before: readonly unknown[], next: readonly Json[]): boolean {
  if (before.length !== next.length) return false;
  const matches = matchElements(typeAt, next, before.map(toJson));
  return next.every((each, at) => isSame(each, before[at]) || (isJsonObject(each) && matches[at] === at));
}

/** Whether paths name all that differs. The server puts new members in another order where they are numbers. */
function isReachable(before: BsonDocument, next: JsonObject): boolean {
  const names = new Set([...Object.keys(before), ...Object.keys(next)]);
  return [...names].every((name) => {
    if (Object.hasOwn(before, name) && Object.hasOwn(next, name) && isSame(next[name] ?? null, before[name])) return true;
    return isPathPart(name) && (Object.hasOwn(before, name) || !/^\d+$/.test(name));
  });
}

function isPathPart(name: string): boolean {
  return name !== '' && !name.startsWith('$') && !name.includes('.');
}
