/**
 * A write is the set of paths that differ (SEMANTICS §17): what was written is laid over what is stored. Where both
 * say the same, the stored value stays as it is; what the schema does not name stays, at any depth (§16). Where it is
 * served it may be sent back as it was served, and is refused otherwise.
 */
import { documentInvalid } from './documents.ts';
import { declaredIn, matchElements } from './elements.ts';
import type { FieldError } from '../wire/fault.ts';
import { toPointer } from '../wire/json-pointer.ts';
import { mergePatch } from './merge-patch.ts';
import type { Resource } from './resource.ts';
import { isChoice, placeOf, undeclaredOf } from './schema-places.ts';
import type { Type } from './schema-tree.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../wire/values.ts';

/** A whole document in the place of a stored one, or refused for what it names that nobody knows. */
export function mustReplaced(
  resource: Resource,
  { sent, parsed }: { readonly sent: JsonObject; readonly parsed: JsonObject },
  stored: JsonObject,
): JsonObject {
  mustKnow(resource, sent, stored);
  return settledObject(resource.schema, { sent, parsed }, stored);
}

/**
 * `stored`, as its caller saw it, is `undefined` where the document is new. What is not served is refused by its name alone:
 * the answer must not tell whether a guess of its value is right. A value that is merged into what is stored is of the branch
 * that results.
 */
export function mustKnow(
  { schema, extra }: Resource,
  sent: JsonObject,
  stored: JsonObject | undefined,
  how: 'whole' | 'merged' = 'whole',
): void {
  const unknown = unknownMembers(schema, sent, { stored, isServed: extra === 'serve', isMerged: how === 'merged' }, []);
  if (unknown.length > 0) throw documentInvalid(unknown);
}

/**
 * What a value names that no stored one makes known: it is refused wherever it is put, or, `merged`, laid over. Not for a resource
 * that serves what it does not declare, which may be sent back.
 */
export function unknownAnywhere(type: Type, sent: Json, how: 'whole' | 'merged'): readonly FieldError[] {
  return unknownMembers(type, sent, { stored: undefined, isServed: false, isMerged: how === 'merged', isUnread: true }, []);
}

/** `parsed` is what the schema made of what was sent. */
interface Written {
  readonly sent: Json;
  readonly parsed: Json;
}

export function settled(type: Type | undefined, { sent, parsed }: Written, stored: Json | undefined): Json {
  if (stored === undefined) return parsed;
  if (isSameJson(sent, stored)) return stored;
  if (isJsonObject(sent) && isJsonObject(parsed) && isJsonObject(stored)) return settledObject(type, { sent, parsed }, stored);
  if (!Array.isArray(sent) || !Array.isArray(parsed) || !Array.isArray(stored) || parsed.length !== sent.length) return parsed;
  const { element } = placeOf(type, sent);
  const matches = matchElements(element, parsed, stored, sent);
  return parsed.map((each: Json, index) =>
    settled(element(index), { sent: sent[index] ?? null, parsed: each }, storedAt(stored, matches[index])),
  );
}

/** Members in the order that they are stored in, new ones behind. */
function settledObject(
  type: Type | undefined,
  { sent, parsed }: { readonly sent: JsonObject; readonly parsed: JsonObject },
  stored: JsonObject,
): JsonObject {
  const place = placeOf(type, sent);
  // By the branch that the stored value is of: what was not served of it was not there to be sent back.
  const undeclared = undeclaredOf(placeOf(type, stored), stored);
  const kept = new Set(undeclared.filter((name) => !place.isClosed || place.member(name) === undefined));
  const written = (name: string, value: Json): Json =>
    settled(place.member(name), { sent: sent[name] ?? null, parsed: value }, ownOf(stored, name));
  const members = new Map<string, Json>();
  for (const name of Object.keys(stored)) {
    const value = ownOf(parsed, name);
    if (value !== undefined) members.set(name, Object.hasOwn(sent, name) ? written(name, value) : value);
    else if (kept.has(name)) members.set(name, stored[name] ?? null);
  }
  for (const [name, value] of Object.entries(parsed)) if (!members.has(name) && value !== undefined) members.set(name, value);
  return Object.fromEntries(members);
}

