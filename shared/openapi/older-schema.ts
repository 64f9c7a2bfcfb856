/** A JSON Schema of the current version as an older one has it: what `Level` does to documents, done to what describes them. */
import type { Draft } from '../contract/draft.ts';
import { type Converted, newPlacesOf } from '../versions/changes.ts';
import type { Level } from '../versions/level.ts';
import { movesOf, removalsOf } from '../versions/places.ts';
import type { Translation } from '../versions/translation.ts';
import { copyOf, isJsonObject, type Json, type JsonObject } from '../wire/values.ts';
import { toJsonSchema } from './json-schema.ts';
import { changedPlaces, retell, sink } from './older-values.ts';
import { asSchema, branchesOf, eitherOf, membersOf, orNull, requiredOf, setRequired, takesNull } from './schema-nodes.ts';

/** `place`: where the schema stands in the description, as its references have it. */
export function olderSchema(schema: JsonObject, { levels }: Translation, place: string): JsonObject {
  const draft: Draft = copyOf(schema);
  for (const level of levels.toReversed()) putBack(draft, level, (ref) => targetIn(schema, ref.slice(place.length)));
  return draft as JsonObject;
}

function targetIn(schema: JsonObject, pointer: string): JsonObject {
  const steps = pointer.split('/').slice(1);
  const found = steps.reduce<Json | undefined>((at, step) => (at !== undefined && isJsonObject(at) ? at[step] : undefined), schema);
  return found !== undefined && isJsonObject(found) ? found : {};
}

/** What a reference inside the schema stands for. */
type TargetOf = (ref: string) => JsonObject;

/** All at once, as values change: two places may have changed their names. */
function putBack(root: Draft, level: Level, target: TargetOf): void {
  const { changes, now, old } = level;
  const at = (path: string) => placesAt(root, path, target);
  for (const move of movesOf(changes)) sinkAlong(root, move.now, level, target);
  for (const path of changedPlaces(level)) {
    for (const { schema } of path === '' ? [{ schema: root }] : at(path)) retell(schema, path, level);
  }
  for (const change of changes) if (change.kind === 'converted') for (const place of at(change.at)) convert(place, change);
  const moved = movesOf(changes).flatMap((move) => {
    const { holder, from, to } = toBranches(move.old, move.now);
    return objectsAt(root, holder, target).flatMap((object) => {
      const part = partOf(object, from, target);
      return part === undefined ? [] : [{ object, to, part }];
    });
  });
  for (const path of [...newPlacesOf(changes), ...[...now.keys()].filter((each) => !old.has(each))]) {
    for (const { object, name } of at(path)) remove(object, name);
  }
  for (const { object, to } of moved) loosen(object, to, target, false);
  for (const { object, to, part } of moved) put(object, to, part, target);
  for (const { at: path, schema } of removalsOf(changes)) {
    const part = { schema: copyOf(toJsonSchema(schema, 'input')), isRequired: false };
    for (const object of objectsIn(root, target)) put(object, path.split('.'), part, target);
  }
}

/** What moves does so within each object that holds both its places: in a union, within each branch. */
function toBranches(old: string, now: string): Readonly<Record<'holder' | 'from' | 'to', readonly string[]>> {
  const [from, to] = [now.split('.'), old.split('.')];
  const apart = from.findIndex((step, index) => step !== to[index] || index === from.length - 1 || index === to.length - 1);
  return { holder: from.slice(0, apart), from: from.slice(apart), to: to.slice(apart) };
}

/** A member that a schema names, and the object schema that does. */
interface Named {
  readonly object: Draft;
  readonly name: string;
  readonly schema: Draft;
}

function placesAt(root: Draft, path: string, target: TargetOf): readonly Named[] {
  const above = path.split('.');
  const name = above.pop() ?? '';
  return objectsAt(root, above, target).flatMap((object) => {
    const schema = asSchema(membersOf(object)[name]);
    return schema === undefined ? [] : [{ object, name, schema }];
  });
}

function objectsAt(root: Draft, steps: readonly string[], target: TargetOf): readonly Draft[] {
  return steps.reduce<readonly Draft[]>(
    (objects, step) => objects.flatMap((object) => objectsIn(membersOf(object)[step], target)), objectsIn(root, target),
  );
}

