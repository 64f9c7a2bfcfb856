/**
 * A stored document with a merge patch applied (RFC 7396). What the patch names passes its type, and its transforms,
 * once; what it does not name keeps value and type at every depth, whatever is wrong with it (SEMANTICS §4, §16, §17).
 */
import * as z from 'zod';
import type { DocumentSchema } from './document-schema.ts';
import { documentInvalid, isNobodysName, toFieldErrors } from './documents.ts';
import { declaredIn, toldElements } from './elements.ts';
import { mergePatch } from './merge-patch.ts';
import { Kept, keeping, unwrapped } from './open-schema.ts';
import type { Resource } from './resource.ts';
import { definitionOf, discriminated, placeOf } from './schema-places.ts';
import type { Type } from './schema-tree.ts';
import { isSameJson, mustKnow, settled } from './settled.ts';
import { toPointer } from '../wire/json-pointer.ts';
import { isJsonObject, type Json, type JsonObject, ownOf } from '../wire/values.ts';
import { madeOnce } from '../remember.ts';

/** `shown` is what the caller saw of it: an answer on what the schema does not name tells of nothing else. */
export function mustPatched(resource: Resource, stored: JsonObject, patch: JsonObject, shown = stored): JsonObject {
  mustKnow(resource, patch, shown, 'merged');
  const marked = toMarked(resource, resource.schema, stored, patch);
  const parsed = schemaOf(resource).safeParse(marked);
  if (!parsed.success) throw documentInvalid(toFieldErrors(parsed.error));
  return asDocument(settled(resource.schema, { sent: unmarked(marked), parsed: asDocument(parsed.data) }, stored));
}

/** A document as its caller saw it, and as it is to be. */
interface Changed {
  readonly seen: JsonObject;
  readonly after: JsonObject;
}

/**
 * A stored document of which what its caller saw has become something else, place by place. What differs passes its type; what
 * is the same stays, whatever is wrong with it.
 */
export function mustChanged(resource: Resource, stored: JsonObject, { seen, after }: Changed): JsonObject {
  const added = Object.keys(after).filter((name) => !Object.hasOwn(seen, name) && isNobodysName(resource, name));
  if (added.length > 0) throw documentInvalid(added.map((name) => ({ at: toPointer([name]), in: 'body', detail: 'unknown field' })));
  mustKnow(resource, after, seen);
  const parsed = schemaOf(resource).safeParse(toMarkedChange(resource.schema, seen, after));
  if (!parsed.success) throw documentInvalid(toFieldErrors(parsed.error));
  return asDocument(settled(resource.schema, { sent: after, parsed: asDocument(parsed.data) }, stored));
}

/** What is to be, with what is as it was marked, as far as types look at members one by one. */
function toMarkedChange(type: Type | undefined, seen: Json | undefined, after: Json): unknown {
  if (type === undefined) return after;
  if (Array.isArray(seen) && Array.isArray(after)) return toMarkedElements(type, seen, after);
  if (!isJsonObject(seen) || !isJsonObject(after)) return after;
  const definition = definitionOf(unwrapped(type));
  if (definition.type === 'union' && 'discriminator' in definition) {
    const discriminator = String(definition.discriminator);
    const [branch] = after[discriminator] === seen[discriminator] ? discriminated(definition.options, discriminator, after) : [];
    if (branch === undefined) return after;
    return { ...(toMarkedChange(branch, seen, after) as object), [discriminator]: after[discriminator] };
  }
  if (definition.type !== 'object' && definition.type !== 'record') return after;
  const place = placeOf(type, after);
  const names = definition.type === 'object' ? Object.keys(definition.shape) : [];
  const members = [...new Set([...names, ...Object.keys(after)])].flatMap((name): [string, unknown][] => {
    const value = ownOf(after, name);
    if (isSameJson(value, ownOf(seen, name))) return [[name, new Kept(value)]];
    return value === undefined ? [] : [[name, toMarkedChange(place.member(name), ownOf(seen, name), value)]];
  });
  return Object.fromEntries(members);
}

/** Elements are told apart where the array was made of the other one by one. */
function toMarkedElements(type: Type, seen: readonly Json[], after: readonly Json[]): unknown {
  const matches = definitionOf(unwrapped(type)).type === 'array' ? toldElements(after) : undefined;
  if (matches === undefined) return after;
  const { element } = placeOf(type, after);
  return after.map((each, index) => {
    const stood = seen[matches[index] ?? -1];
    return stood !== undefined && isSameJson(each, stood) ? new Kept(each) : toMarkedChange(element(index), stood, each);
  });
}

const schemaOf = madeOnce(({ schema }: Resource): DocumentSchema => keeping(schema));

/** The merged value with what the patch does not name marked, as far as types look at members one by one. */
function toMarked(resource: Resource, type: Type | undefined, stored: Json | undefined, patch: Json): unknown {
  if (type === undefined || !isJsonObject(patch) || !isJsonObject(stored)) return mergePatch(stored, patch);
  const definition = definitionOf(unwrapped(type));
  if (definition.type !== 'object' && definition.type !== 'record') return toMarkedBranch(resource, type, stored, patch);
  const place = placeOf(type, stored);
  const names = definition.type === 'object' ? Object.keys(definition.shape) : [];
  const marked = new Map<string, unknown>();
  for (const name of new Set([...names, ...Object.keys(stored)])) {
    const isDeclared = place.member(name) !== undefined || !place.isClosed;
    if (isDeclared && !Object.hasOwn(patch, name)) marked.set(name, new Kept(ownOf(stored, name)));
  }
  for (const [name, value] of Object.entries(patch)) {
    const member = place.member(name);
    if (value !== null || isSetToNull(member)) marked.set(name, toMarked(resource, member, ownOf(stored, name), value));
  }
  return Object.fromEntries(marked);
}

/** A document must have this member, and it may be null: a null takes away nothing that could go, and is meant. */
function isSetToNull(type: Type | undefined): boolean {
  return type !== undefined && !z.safeParse(type, undefined).success && z.safeParse(type, null).success;
}

/**
 * In a discriminated union the branch of the merged value says what is kept; the discriminator is validated. What the stored
 * branch does not name is not served, so no other branch takes it up, nor is it told to be wrong there (SEMANTICS §16).
 */
function toMarkedBranch(resource: Resource, type: Type, stored: JsonObject, patch: JsonObject): unknown {
  const merged = asDocument(mergePatch(resource.extra === 'serve' ? stored : declaredIn(stored, type), patch));
  const definition = definitionOf(unwrapped(type));
  if (definition.type !== 'union' || !('discriminator' in definition)) return merged;
  const discriminator = String(definition.discriminator);
  const [branch] = discriminated(definition.options, discriminator, merged);
  if (branch === undefined || merged[discriminator] !== stored[discriminator]) return merged;
  const marked = toMarked(resource, branch, stored, patch);
  return { ...(marked as object), [discriminator]: merged[discriminator] };
}

/** What the types are shown, with what is kept in its place. */
function unmarked(value: unknown): Json {
  if (value instanceof Kept) return value.value as Json;
  if (!isJsonObject(value)) return value as Json;
  const members = Object.entries(value).map(([name, each]) => [name, unmarked(each)] as const);
  return Object.fromEntries(members.filter(([, each]) => each !== undefined));
}

/** What a document's schema makes of a document, and what is laid over one, is one. */
function asDocument(value: unknown): JsonObject {
  return value as JsonObject;
}
