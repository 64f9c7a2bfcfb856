/**
 * Changes of several documents in one body (SEMANTICS §17): a list whose items name a document each, or one change for whatever
 * a filter finds. What is to change is said by one of the three forms that a patch of one document has, as `merge`, `patch` or
 * `changes`.
 */
import * as z from 'zod';
import { jsonPatchBody } from '../changes/json-patch.ts';
import { changesBody } from '../changes/operators.ts';
import { bodiesOf, documentInvalid, listOrOne, patchBody } from '../contract/documents.ts';
import { idForm, isNameable, toCanonicalId } from '../contract/ids.ts';
import type { ListQuery } from '../contract/query.ts';
import type { Resource } from '../contract/resource.ts';
import { toTagList } from '../wire/entity-tags.ts';
import { limits } from '../wire/limits.ts';
import type { JsonObject } from '../wire/values.ts';
import { madeOnce } from '../remember.ts';

/** What is to change, by the member that says it. */
export type Patch =
  | { readonly form: 'merge'; readonly sent: JsonObject }
  | { readonly form: 'patch' | 'changes'; readonly value: JsonObject };

export interface ChangedItem {
  readonly id: string;
  readonly ifMatch: string | undefined;
  readonly patch: Patch;
}

export const patchForms = ['merge', 'patch', 'changes'] as const;

/** As `patchBody` types hand them on: a merge as it was sent, the others as their schemas made them. */
export type PatchMembers = { readonly [Form in (typeof patchForms)[number]]?: JsonObject | undefined };

export const oneFormOf = `has exactly one of ${patchForms.join(', ')}`;

export function patchMembersOf(resource: Resource) {
  return { merge: bodiesOf(resource).patch.optional(), patch: jsonPatchBody.optional(), changes: changesBody.optional() };
}

export function hasOneForm(given: PatchMembers): boolean {
  return patchForms.filter((form) => given[form] !== undefined).length === 1;
}

/** Of members of which `hasOneForm` holds. */
export function toPatch({ merge, patch, changes }: PatchMembers): Patch {
  if (merge !== undefined) return { form: 'merge', sent: merge };
  return patch === undefined ? { form: 'changes', value: changes ?? {} } : { form: 'patch', value: patch };
}

/** The id of a document as its path would have it; of whole numbers, the number too. */
export function idIn(resource: Resource): z.ZodType<string> {
  const text = z.string().refine(isNameable, idForm).overwrite((id) => toCanonicalId(resource, id));
  return resource.idKind === 'integer' ? z.union([z.int(), z.string()]).transform(String).pipe(text) : text;
}

export const tagList = z
  .string()
  .refine((text) => toTagList(text) !== undefined, 'entity tags in double quotes, comma between, or *')
  .overwrite((text) => toTagList(text) ?? text);

/** Every body is an object to those who hand it on. */
export const changedItemsBody = madeOnce(toBody);

function toBody(resource: Resource): z.ZodType<JsonObject> {
  const forms = patchMembersOf(resource);
  const item = z.strictObject({ id: idIn(resource), ifMatch: tagList.optional(), ...forms }).refine(hasOneForm, oneFormOf);
  const list = patchBody(z.array(item).min(1).max(limits.writesTogetherMax), (items) => ({ items }));
  return listOrOne(list, patchBody(z.strictObject(forms).refine(hasOneForm, oneFormOf), (change) => ({ change })));
}

interface Changes {
  readonly items?: readonly ChangedItem[];
  /** Of each document that the query finds. */
  readonly change?: Patch;
}

interface Taken {
  readonly items?: readonly (PatchMembers & { readonly id: string; readonly ifMatch?: string })[];
  readonly change?: PatchMembers;
}

/** Of a body that `changedItemsBody` took; throws `document_invalid` where it is not what goes with a filter, or without one. */
export function changesOf(body: JsonObject, query: ListQuery | undefined): Changes {
  const { items, change } = body as Taken;
  if (query === undefined && items !== undefined) {
    return { items: items.map(({ id, ifMatch, ...members }) => ({ id, ifMatch, patch: toPatch(members) })) };
  }
  if (query !== undefined && change !== undefined) return { change: toPatch(change) };
  const detail = query === undefined ? 'without a filter changes are a list, whose items name their documents'
    : 'with a filter there is one change, of each document that it finds';
  throw documentInvalid([{ at: '', in: 'body', detail }]);
}
