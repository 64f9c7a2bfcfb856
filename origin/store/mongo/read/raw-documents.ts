/**
 * Documents as the bytes that came from the database. Most reads need no more of them than their text, which
 * raw-texts.ts makes; objects are made only for those who look inside.
 */
import { BSON } from 'mongodb';
import { valueIn, valuesIn } from '../../../../shared/contract/path.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { SortKey } from '../../../../shared/contract/shapes.ts';
import { ranks, type SortValue } from '../../../../shared/wire/values.ts';
import { toSortKey } from './brackets.ts';
import { isPlainObject } from './bson-values.ts';
import { deserializeOptions } from '../connection/client.ts';
import { fromStoredId, type Stored } from './documents.ts';
import { toPath } from './keyset.ts';

/** Makes the driver give bytes: for a find whose documents go to `mustBytes`. */
export const asBytes = { raw: true } as const;

/** The driver's types know nothing of `raw`, under which every document is its bytes. */
export function mustBytes(found: unknown): Uint8Array {
  if (found instanceof Uint8Array) return found;
  throw new Error('the driver gave objects where bytes were asked for');
}

export class RawDocument {
  readonly id: string;
  readonly bytes: Uint8Array;
  #stored: Stored | undefined;

  constructor(id: string, bytes: Uint8Array) {
    this.id = id;
    this.bytes = bytes;
  }

  /** The document as a find without `raw` gives it. */
  get stored(): Stored {
    this.#stored ??= toStored(this.bytes);
    return this.#stored;
  }

  /** The one value of a field that is not the id (SEMANTICS §14). */
  at(field: string): unknown {
    return valueIn<unknown>(this.stored, toPath(field), isPlainObject);
  }

  /** The values of a field that is many. */
  allAt(field: string): readonly unknown[] {
    return valuesIn<unknown>(this.stored, toPath(field), isPlainObject);
  }
}

/** The document with BSON's types for numbers and text, which plain JavaScript values do not tell. */
export function toTyped(bytes: Uint8Array): Stored {
  return BSON.deserialize(bytes, { ...deserializeOptions, promoteValues: false }) as Stored;
}

function toStored(bytes: Uint8Array): Stored {
  return BSON.deserialize(bytes, deserializeOptions) as Stored;
}

/** The document with its id; `undefined` where no request can name it. */
export function toRawDocument(resource: Resource, bytes: Uint8Array): RawDocument | undefined {
  const id = resource.id === 'objectId' ? objectIdOf(bytes) : stringIdOf(bytes);
  if (id !== undefined) return new RawDocument(id, bytes);
  const named = fromStoredId(resource, toStored(bytes)._id);
  return named === undefined ? undefined : new RawDocument(named, bytes);
}

/** Every document that MongoDB stores begins with its `_id`: length, type, name, NUL, value. */
const idName = Buffer.from('_id\0').readUInt32LE();
const idAt = 9;
const types = { string: 2, objectId: 7 } as const;

function objectIdOf(bytes: Uint8Array): string | undefined {
  const buffer = toBuffer(bytes);
  return beginsWithId(buffer, types.objectId) ? buffer.toString('hex', idAt, idAt + 12) : undefined;
}

function stringIdOf(bytes: Uint8Array): string | undefined {
  const buffer = toBuffer(bytes);
  return beginsWithId(buffer, types.string) ? buffer.toString('utf8', idAt + 4, idAt + 3 + buffer.readUInt32LE(idAt)) : undefined;
}

function beginsWithId(buffer: Buffer, type: number): boolean {
  return buffer.byteLength > idAt + 12 && buffer[4] === type && buffer.readUInt32LE(5) === idName;
}

function toBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
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
      field === 'id' ? { rank: ranks.string, value: this.document.id } : toSortKey(this.document.at(field)),
    );
    return this.#keys;
  }
}
