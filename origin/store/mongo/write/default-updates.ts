/** A declared default as MongoDB writes it: which documents lack it, the update that sets it there, and the one that takes it out. */
import { BSON, type Document } from 'mongodb';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { DefaultPlace } from '../../examination/absences.ts';
import { deserializeOptions } from '../connection/client.ts';
import { restored } from '../read/bson-values.ts';
import { toPath } from '../read/keyset.ts';
import { inStoredNames } from '../read/member-names.ts';
import type { Update } from './update-each.ts';

/** A document by its key alone, whatever type that has. */
export interface Lacking {
  readonly _id: unknown;
}

/** BSON's own types for numbers, which plain JavaScript values do not tell. */
export const typedOptions = { ...deserializeOptions, promoteValues: false } as const;

export function ofIds(ids: readonly unknown[]): Document {
  return { _id: { $in: ids } };
}

/** As anybody could give them in mongosh. */
export function toDefaultCommands(resource: Resource, place: DefaultPlace): { readonly command: Document; readonly undo: Document } {
  const { collection } = resource;
  const [path, value] = [pathOf(resource, place), toValue(resource, place)];
  return {
    command: { update: collection, updates: [{ q: lackingFilter(resource, place), u: { $set: { [path]: value } }, multi: true }] },
    undo: toUndoCommand(collection, path, value),
  };
}

export function toUndoCommand(collection: string, path: string, value: unknown): Document {
  return { update: collection, updates: [{ q: { [path]: value }, u: { $unset: { [path]: '' } }, multi: true }] };
}

/** A member of an object is filled in where that object is there and is one, not several. */
export function lackingFilter(resource: Resource, place: DefaultPlace): Document {
  const holder = place.path.slice(0, -1).join('.');
  const isObject = holder === '' ? {} : { [toPath(resource, holder)]: { $type: 'object', $not: { $type: 'array' } } };
  return { ...isObject, [pathOf(resource, place)]: { $exists: false } };
}

/** Sets a value where it is still missing. */
export function toSetting(resource: Resource, place: DefaultPlace, id: unknown, value: string): Update {
  const update = { $set: { [pathOf(resource, place)]: toBsonValue(value) } };
  return { filter: { _id: id, ...lackingFilter(resource, place) }, update };
}

/** Takes a value out where it is still this one. */
export function toUnsetting(path: string, id: unknown, value: string): Update {
  const isSame = { $expr: { $eq: [`$${path}`, { $literal: toBsonValue(value) }] } };
  return { filter: { _id: id, ...isSame }, update: { $unset: { [path]: '' } } };
}

export function pathOf(resource: Resource, { path }: DefaultPlace): string {
  return toPath(resource, path.join('.'));
}

/** Made anew, as Extended JSON that tells each type. */
export function toValueText(resource: Resource, place: DefaultPlace): string {
  const { value } = BSON.deserialize(BSON.serialize({ value: toValue(resource, place) }), typedOptions);
  return toTypedText(value);
}

/** `value`: read with `typedOptions`. */
export function toTypedText(value: unknown): string {
  return BSON.EJSON.stringify({ value }, { relaxed: false });
}

export function toBsonValue(text: string): unknown {
  return (BSON.EJSON.parse(text, { relaxed: false }) as { readonly value: unknown }).value;
}

function toValue({ names }: Resource, { path, make, type }: DefaultPlace): unknown {
  const below = path.reduce<Resource['names']>((level, name) => level?.below(name), names);
  return inStoredNames(restored(make(), undefined, { type }), below);
}