/** What stands where something was sent, and whether what the schema does not name in it is served. */
interface Standing {
  readonly stored: Json | undefined;
  readonly isServed: boolean;
  readonly isMerged: boolean;
  /** Nobody has looked at what is stored: nothing is said of what depends on it. */
  readonly isUnread?: true;
}

/** The value that an object leaves where it is merged into another, for whoever chooses a branch by it. */
function toMerged(type: Type | undefined, sent: Json, { stored, isServed, isMerged }: Standing): Json {
  if (!isMerged || type === undefined || !isJsonObject(stored) || !isChoice(type)) return sent;
  return mergePatch(isServed ? stored : declaredIn(stored, type), sent);
}

/** What names a member that the schema does not, unless it is one that was served and is sent back as it is. */
function unknownMembers(
  type: Type | undefined,
  sent: Json,
  standing: Standing,
  path: readonly PropertyKey[],
): readonly FieldError[] {
  if (sent === null || typeof sent !== 'object') return [];
  const { stored, isUnread = false } = standing;
  if (isUnread && standing.isMerged && type !== undefined && isChoice(type)) return [];
  const place = placeOf(type, toMerged(type, sent, standing));
  const below = { ...standing, isServed: standing.isServed || place.isMade };
  if (isUnread && below.isServed) return [];
  if (Array.isArray(sent)) {
    const old: readonly Json[] = Array.isArray(stored) ? stored : [];
    const matches = matchElements(place.element, sent, old);
    return sent.flatMap((each: Json, index) =>
      unknownMembers(place.element(index), each, { ...below, stored: storedAt(old, matches[index]), isMerged: false }, [...path, index]),
    );
  }
  const old = isJsonObject(stored) ? stored : {};
  const unnamed = undeclaredOf(place, sent as JsonObject);
  // Nothing further is in it, as in a row of an import: a thirtieth of what that row costs.
  if (unnamed.length === 0 && !Object.values(sent).some((value) => value !== null && typeof value === 'object')) return [];
  const undeclared = new Set(unnamed);
  // A patch into another branch takes out what the branch that is left names.
  const left = standing.isMerged && undeclared.size > 0 ? placeOf(type, old) : undefined;
  return Object.entries(sent).flatMap(([name, value]): readonly FieldError[] => {
    const at = [...path, name];
    if (value === null && left?.member(name) !== undefined) return [];
    if (!undeclared.has(name)) return unknownMembers(place.member(name), value, { ...below, stored: ownOf(old, name) }, at);
    const isKept = below.isServed && Object.hasOwn(old, name) && isSameJson(value, old[name]);
    return isKept ? [] : [{ at: toPointer(at), in: 'body', detail: 'unknown field' }];
  });
}

/** Whatever the order of their members. Nothing is written out for it: a patch compares at every level. */
export function isSameJson(left: Json | undefined, right: Json | undefined): boolean {
  if (left === right) return true;
  if (typeof left !== 'object' || typeof right !== 'object' || left === null || right === null) return false;
  if (Array.isArray(left) || Array.isArray(right)) return Array.isArray(left) && Array.isArray(right) && isSameArray(left, right);
  const names = Object.keys(left);
  return (
    names.length === Object.keys(right).length &&
    names.every((name) => Object.hasOwn(right, name) && isSameJson(ownOf(left as JsonObject, name), ownOf(right as JsonObject, name)))
  );
}

function isSameArray(left: readonly Json[], right: readonly Json[]): boolean {
  return left.length === right.length && left.every((each, index) => isSameJson(each, right[index]));
}

function storedAt(stored: readonly Json[], index: number | undefined): Json | undefined {
  return index === undefined ? undefined : stored[index];
}
