/**
 * What an answer depends on, and what a change touches. The promise, tested at random: if a change alters
 * the answer to a request, the two sets meet (SEMANTICS §1). Precision beyond that is comfort;
 * where a request names no equality it depends on the whole resource.
 *
 * A list depends on the documents that its equalities pin: any document that enters, leaves or changes in
 * its answer has those values before or after. Ranges, orders, limits and counts only narrow that set.
 */
import { madeOnce } from '../remember.ts';
import { hash32 } from '../wire/hash.ts';
import { toIdKey } from './ids.ts';
import { valueAt, valuesAt } from './path.ts';
import { isRemoved } from './removal.ts';
import type { ListQuery } from './query.ts';
import type { Resource } from './resource.ts';
import { keyFieldsOf } from './shapes.ts';
import { askedAs, parseFinite } from '../wire/exact-numbers.ts';
import { isExactKind, isNumeric, type JsonObject, type Scalar, type ScalarKind } from '../wire/values.ts';

/** Buckets a resource has in the coordinator; a collision costs a miss, never a stale answer. */
const bucketCount = 4096;
/** A report that touches more keys than this of one resource raises the whole resource. */
export const touchedKeysMax = 1_000;

export function toBucket(key: string): number {
  return hash32(key) % bucketCount;
}

const wholeKey = '*';

function documentKey(id: string): string {
  return `/${id}`;
}

/** The buckets of one resource that an answer depends on: together with the name, pairs of resource and bucket. */
export interface Dependency {
  readonly resource: string;
  /** Buckets without doubles. */
  readonly buckets: readonly number[];
}

/** One for every resource that was read for an answer. */
export type Dependencies = readonly Dependency[];

/** The key that is raised when this document (or any, where no id is given) is deleted or may have become hidden. */
function goneKey(id: string | undefined): string {
  return id === undefined ? '!' : `!/${id}`;
}

/** What must not have been raised for an old answer to be shown in an outage: no document in it has gone since. */
export function goneOf({ name }: Pick<Resource, 'name'>, id: string): Dependencies {
  return [{ resource: name, buckets: [toBucket(goneKey(id === '' ? undefined : id))] }];
}

export function dependenciesOfDocument({ name }: Pick<Resource, 'name'>, id: string): Dependencies {
  return [{ resource: name, buckets: [toBucket(documentKey(id))] }];
}

export function dependenciesOfList({ name }: Pick<Resource, 'name'>, query: Pick<ListQuery, 'shape' | 'equal'>): Dependencies {
  const keys = combinations(keyFieldsOf(query.shape).map((field) => [field, query.equal[field] ?? []]));
  return [{ resource: name, buckets: [...new Set(keys.map(toBucket))] }];
}

/** Raised when a document that is removed, or was, is another one now. */
const removedKey = '~';

export function dependenciesOfRemoved({ name }: Pick<Resource, 'name'>): Dependencies {
  return [{ resource: name, buckets: [toBucket(removedKey)] }];
}

/** Keys touched by a change of one document. `undefined` stands for no document; a missing image is not for here. */
export function touched(
  resource: Resource,
  id: string,
  before: JsonObject | undefined,
  after: JsonObject | undefined,
): ReadonlySet<string> {
  const keys = new Set([documentKey(id)]);
  if (before !== undefined && mayHide(resource, before, after)) keys.add(goneKey(id)).add(goneKey(undefined));
  for (const image of [before, after]) {
    if (image === undefined) continue;
    if (isRemoved(resource, image)) keys.add(removedKey);
    const choiceOf = (field: string) => [field, scalarsOf(resource, image, field, id)] as const;
    for (const fields of distinctEquals(resource)) for (const key of combinations(fields.map(choiceOf))) keys.add(key);
  }
  return keys;
}

/** Deleted, or changed in a field by which rules tell who may see it, or a part of it. */
function mayHide({ mentions }: Resource, before: JsonObject, after: JsonObject | undefined): boolean {
  return after === undefined || [...mentions.fields].some((field) => !isSame(field, before, after));
}

function isSame(field: string, before: JsonObject, after: JsonObject): boolean {
  return JSON.stringify(valueAt(before, field)) === JSON.stringify(valueAt(after, field));
}

/** The sets of equality fields that the shapes and the aggregates have, each once. */
const distinctEquals = madeOnce((resource: Resource): readonly (readonly string[])[] => {
  const shapes = [...resource.shapes, ...resource.aggregates.map(({ shape }) => shape)];
  return [...new Map(shapes.map(keyFieldsOf).map((fields) => [fields.join(), fields])).values()];
});

function scalarsOf(resource: Resource, image: JsonObject, field: string, id: string): readonly Scalar[] {
  if (field === 'id') return [toIdKey(resource, id).value];
  // More than a list finds where others wrote an array on the way to one value: what they touch too much costs a miss.
  const values = valuesAt(image, field);
  const scalars = values.filter((inner) => typeof inner === 'string' || typeof inner === 'number' || typeof inner === 'boolean');
  const { kind, element = kind } = resource.fields.get(field) ?? {};
  // A number that is shown as text is asked for as the number that it is: 0.10 by 0.1.
  return element !== undefined && isNumeric(element) ? scalars.flatMap((scalar) => toAsked(scalar, element)) : scalars;
}

function toAsked(value: Scalar, kind: ScalarKind): readonly Scalar[] {
  if (isExactKind(kind)) return [parseFinite(String(value)) ?? value];
  return typeof value === 'boolean' || Number.isSafeInteger(value) ? [value] : askedAs(value);
}

/** Every way to pick one value a field: `state="NY"&city="Albany"`. No field gives the whole resource's key. */
function combinations(choices: readonly (readonly [string, readonly Scalar[]])[]): readonly string[] {
  if (choices.length === 0) return [wholeKey];
  return choices.reduce<readonly string[]>(
    (heads, [field, values]) =>
      heads.flatMap((head) => values.map((value) => `${head}${head === '' ? '' : '&'}${field}=${JSON.stringify(value)}`)),
    [''],
  );
}
