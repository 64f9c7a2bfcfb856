/** Bodies of writes: the one place where a client's JSON becomes a document (SEMANTICS §4). */
import * as z from 'zod';
import { type BodyError, toBodyErrors } from './body-errors.ts';
import { Fault, type FieldError } from '../wire/fault.ts';
import { readonlyPaths } from './given-fields.ts';
import { isNamedByCallers } from './id-declarations.ts';
import { idForm, isLongId, isNameable, toCanonicalId } from './ids.ts';
import { toPointer } from '../wire/json-pointer.ts';
import { type DocumentSchema, eitherOf, memberTypes, objectsOf, withObjects } from './document-schema.ts';
import { closed, opened, unwrapped } from './open-schema.ts';
import { isClosedObject } from './schema-places.ts';
import type { Resource } from './resource.ts';
import { isReservedName } from './reserved-names.ts';
import { keptNamesOf } from './system-fields.ts';
import { isJsonObject, type JsonObject } from '../wire/values.ts';

export interface Bodies {
  /** An id that a caller gives. */
  readonly id: z.ZodType<string>;
  readonly create: z.ZodType<JsonObject>;
  /** A create without its id, as rows of an import have it. */
  readonly fields: z.ZodType<JsonObject>;
  readonly replace: z.ZodType<JsonObject>;
  readonly patch: z.ZodType<JsonObject>;
}

const madeBodies = new WeakMap<Resource, Bodies>();

export function bodiesOf(resource: Resource): Bodies {
  const made = madeBodies.get(resource) ?? toBodies(resource);
  madeBodies.set(resource, made);
  return made;
}

function toBodies(resource: Resource): Bodies {
  const schema = needingLess(resource, opened(resource.schema));
  const strict = needingLess(resource, closed(resource.schema));
  const isNamed = isNamedByCallers(resource);
  const named = isNamed ? withObjects(strict, (object) => object.extend({ id: idSchema(resource) })) : strict;
  const patch = z.looseObject(Object.fromEntries([...memberTypes(schema)].map(([name, types]) => [name, toPatchType(types)])));
  const idBack = resource.idKind === 'integer' ? z.union([z.number(), z.string()]).transform(String) : z.string();
  // What Tombolo keeps may stand in a replacement, so that a document can be read, edited and put back.
  const kept = Object.fromEntries(Object.values(resource.system).map((name) => [name, z.unknown().optional()]));
  const readBack = { ...kept, id: idBack.pipe(z.string().overwrite((given) => toCanonicalId(resource, given))).optional() };
  const nobodys = (...but: readonly string[]) => namesOfNobody(resource, but);
  return {
    id: idSchema(resource),
    create: shownAs(withoutReadonly(resource, named), toBody(named, nobodys(...(isNamed ? ['id'] : [])))),
    fields: toBody(schema, nobodys()),
    replace: shownAs(
      withObjects(strict, (object) => object.extend(readBack)),
      toBody(withObjects(schema, (object) => object.extend(readBack)), nobodys(...Object.keys(readBack))),
    ),
    patch: shownAs(toShownPatch(strict), toBody(patch, nobodys(), (sent) => sent)),
  };
}

/** What the caller's claims fill need not be given. */
function needingLess(resource: Resource, schema: DocumentSchema): DocumentSchema {
  return changedMembers(schema, Object.keys(resource.defaults), (object, names) => object.partial(namesOf(names)));
}

/** Nobody gives what nobody may write. */
function withoutReadonly(resource: Resource, schema: DocumentSchema): DocumentSchema {
  return changedMembers(schema, readonlyPaths(resource), (object, found) => object.omit(namesOf(found)));
}

function changedMembers(
  schema: DocumentSchema, names: readonly string[], change: (object: z.ZodObject, found: readonly string[]) => z.ZodObject,
): DocumentSchema {
  return withObjects(schema, (object) => {
    const found = names.filter((name) => Object.hasOwn(object.shape, name));
    return found.length === 0 ? object : change(object, found);
  });
}

function namesOf(names: readonly string[]): Readonly<Record<string, true>> {
  return Object.fromEntries(names.map((name) => [name, true]));
}

const shown = new WeakMap<z.core.$ZodType, z.core.$ZodType>();

