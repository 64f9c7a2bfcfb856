/**
 * The operations of a transaction (SEMANTICS §17): each says what a request of its own would be. An id that the transaction itself
 * gives is named where it is made (`as`) and where it goes (`refs`, by JSON Pointers into the body beside), so that whatever
 * stands in a body is data.
 */
import * as z from 'zod';
import { memberOf, stepsOf as pointerSteps } from '../changes/spot.ts';
import { resourcesOf } from '../contract/every-resource.ts';
import { bodiesOf, documentInvalid, errorsOf, inPlace, mustBody, patchBody } from '../contract/documents.ts';
import { isNamedByCallers } from '../contract/id-declarations.ts';
import { toIdValue } from '../contract/ids.ts';
import type { Resource } from '../contract/resource.ts';
import type { Unique } from '../contract/unique.ts';
import { Fault, type FieldError } from '../wire/fault.ts';
import { toPointer } from '../wire/json-pointer.ts';
import { limits } from '../wire/limits.ts';
import { copyOf, isJsonObject, type Json, type JsonObject } from '../wire/values.ts';
import {
  hasOneForm, idIn, oneFormOf, type Patch, patchForms, patchMembersOf, type PatchMembers, tagList, toPatch,
} from './changed-items.ts';
import { madeOnce } from '../remember.ts';

const alias = z.string().regex(/^[A-Za-z][A-Za-z0-9_-]{0,63}$/, 'a letter, and up to 63 letters, digits, hyphens and underscores');
const kinds = ['create', 'replace', 'upsert', 'patch', 'remove'] as const;

const step = z.strictObject({
  op: z.enum(kinds),
  resource: z.string(),
  id: z.union([z.string(), z.int(), z.strictObject({ ref: alias })]).optional(),
  by: z.array(z.string()).optional(),
  as: alias.optional(),
  body: z.record(z.string(), z.unknown()).optional(),
  merge: z.unknown().optional(),
  patch: z.unknown().optional(),
  changes: z.unknown().optional(),
  refs: z.record(z.string().startsWith('/', 'a JSON Pointer'), alias).optional(),
  ifMatch: tagList.optional(),
  ifNoneMatch: tagList.optional(),
});

export type Step = z.output<typeof step>;

const members: { readonly [Kind in Step['op']]: readonly (keyof Step)[] } = {
  create: ['as', 'body', 'refs'],
  replace: ['id', 'body', 'refs', 'ifMatch', 'ifNoneMatch'],
  upsert: ['by', 'as', 'body', 'refs', 'ifMatch', 'ifNoneMatch'],
  patch: ['id', ...patchForms, 'refs', 'ifMatch', 'ifNoneMatch'],
  remove: ['id', 'ifMatch', 'ifNoneMatch'],
};

/** What a step writes, once the ids that it refers to are known. */
export type StepWrite =
  | { readonly op: 'create'; readonly id: string | undefined; readonly value: JsonObject }
  | { readonly op: 'replace'; readonly id: string; readonly value: JsonObject; readonly sent: JsonObject }
  | Upsert
  | { readonly op: 'patch'; readonly id: string; readonly patch: Patch }
  | { readonly op: 'remove'; readonly id: string };

/** Of the document that has the key of the value, or of a new one: `id` where the value names it. */
export interface Upsert {
  readonly op: 'upsert';
  readonly id: string | undefined;
  readonly unique: Unique;
  readonly value: JsonObject;
  readonly sent: JsonObject;
}

/** By the names that steps before have given. */
export type GivenIds = ReadonlyMap<string, Json>;

export const stepsBody = madeOnce(toBody);

/** `every`: what stands for the resources of the contract. */
function toBody(every: Resource): z.ZodType<JsonObject> {
  const schema = z.strictObject({ operations: z.array(step).min(1).max(limits.writesTogetherMax) });
  const checked = schema.superRefine(({ operations }, context) => {
    for (const { at, detail } of mistakesIn(operations, every)) {
      context.addIssue({ code: 'custom', path: [...pointerSteps(at)], message: detail });
    }
  });
  return patchBody(checked, (body) => body);
}

/** Of a body that `stepsBody` took. */
export function stepsOf({ operations }: JsonObject): readonly Step[] {
  return operations as unknown as readonly Step[];
}

/** Where the body of a step stands in it; empty where it has none. */
export function bodyMemberOf(given: Step): string {
  return given.op === 'patch' ? (patchForms.find((form) => given[form] !== undefined) ?? '') : given.op === 'remove' ? '' : 'body';
}

function mistakesIn(steps: readonly Step[], every: Resource): readonly FieldError[] {
  const ids = new Map<string, Json>();
  return steps.flatMap((given, index): readonly FieldError[] => {
    const at = `/operations/${index}`;
    const resource = resourcesOf(every).get(given.resource);
    if (resource === undefined) return [{ at: `${at}/resource`, in: 'body', detail: 'no such resource' }];
    const errors = errorsOf(() => inPlace(at, () => {
      mustHaveMembers(given);
      if (given.as !== undefined && ids.has(given.as)) throw wrong('/as', 'is the name of an operation before');
      const write = toWrite(given, resource, ids);
      if (given.as !== undefined) ids.set(given.as, write.id === undefined ? placeholderOf(resource) : toIdValue(resource, write.id));
    }));
    // What refers to an operation that is wrong is not wrong for that.
    if (given.as !== undefined && !ids.has(given.as)) ids.set(given.as, placeholderOf(resource));
    return errors;
  });
}

