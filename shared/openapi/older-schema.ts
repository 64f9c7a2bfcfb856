/** A JSON Schema of the current version as an older one has it: what its documents and bodies are there. */
import { type Change, targetOf } from '../versions/changes.ts';
import type { Translation } from '../versions/translation.ts';
import type { Json, JsonObject } from '../wire/values.ts';
import { toJsonSchema } from './json-schema.ts';

/** A schema that is being changed. */
type Draft = { [name: string]: Json | Draft };

export function olderSchema(schema: JsonObject, translation: Translation): JsonObject {
  const draft = structuredClone(schema) as Draft;
  for (const changes of translation.changes.toReversed()) putBack(draft, changes);
  return draft as JsonObject;
}

function putBack(schema: Draft, changes: readonly Change[]): void {
  const taken: { readonly path: string; readonly part: Json | Draft; readonly isRequired: boolean }[] = [];
  for (const change of changes) {
    const path = targetOf(change);
    if (change.kind === 'converted') setAt(schema, path, toJsonSchema(change.schema, 'input', '#') as Draft, isRequiredAt(schema, path));
    else if (change.kind === 'moved') {
      const part = partAt(schema, path) ?? (undescribedAbove(schema, path) === undefined ? undefined : {});
      if (part !== undefined) taken.push({ path: change.old, part, isRequired: isRequiredAt(schema, path) });
    }
  }
  for (const change of changes) {
    const path = targetOf(change);
    if (change.kind === 'moved') removeAt(schema, undescribedAbove(schema, path) ?? path);
    else if (change.kind === 'added') removeAt(schema, path);
  }
  for (const { path, part, isRequired } of taken) setAt(schema, path, part, isRequired);
}

/** Where the members of a schema are described: of its elements where it is an array, and past `null`. */
function membersOf(schema: Json | Draft | undefined): Draft | undefined {
  if (!isDraft(schema)) return undefined;
  if (isDraft(schema['properties'])) return schema;
  if (schema['items'] !== undefined) return membersOf(schema['items']);
  const { anyOf } = schema;
  return Array.isArray(anyOf) ? anyOf.map((each: Json) => membersOf(each)).find((found) => found !== undefined) : undefined;
}

function isDraft(value: Json | Draft | undefined): value is Draft {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function propertiesOf(schema: Draft): Draft {
  const { properties } = schema;
  return isDraft(properties) ? properties : {};
}

/** The schema that names a member, and the member's name. */
function holderOf(schema: Draft, path: string): { readonly holder: Draft | undefined; readonly name: string } {
  const steps = path.split('.');
  const name = steps.pop() ?? '';
  let holder = membersOf(schema);
  for (const step of steps) holder = holder === undefined ? undefined : membersOf(propertiesOf(holder)[step]);
  return { holder, name };
}

function partAt(schema: Draft, path: string): Json | Draft | undefined {
  const { holder, name } = holderOf(schema, path);
  return holder === undefined ? undefined : propertiesOf(holder)[name];
}

/** What a patch may hold of an object is not described: the object as a whole stands for its members. */
function undescribedAbove(schema: Draft, path: string): string | undefined {
  const steps = path.split('.');
  return steps.slice(1).map((_step, index) => steps.slice(0, index + 1).join('.')).find((above) => {
    const part = partAt(schema, above);
    return part !== undefined && membersOf(part) === undefined;
  });
}

function isRequiredAt(schema: Draft, path: string): boolean {
  const steps = path.split('.');
  return steps.every((_step, index) => {
    const { holder, name } = holderOf(schema, steps.slice(0, index + 1).join('.'));
    return holder !== undefined && requiredOf(holder).includes(name);
  });
}

function requiredOf({ required }: Draft): readonly Json[] {
  return Array.isArray(required) ? (required as readonly Json[]) : [];
}

/** An object that nothing is left of goes too. */
function removeAt(schema: Draft, path: string): void {
  const { holder, name } = holderOf(schema, path);
  if (holder === undefined) return;
  const properties = propertiesOf(holder);
  delete properties[name];
  setRequired(holder, requiredOf(holder).filter((each) => each !== name));
  const above = path.slice(0, Math.max(0, path.lastIndexOf('.')));
  if (Object.keys(properties).length === 0 && above !== '') removeAt(schema, above);
}

function setAt(schema: Draft, path: string, part: Json | Draft, isRequired: boolean): void {
  const steps = path.split('.');
  const name = steps.pop() ?? '';
  let holder = membersOf(schema);
  for (const step of steps) {
    if (holder === undefined) return;
    const properties = propertiesOf(holder);
    properties[step] ??= { type: 'object', properties: {} as Draft, additionalProperties: false };
    holder = membersOf(properties[step]);
  }
  if (holder === undefined) return;
  propertiesOf(holder)[name] = part;
  setRequired(holder, [...requiredOf(holder).filter((each) => each !== name), ...(isRequired ? [name] : [])]);
}

/** An empty list is none: JSON Schema of before 2019 takes no empty one. */
function setRequired(holder: Draft, names: readonly Json[]): void {
  if (names.length === 0) delete holder['required'];
  else holder['required'] = names;
}
