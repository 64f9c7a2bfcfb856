/** A declared default as MongoDB writes it: which documents lack it, and the update that sets it where it is still missing. */
import { type AnyBulkWriteOperation, BSON, type Document } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { type DefaultPlace, isMadeAnew } from '../../examination/absences.ts';
import type { FilledField } from '../install/system-records.ts';
import { restored } from '../read/bson-values.ts';
import { toPath } from '../read/keyset.ts';
import { inStoredNames } from '../read/member-names.ts';

/** A document by its key alone, whatever type that has. */
export interface Lacking {
  readonly _id: unknown;
}

export function ofIds(ids: readonly unknown[]): Document {
  return { _id: { $in: ids } };
}

/** As anybody could give them in mongosh. */
export function toDefaultCommands(resource: Resource, place: DefaultPlace): { readonly command: Document; readonly undo: Document } {
  const path = pathOf(resource, place);
  const update = (q: Document, u: Document) => ({ update: resource.collection, updates: [{ q, u, multi: true }] });
  const value = toValue(resource, place);
  return {
    command: update(lackingFilter(resource, place), { $set: { [path]: value } }),
    undo: update({ [path]: value }, { $unset: { [path]: '' } }),
  };
}

/** A member of an object is filled in where that object is there and is one, not several. */
export function lackingFilter(resource: Resource, place: DefaultPlace): Document {
  const holder = place.path.slice(0, -1).join('.');
  const isObject = holder === '' ? {} : { [toPath(resource, holder)]: { $type: 'object', $not: { $type: 'array' } } };
  return { ...isObject, [pathOf(resource, place)]: { $exists: false } };
}

export function toUpdate(resource: Resource, id: unknown, place: DefaultPlace): AnyBulkWriteOperation<Lacking> {
  const update = { $set: { [pathOf(resource, place)]: toValue(resource, place) } };
  return { updateOne: { filter: { $and: [{ _id: id }, lackingFilter(resource, place)] }, update } };
}

function pathOf(resource: Resource, { path }: DefaultPlace): string {
  return toPath(resource, path.join('.'));
}

function toValue({ names }: Resource, { path, make, type }: DefaultPlace): unknown {
  const below = path.reduce<Resource['names']>((level, name) => level?.below(name), names);
  return inStoredNames(restored(make(), undefined, { type }), below);
}

/** Where each document has its own value, no command finds them. */
export function toFilledField(resource: Resource, place: DefaultPlace): FilledField {
  const path = pathOf(resource, place);
  return isMadeAnew(place) ? { path } : { path, undo: BSON.EJSON.stringify(toDefaultCommands(resource, place).undo) };
}