/** An id that Tombolo could give. */
function placeholderOf({ id }: Resource): string {
  return id === 'objectId' ? '0'.repeat(24) : '00000000-0000-7000-8000-000000000000';
}

function wrong(at: string, detail: string): Fault {
  return documentInvalid([{ at, in: 'body', detail }]);
}

function mustHaveMembers(given: Step): void {
  const known = new Set<string>(['op', 'resource', ...members[given.op]]);
  const unknown = Object.keys(given).filter((name) => !known.has(name));
  if (unknown.length > 0) {
    throw documentInvalid(unknown.map((name) => ({ at: `/${name}`, in: 'body', detail: `is not taken by ${given.op}` })));
  }
  for (const name of ['id', 'by', 'body'] as const) if (known.has(name) && given[name] === undefined) throw wrong(`/${name}`, 'is missing');
  if (given.op === 'patch' && !hasOneForm(given as PatchMembers)) throw wrong('', oneFormOf);
}

/** Throws `document_invalid`, its pointers within the step. */
export function toWrite(given: Step, resource: Resource, ids: GivenIds): StepWrite {
  if (given.op === 'create') {
    const sent = bodyOf(given, ids);
    const { id, ...value } = inPlace('/body', () => mustBody(bodiesOf(resource).create, sent));
    return { op: 'create', id: typeof id === 'string' ? id : undefined, value };
  }
  if (given.op === 'upsert') return toUpsert(given, resource, ids);
  const id = toStepId(given, resource, ids);
  if (given.op === 'remove') return { op: 'remove', id };
  const body = bodyOf(given, ids);
  if (given.op === 'replace') {
    const value = inPlace('/body', () => mustBody(bodiesOf(resource).replace, body));
    return { op: 'replace', id, value, sent: body as JsonObject };
  }
  const form = bodyMemberOf(given) as Patch['form'];
  const patch = inPlace(`/${form}`, () => mustBody(patchMembersOf(resource)[form].unwrap(), body));
  return { op: 'patch', id, patch: toPatch({ [form]: patch }) };
}

function toUpsert(given: Step, resource: Resource, ids: GivenIds): Upsert {
  const { by = [] } = given;
  const unique = resource.unique.find(({ fields }) => fields.length === by.length && fields.every((path) => by.includes(path)));
  if (unique === undefined) {
    const known = resource.unique.map(({ fields }) => fields.join(' and ')).join(', or ');
    throw wrong('/by', `must name all fields of one unique key${known === '' ? ', of which there is none' : `: ${known}`}`);
  }
  const sent = bodyOf(given, ids) as JsonObject;
  const value = inPlace('/body', () => mustBody(bodiesOf(resource).replace, sent));
  const { id } = value;
  const isUnnamed = given.as !== undefined && id === undefined && isNamedByCallers(resource);
  if (isUnnamed) throw wrong('/body/id', 'is missing, and `as` stands for it');
  return { op: 'upsert', id: typeof id === 'string' ? id : undefined, unique, value, sent };
}

function toStepId({ id }: Step, resource: Resource, ids: GivenIds): string {
  const named = typeof id === 'object' ? mustRef(id.ref, '/id/ref', ids) : id;
  return inPlace('/id', () => {
    const parsed = idIn(resource).safeParse(named);
    if (!parsed.success) throw wrong('', parsed.error.issues[0]?.message ?? 'is no id');
    return parsed.data;
  });
}

/** What is sent, with the ids in it that the transaction gives: a copy, written once for each, however many there are. */
function bodyOf(given: Step, ids: GivenIds): Json {
  const sent = given[bodyMemberOf(given) as 'body' | 'merge'] as Json;
  if (given.refs === undefined) return sent;
  const body = copyOf(sent);
  for (const [pointer, name] of Object.entries(given.refs)) {
    const at = `/refs${toPointer([pointer])}`;
    const id = mustRef(name, at, ids);
    if (!put(body, pointerSteps(pointer), id)) throw wrong(at, 'leads to no place of the body');
  }
  return body;
}

function mustRef(name: string, at: string, ids: GivenIds): Json {
  const id = ids.get(name);
  if (id === undefined) throw wrong(at, 'is the name of no operation before');
  return id;
}

/** Into a member of an object, or an element that is there; false: there is no such place. */
function put(body: Json, steps: readonly string[], value: Json): boolean {
  const last = steps.at(-1) ?? '';
  const holder = steps.slice(0, -1).reduce<Json | undefined>((held, step) => held && memberOf(held, step), body);
  const isPlace = Array.isArray(holder) ? memberOf(holder, last) !== undefined : isJsonObject(holder) && last !== '__proto__';
  return isPlace && Reflect.set(holder as object, last, value);
}