/** The schemas of the objects that a value may be: past `null`, of an array its elements, of a union each branch. */
function objectsIn(node: Json | Draft | undefined, target: TargetOf): readonly Draft[] {
  const schema = asSchema(node);
  if (schema === undefined) return [];
  const { $ref, oneOf, ...rest } = schema;
  // A type that is used in several places changes in this one alone.
  if (typeof $ref === 'string') {
    delete schema['$ref'];
    Object.assign(schema, copyOf(target($ref)), rest);
    return objectsIn(schema, target);
  }
  // Branches that lose what tells them apart may hold together.
  if (oneOf !== undefined) {
    delete schema['oneOf'];
    schema['anyOf'] = oneOf;
  }
  return schema['type'] === 'object' ? [schema] : branchesOf(schema).flatMap((branch) => objectsIn(branch, target));
}

/** What is described of one place of an object, and whether each such object has it, if it be as `null`. */
interface Part {
  readonly schema: Draft;
  readonly isRequired: boolean;
}

function partOf(object: Draft, [step = '', ...rest]: readonly string[], target: TargetOf): Part | undefined {
  const schema = asSchema(membersOf(object)[step]);
  if (schema === undefined) return undefined;
  const isRequired = requiredOf(object).includes(step);
  if (rest.length === 0) return { schema, isRequired };
  const objects = objectsIn(schema, target);
  // What takes anything says nothing of its members.
  if (objects.length === 0) return { schema: {}, isRequired: false };
  const parts = objects.map((inner) => partOf(inner, rest, target));
  const found = parts.filter((part) => part !== undefined);
  if (found.length === 0) return undefined;
  const either = eitherOf(found.map((part) => part.schema));
  return {
    schema: takesNull(schema) ? orNull(either) : either,
    isRequired: isRequired && parts.every((part) => part?.isRequired === true),
  };
}

function remove(object: Draft, name: string): void {
  delete membersOf(object)[name];
  setRequired(object, requiredOf(object).filter((each) => each !== name));
}

/** An object that is made for what moves into it may have nothing else. */
function loosen(object: Draft, [step = '', ...rest]: readonly string[], target: TargetOf, mayBeMade: boolean): void {
  const schema = membersOf(object)[step];
  const isSure = requiredOf(object).includes(step) && !takesNull(schema);
  if (mayBeMade) delete object['required'];
  if (rest.length > 0) for (const inner of objectsIn(schema, target)) loosen(inner, rest, target, mayBeMade || !isSure);
}

function put(object: Draft, [step = '', ...rest]: readonly string[], part: Part, target: TargetOf): void {
  const members = membersOf(object);
  const { additionalProperties: others } = object;
  if (rest.length === 0) members[step] = part.schema;
  else members[step] ??= { type: 'object', properties: {} as Draft, ...(others === undefined ? {} : { additionalProperties: others }) };
  if (rest.length > 0) for (const inner of objectsIn(members[step], target)) put(inner, rest, part, target);
  if (part.isRequired) setRequired(object, [...requiredOf(object).filter((each) => each !== step), step]);
}

/** Words and values are those of the place; what stood there as `null` still does. */
function convert({ object, name, schema }: Named, change: Converted): void {
  const kept = Object.entries(schema).filter(([word]) => ['description', 'readOnly', 'default', 'examples'].includes(word));
  const told: Draft = copyOf(toJsonSchema(change.schema, 'input'));
  membersOf(object)[name] = { ...Object.fromEntries(kept), ...(takesNull(schema) ? orNull(told) : told) };
}

/** Members that leave an object that the older version does not have take along the values that are named for it. */
function sinkAlong(root: Draft, now: string, { old }: Level, target: TargetOf): void {
  const steps = now.split('.');
  for (let depth = 1; depth < steps.length; depth++) {
    const [holder, name = ''] = [steps.slice(0, depth).join('.'), steps[depth]];
    if (old.has(holder)) continue;
    for (const { schema } of placesAt(root, holder, target)) {
      for (const object of objectsIn(schema, target)) {
        const member = asSchema(membersOf(object)[name]);
        if (member !== undefined) sink(schema, name, member);
      }
    }
  }
}
