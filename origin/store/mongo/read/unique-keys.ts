/** Unique keys (shared/contract/unique.ts) in MongoDB's words: what the partial index of one holds, and who has one. */
import type { Document } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { scalarKindOf, toPart, type Unique } from '../../../../shared/contract/unique.ts';
import type { Json, ScalarKind } from '../../../../shared/wire/values.ts';
import { toOperand } from './brackets.ts';
import { toPath } from './keyset.ts';

/** As which a value of a key is stored. */
const storedTypes: Readonly<Record<Exclude<ScalarKind, 'binary'>, readonly string[]>> = {
  string: ['string'], uuid: ['string'], instant: ['date'], objectId: ['objectId'], boolean: ['bool'],
  number: ['double', 'int', 'long', 'decimal'], integer: ['int', 'long', 'double'], decimal: ['decimal'], long: ['int', 'long', 'double'],
};

export function toUniqueKey(resource: Resource, { fields }: Unique): Document {
  return Object.fromEntries(fields.map((path) => [toPath(resource, path), 1]));
}

/** Of printable ASCII, strength 2 holds equal what differs in case alone. */
export function toOrder({ ignoringCase }: Unique): { readonly collation: { readonly locale: string; readonly strength?: number } } {
  return { collation: ignoringCase ? { locale: 'en', strength: 2 } : { locale: 'simple' } };
}

/** Documents that have a key at all: what is removed and stays has none. */
export function toHeldFilter(resource: Resource, { fields, where }: Unique): Document {
  const { removal } = resource;
  return Object.fromEntries([
    ...(removal === undefined ? [] : [[toPath(resource, removal.at), { $eq: null }]]),
    ...fields.map((path) => [toPath(resource, path), { $type: typesOf(scalarKindOf(resource.fields, path)) }]),
    ...where.map(([path, value]) => [toPath(resource, path), { $eq: toStoredPart(resource, path, value) }]),
  ]);
}

type Values = readonly (Json | undefined)[];

/** Documents that have one of these keys, in a form that planners find the index of. */
export function toHolderFilter(resource: Resource, unique: Unique, keys: readonly { readonly values: Values }[]): Document {
  const toEqual = (values: Values) =>
    Object.fromEntries(unique.fields.map((path, index) => [toPath(resource, path), { $eq: toStoredPart(resource, path, values[index]) }]));
  return { $and: [toHeldFilter(resource, unique), { $or: keys.map(({ values }) => toEqual(values)) }] };
}

function toStoredPart({ fields }: Resource, path: string, value: Json | undefined): unknown {
  const part = toPart(value, scalarKindOf(fields, path), false);
  return part === undefined ? null : toOperand(part);
}

function typesOf(kind: ScalarKind): readonly string[] {
  if (kind === 'binary') throw new Error('bytes are in no unique key');
  return storedTypes[kind];
}