/** What a body is described as: its own type is opened to members that are compared with what is stored. */
function shownAs<Body extends z.ZodType>(type: z.core.$ZodType, body: Body): Body {
  shown.set(body, type);
  return body;
}

/** The type that tells what a body may be; of a body that is none of ours, its own. */
export function shownOf(body: z.core.$ZodType): z.core.$ZodType {
  return shown.get(body) ?? body;
}

/** A patch that could succeed: it takes away no member that a document must have. */
function toShownPatch(schema: DocumentSchema): z.ZodObject {
  const members = [...memberTypes(schema)].map(([name, types]): [string, z.core.$ZodType] => {
    const isDemanded = types.some((type) => type._zod.optin === undefined);
    return [name, isDemanded ? z.optional(eitherOf(types)) : (toShownMerge(types) ?? toPatchType(types))];
  });
  const isClosed = objectsOf(schema).every(({ def }) => isClosedObject(def));
  return (isClosed ? z.strictObject : z.looseObject)(Object.fromEntries(members));
}

/** An object merges: what may stand in it is described like the patch itself. `undefined` for what is no one object. */
function toShownMerge(types: readonly z.core.$ZodType[]): z.ZodType | undefined {
  const [type, ...others] = types.map(unwrapped);
  if (!(type instanceof z.ZodObject) || others.length > 0) return undefined;
  return z.nullish(toShownPatch(type));
}

/** Whether a name stands for no member, though the schema takes any: Tombolo's own, and what no update of MongoDB can name. */
type IsNobodys = (name: string) => boolean;

function namesOfNobody(resource: Resource, but: readonly string[]): IsNobodys {
  if (objectsOf(resource.schema).every(({ def }) => isClosedObject(def))) return () => false;
  const own = new Set(['_id', ...keptNamesOf(resource)].filter((name) => !but.includes(name)));
  return (name) => own.has(name) || name === '' || name.startsWith('$') || name.includes('.');
}

/** Whether a patch can make no member of this name in a document of the resource. */
export function isNobodysName(resource: Resource, name: string): boolean {
  return namesOfNobody(resource, [])(name);
}

/** A body that is no document's: what an endpoint takes. */
export function bodyOf(schema: z.ZodObject): z.ZodType<JsonObject> {
  const body = closed(schema);
  return shownAs(body, toBody(body, () => false));
}

/** A body that says what is to change, and may be a list; `take` makes an object of it. */
export function patchBody(schema: z.ZodType, take: (parsed: JsonObject) => JsonObject, described = schema): z.ZodType<JsonObject> {
  return shownAs(described, toBody(schema, () => false, (_sent, parsed) => take(parsed)));
}

/** What a list is to the first, and anything else to the second. It is described as the first. */
export function listOrOne(list: z.ZodType<JsonObject>, one: z.ZodType<JsonObject>): z.ZodType<JsonObject> {
  return shownAs(list, z.unknown().transform((sent, context) => {
    const parsed = (Array.isArray(sent) ? list : one).safeParse(sent);
    if (parsed.success) return parsed.data;
    for (const { path, message } of parsed.error.issues) context.issues.push({ code: 'custom', path: [...path], message, input: sent });
    return z.NEVER;
  }));
}

/**
 * A body of this schema, once nothing in it is what no schema lets through. `take` chooses what it is to those behind:
 * what the schema made of it, or what was sent.
 */
function toBody(
  schema: z.ZodType,
  isNobodys: IsNobodys,
  take: (sent: JsonObject, parsed: JsonObject) => JsonObject = (_sent, parsed) => parsed,
): z.ZodType<JsonObject> {
  const body = z.unknown().transform((sent, context) => {
    const nobodys = isJsonObject(sent) ? Object.keys(sent).filter(isNobodys) : [];
    const errors = [...toBodyErrors(sent), ...nobodys.map((name) => ({ path: [name], message: 'unknown field' }))];
    const parsed = errors.length > 0 ? undefined : schema.safeParse(sent);
    if (parsed?.success === true) return take(sent as JsonObject, parsed.data as JsonObject);
    for (const { path, message } of parsed === undefined ? errors : toPlainErrors(parsed.error)) {
      context.issues.push({ code: 'custom', path: [...path], message, input: sent });
    }
    return z.NEVER;
  });
  return shownAs(schema, body);
}

