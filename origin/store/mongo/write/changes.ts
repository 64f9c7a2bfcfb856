/**
 * A write to a document that is there, as the paths that differ (SEMANTICS §17). Nothing else is sent, so it is neither
 * rewritten, retyped nor reordered. An array whose elements moved is set as a whole, and so is an object where a member
 * differs that no path names (empty, with a dot, beginning with `$`).
 */
import { documentInvalid } from '../../../../shared/contract/documents.ts';
import { toIdJson } from '../../../../shared/contract/ids.ts';
import { matchElements } from '../../../../shared/contract/elements.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { StoredNames } from '../../../../shared/contract/stored-names.ts';
import { placeOf } from '../../../../shared/contract/schema-places.ts';
import { toPointer } from '../../../../shared/wire/json-pointer.ts';
import { elementTexts, memberTexts } from '../../../../shared/wire/json-text.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../../../../shared/wire/values.ts';
import { type BsonDocument, type Declared, declaredIn, isPlainObject, isSame, restored, toJson } from '../read/bson-values.ts';
import { mustBeSendable, type Stored } from '../read/documents.ts';
import { inStoredNames } from '../read/member-names.ts';
import { ranksIn } from '../read/stored-ranks.ts';
import { StoredDocument } from '../../stored-document.ts';

/** A value as it is stored, and as a read shows it. */
interface Shown<T = unknown> {
  readonly stored: T;
  readonly text: string;
}

export interface Changes {
  /** By the path in the database, in its names. */
  readonly set: Readonly<Record<string, unknown>>;
  readonly unset: readonly string[];
  /** What they make of the document, by the names of the wire. */
  readonly stored: Stored;
  readonly document: StoredDocument;
}

interface Standing {
  readonly stored: Stored;
  readonly document: StoredDocument;
}

/**
 * `next` as a whole in the place of a document. A field `id` beside `_id` stands behind the key that names the document, and
 * some names no update reaches: these stay as they are.
 */
export function toChanges(resource: Resource, { stored, document }: Standing, next: JsonObject): Changes {
  const changes = new Collected();
  const members = memberTexts(document.text).filter(({ name }) => name !== 'id');
  const known = new Set(members.map(({ name }) => name));
  mustReach(Object.keys(next).filter((name) => !known.has(name)));
  const staying = members.flatMap(({ name }) => (isReached(name) ? [] : [[name, document.value[name] ?? null] as const]));
  const whole = { ...next, ...Object.fromEntries(staying) };
  const made = changes.members({ path: '', names: resource.names }, { stored, members }, whole, declaredIn(resource, next));
  const shadowed = Object.hasOwn(stored, 'id') ? { id: stored['id'] } : {};
  const text = `{${[`"id":${toIdJson(resource, document.id)}`, ...made.texts].join(',')}}`;
  return {
    set: Object.fromEntries(changes.set),
    unset: changes.unset,
    stored: { ...made.stored, ...shadowed, _id: stored._id },
    document: new StoredDocument(document.id, text, undefined, ranksIn(made.stored)),
  };
}

function mustReach(added: readonly string[]): void {
  const beyond = added.filter((name) => !isReached(name));
  if (beyond.length === 0) return;
  throw documentInvalid(beyond.map((name) => ({ at: toPointer([name]), in: 'body', detail: 'is a name that no update can add' })));
}

/** By an update, which is an object with this member, and one of the driver's own with `_bsontype`. */
function isReached(name: string): boolean {
  return isPathPart(name) && name !== '_bsontype';
}

/** The members of an object, with their texts in the order that they are stored in. */
interface Members {
  readonly stored: BsonDocument;
  readonly members: ReturnType<typeof memberTexts>;
}

/** Where something is stored, and what its members are called there. */
interface Place {
  /** In the names of the database; empty for the document itself. */
  readonly path: string;
  readonly names: StoredNames | undefined;
}

