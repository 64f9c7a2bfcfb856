/** Bodies of writes: the one place where a client's JSON becomes a document (SEMANTICS §4). */
import * as z from 'zod';
import { Fault, type FieldError } from './fault.ts';
import { idForm, isNameable, toCanonicalId } from './ids.ts';
import { limits } from './limits.ts';
import { mergePatch } from './merge-patch.ts';
import type { Resource } from './resource.ts';
import { isReservedName } from './reserved-names.ts';
import type { JsonObject } from './values.ts';

export interface Bodies {
  /** An id that a caller gives. */
  readonly id: z.ZodType<string>;
  readonly create: z.ZodType<JsonObject>;
  /** A create without its id, as rows of an import have it. */
  readonly fields: z.ZodType<JsonObject>;
  readonly replace: z.ZodType<JsonObject>;
  readonly patch: z.ZodType<JsonObject>;
}

/** What Tombolo keeps may stand in a replacement, so that a document can be read, edited and put back. */
const kept = { rev: z.unknown().optional(), createdAt: z.unknown().optional(), updatedAt: z.unknown().optional() };

const madeBodies = new WeakMap<Resource, Bodies>();

export function bodiesOf(resource: Resource): Bodies {
  const made = madeBodies.get(resource) ?? toBodies(resource);
  madeBodies.set(resource, made);
  return made;
}

function toBodies(resource: Resource): Bodies {
  const { schema, id } = resource;
  const named = typeof id === 'object' ? schema.extend({ id: idSchema(resource) }) : schema;
  const patch = Object.fromEntries(Object.entries(schema.shape).map(([name, type]) => [name, toPatchType(type)]));
  const readBack = { ...kept, id: z.string().overwrite((given) => toCanonicalId(resource, given)).optional() };
  return { id: idSchema(resource), create: asDocument(named), fields: asDocument(schema), replace: asDocument(schema.extend(readBack)), patch: asDocument(z.strictObject(patch)) };
}

/** zod infers from a schema it does not know; every resource schema is an object of JSON values. */
function asDocument(schema: z.ZodObject): z.ZodType<JsonObject> {
  return schema.superRefine(mustBeShallow) as unknown as z.ZodType<JsonObject>;
}

/** What walks a document (merge patch, JSON, the database) does so by recursion: nesting has a bound. */
function mustBeShallow(document: Readonly<Record<string, unknown>>, context: z.core.$RefinementCtx): void {
  for (const [name, value] of Object.entries(document))
    if (!isShallow(value)) context.addIssue({ code: 'custom', path: [name], message: `more than ${limits.nestingLevelsMax} levels of nesting` });
}

function isShallow(value: unknown): boolean {
  let level = [value];
  for (let depth = 0; depth <= limits.nestingLevelsMax; depth++) {
    level = level.flatMap((inner) => (inner !== null && typeof inner === 'object' ? Object.values(inner) : []));
    if (level.length === 0) return true;
  }
  return false;
}

/** In a merge patch null removes, and an object merges: only what the whole document says is decided later. */
function toPatchType(type: z.core.$ZodType): z.ZodType {
  const merges = unwrapped(type).def.type === 'object' || unwrapped(type).def.type === 'record';
  return merges ? z.unknown().optional() : unwrapped(type).nullish();
}

function unwrapped(type: z.core.$ZodType): z.ZodType {
  const definition = type._zod.def as { readonly type: string; readonly innerType?: z.core.$ZodType };
  return definition.innerType === undefined || definition.type === 'readonly' ? (type as z.ZodType) : unwrapped(definition.innerType);
}

function idSchema(resource: Resource): z.ZodType<string> {
  const canonical = (given: string) => toCanonicalId(resource, given);
  if (resource.id === 'uuid') return z.uuid().overwrite(canonical);
  if (resource.id === 'objectId') return z.string().regex(/^[0-9a-f]{24}$/);
  return resource.id.format.pipe(z.string().refine(isNameable, idForm).refine((id) => !isReservedName(id), 'is the name of an operation').overwrite(canonical));
}

export function mustBody(schema: z.ZodType<JsonObject>, body: unknown): JsonObject {
  const parsed = schema.safeParse(body);
  if (parsed.success) return parsed.data;
  throw documentInvalid(toFieldErrors(parsed.error));
}

/** A stored document with a merge patch applied (RFC 7396). Fields that the patch does not name keep value and type. */
export function mustPatched(resource: Resource, stored: JsonObject, patch: JsonObject): JsonObject {
  const merged = mergePatch(stored, patch) as JsonObject;
  const parsed = resource.schema.safeParse(merged);
  const errors = parsed.success ? [] : toFieldErrors(parsed.error).filter((error) => Object.keys(patch).some((name) => error.at === `/${name}` || error.at.startsWith(`/${name}/`)));
  if (errors.length > 0) throw documentInvalid(errors);
  if (!parsed.success) return merged;
  const named = Object.keys(patch).filter((name) => Object.hasOwn(parsed.data, name));
  return { ...merged, ...Object.fromEntries(named.map((name) => [name, parsed.data[name]])) } as JsonObject;
}

export function documentInvalid(errors: readonly FieldError[]): Fault {
  return new Fault('document_invalid', { detail: errors.map(({ at, detail }) => `${at === '' ? 'document' : at}: ${detail}`).join('; '), errors });
}

/** zod's issues as JSON Pointers; an unknown key is named itself. */
export function toFieldErrors(error: { readonly issues: readonly z.core.$ZodIssue[] }): readonly FieldError[] {
  return error.issues.flatMap((issue) => {
    const at = toPointer(issue.path);
    if (issue.code === 'unrecognized_keys') return issue.keys.map((key) => ({ at: `${at}${toPointer([key])}`, in: 'body' as const, detail: 'unknown field' }));
    return [{ at, in: 'body' as const, detail: issue.message }];
  });
}

/** RFC 6901 §3. */
function toPointer(path: readonly PropertyKey[]): string {
  return path.map((part) => `/${String(part).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('');
}