/** In a merge patch null removes, and an object merges: only what the whole document says is decided later. */
function toPatchType(types: readonly z.core.$ZodType[]): z.ZodType {
  const inner = types.map(unwrapped);
  const merges = inner.some((type) => ['object', 'record', 'union', 'intersection'].includes(type._zod.def.type));
  return merges ? z.unknown().optional() : z.nullish(eitherOf(inner));
}

/** Whether a document that is made through Tombolo can have this id; another program's may have any. */
export function isOwnId(resource: Resource, id: string): boolean {
  return idSchema(resource).safeParse(id).success;
}

function idSchema(resource: Resource): z.ZodType<string> {
  const canonical = (given: string) => toCanonicalId(resource, given);
  if (resource.id === 'objectId') return z.string().regex(/^[0-9a-f]{24}$/);
  if (resource.idKind === 'integer') {
    const given = z.union([z.int(), z.string()], longForm);
    return given.transform((number) => canonical(String(number))).refine(isLongId, longForm);
  }
  if (typeof resource.id === 'string' || resource.id.kind !== 'string') return z.guid('Invalid UUID').overwrite(canonical);
  return resource.id.format.pipe(
    z
      .string()
      .refine(isNameable, idForm)
      .refine((id) => !isReservedName(id), 'is the name of an operation')
      .overwrite(canonical),
  );
}

const longForm = 'a whole number of 64 bits; past 2^53 its decimal digits as text';

function mustJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    throw new Fault('body_malformed', { detail: 'the body is not JSON' });
  }
}

const lines = 'application/x-ndjson';

/** A body of one of the media types that hold JSON; lines of it are an array, and empty ones none of it. */
export function mustJsonOf(text: string, mediaType: string): unknown {
  if (mediaType !== lines) return mustJson(text);
  const given = text.split('\n').filter((line) => line.trim() !== '');
  return given.map((line, index) => {
    try {
      return JSON.parse(line) as unknown;
    } catch {
      throw new Fault('body_malformed', { detail: `/${index}: the line is not JSON` });
    }
  });
}

/** What was sent, and what the schema made of it. */
export interface CheckedBody {
  readonly schema: z.ZodType<JsonObject>;
  readonly sent: unknown;
  readonly value: JsonObject;
}

export function mustBody(schema: z.ZodType<JsonObject>, body: unknown): JsonObject {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw documentInvalid(toFieldErrors(parsed.error));
}

/** What `make` gives; what it refuses is told of its place in a larger body. */
export function inPlace<T>(at: string, make: () => T): T {
  try {
    return make();
  } catch (thrown) {
    if (!isInvalid(thrown)) throw thrown;
    throw documentInvalid(thrown.errors.map((error) => ({ ...error, at: at + error.at })));
  }
}

/** What `check` refuses of a body: nothing where it passes. */
export function errorsOf(check: () => unknown): readonly FieldError[] {
  try {
    check();
    return [];
  } catch (thrown) {
    if (!isInvalid(thrown)) throw thrown;
    return thrown.errors;
  }
}

function isInvalid(thrown: unknown): thrown is Fault {
  return thrown instanceof Fault && thrown.reason === 'document_invalid';
}

export function documentInvalid(errors: readonly FieldError[]): Fault {
  return new Fault('document_invalid', {
    detail: errors.map(({ at, detail }) => `${at === '' ? 'document' : at}: ${detail}`).join('; '),
    errors,
  });
}

/** zod's issues as JSON Pointers; an unknown key is named itself. */
export function toFieldErrors(error: Issues): readonly FieldError[] {
  return toPlainErrors(error).map(({ path, message }) => ({ at: toPointer(path), in: 'body', detail: message }));
}

interface Issues {
  readonly issues: readonly z.core.$ZodIssue[];
}

function toPlainErrors({ issues }: Issues): readonly BodyError[] {
  return issues.flatMap((issue) => {
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ path: [...issue.path, key], message: 'unknown field' }));
    // Of a type that takes anything but nothing zod has no more to say.
    return [issue.code === 'invalid_type' && issue.expected === 'nonoptional' ? { ...issue, message: 'is missing' } : issue];
  });
}