function memberOf({ path, names }: Place, name: string): Place {
  return { path: `${path === '' ? '' : `${path}.`}${names?.toStored(name) ?? name}`, names: names?.below(name) };
}

class Collected {
  readonly set = new Map<string, unknown>();
  readonly unset: string[] = [];

  /** In the order that the server leaves: what was there, then new members by their names. */
  members(
    at: Place,
    { stored, members }: Members,
    next: JsonObject,
    declared: (name: string) => Declared,
  ): { readonly stored: BsonDocument; readonly texts: readonly string[] } {
    const made: [name: string, shown: Shown][] = [];
    for (const { name, text } of members) {
      const value = ownOf(next, name);
      if (value === undefined) this.unset.push(memberOf(at, name).path);
      else made.push([name, this.#value(memberOf(at, name), { stored: stored[name], text }, value, declared(name))]);
    }
    const known = new Set(members.map(({ name }) => name));
    const added = Object.keys(next).filter((name) => !known.has(name)).map((name) => ({ name, at: memberOf(at, name) }));
    for (const { name, at: place } of added.sort((a, b) => (a.at.path < b.at.path ? -1 : 1))) {
      made.push([name, this.#whole(place, restored(next[name] ?? null, undefined, declared(name)))]);
    }
    return {
      stored: Object.fromEntries(made.map(([name, shown]) => [name, shown.stored])),
      texts: made.map(([name, { text }]) => `${JSON.stringify(name)}:${text}`),
    };
  }

  #value(at: Place, before: Shown, next: Json, declared: Declared): Shown {
    const { stored, text } = before;
    if (isSame(next, stored)) return before;
    const place = placeOf(declared.type, next);
    if (isPlainObject(stored) && isJsonObject(next) && isReachable(stored, next, at.names)) {
      const made = this.members(at, { stored, members: memberTexts(text) }, next, (name) => ({ type: place.member(name) }));
      return { stored: made.stored, text: `{${made.texts.join(',')}}` };
    }
    if (!Array.isArray(stored) || !Array.isArray(next) || !standsInPlace(place.element, stored, next)) {
      return this.#whole(at, restored(next, stored, declared));
    }
    const texts = elementTexts(text);
    const made = next.map((each: Json, index) => {
      const element = { path: `${at.path}.${index}`, names: at.names };
      return this.#value(element, { stored: stored[index], text: texts[index] ?? '' }, each, { type: place.element(index) });
    });
    return { stored: made.map((each) => each.stored), text: `[${made.map((each) => each.text).join(',')}]` };
  }

  #whole({ path, names }: Place, stored: unknown): Shown {
    const text = JSON.stringify(toJson(stored));
    mustBeSendable(stored, `{${JSON.stringify(path.slice(path.lastIndexOf('.') + 1))}:${text}}`);
    this.set.set(path, inStoredNames(stored, names));
    return { stored, text };
  }
}

/** Whether no element has moved, come or gone; of plain values nobody can say which they were. */
function standsInPlace(typeAt: Parameters<typeof matchElements>[0], before: readonly unknown[], next: readonly Json[]): boolean {
  if (before.length !== next.length) return false;
  const matches = matchElements(typeAt, next, before.map(toJson));
  return next.every((each, at) => isSame(each, before[at]) || (isJsonObject(each) && matches[at] === at));
}

/** Whether paths name all that differs. The server puts new members that are numbers in an order of their own. */
function isReachable(before: BsonDocument, next: JsonObject, names: StoredNames | undefined): boolean {
  return [...new Set([...Object.keys(before), ...Object.keys(next)])].every((name) => {
    const [isThere, stays] = [Object.hasOwn(before, name), Object.hasOwn(next, name)];
    if (isThere && stays && isSame(next[name] ?? null, before[name])) return true;
    const storedName = names?.toStored(name) ?? name;
    return isPathPart(storedName) && (isThere || !/^\d+$/.test(storedName));
  });
}

function isPathPart(name: string): boolean {
  return name !== '' && !name.startsWith('$') && !name.includes('.');
}
