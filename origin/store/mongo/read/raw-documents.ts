/**
 * Documents as the bytes that came from the database. Most reads need no more of them than their text, which
 * raw-texts.ts makes; objects are made only for those who look inside.
 */
import { BSON } from 'mongodb';
import { valueIn, valuesIn } from '../../../../shared/contract/path.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { SortKey } from '../../../../shared/contract/shapes.ts';
import { toIdKey } from '../../../../shared/contract/ids.ts';
import { toStoredPath } from '../../../../shared/contract/stored-names.ts';
import { ranks, type SortValue } from '../../../../shared/wire/values.ts';
import { toSortKey } from './brackets.ts';
import { isPlainObject } from './bson-values.ts';
import { deserializeOptions } from '../connection/client.ts';
import type { Stored } from './documents.ts';
import { farMsIn } from './far-dates.ts';
import { toWireNames } from './member-names.ts';
import { idFormOf, idIn } from './stored-ids.ts';

/** Makes the driver give bytes: for a find whose documents go to `mustBytes`. */
export const asBytes = { raw: true } as const;

/** The driver's types know nothing of `raw`, under which every document is its bytes. */
export function mustBytes(found: unknown): Uint8Array {
  if (found instanceof Uint8Array) return found;
  throw new Error('the driver gave objects where bytes were asked for');
}

export class RawDocument {
  readonly resource: Resource;
  readonly id: string;
  readonly bytes: Uint8Array;
  #stored: Stored | undefined;

  constructor(resource: Resource, id: string, bytes: Uint8Array) {
    this.resource = resource;
    this.id = id;
    this.bytes = bytes;
  }

  /** The document as a find without `raw` gives it, by the names of the wire. */
  get stored(): Stored {
    this.#stored ??= toStored(this.resource, this.bytes);
    return this.#stored;
  }

  /** The one value of a field that is not the id (SEMANTICS §14). */
  at(field: string): unknown {
    return valueIn<unknown>(this.stored, field, isPlainObject);
  }

  /** The sort key of such a field. */
  keyAt(field: string): SortValue {
    const value = this.at(field);
    const isFar = value instanceof Date && Number.isNaN(value.getTime());
    const ms = isFar ? farMsIn(this.bytes, toStoredPath(this.resource, field)) : undefined;
    return ms === undefined ? toSortKey(value) : { rank: ranks.instant, value: ms };
  }

  /** The values of a field that is many. */
  allAt(field: string): readonly unknown[] {
    return valuesIn<unknown>(this.stored, field, isPlainObject);
  }
}

/** The document by the names of the wire, with BSON's types for numbers and text, which plain JavaScript values do not tell. */
export function toTyped(resource: Resource, bytes: Uint8Array): Stored {
  return toWireNames(resource, BSON.deserialize(bytes, { ...deserializeOptions, promoteValues: false })) as Stored;
}

function toStored(resource: Resource, bytes: Uint8Array): Stored {
  return toWireNames(resource, BSON.deserialize(bytes, deserializeOptions)) as Stored;
}

/** The document with its id; `undefined` where no request can name it. */
export function toRawDocument(resource: Resource, bytes: Uint8Array): RawDocument | undefined {
  const id = idIn(resource, bytes) ?? idFormOf(resource).fromStored(toStored(resource, bytes)._id);
  return id === undefined ? undefined : new RawDocument(resource, id, bytes);
}

/** A row before its text. Of most pages the last row's keys alone are wanted. */
export class RawRow {
  readonly document: RawDocument;
  readonly #sort: readonly SortKey[];
  #keys: readonly SortValue[] | undefined;

  constructor(document: RawDocument, sort: readonly SortKey[]) {
    this.document = document;
    this.#sort = sort;
  }

  get keys(): readonly SortValue[] {
    this.#keys ??= this.#sort.map(({ field }): SortValue =>
      field === 'id' ? toIdKey(this.document.resource, this.document.id) : this.document.keyAt(field),
    );
    return this.#keys;
  }
}
