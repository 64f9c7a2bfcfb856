/** From a document as it lies in its collection to what a store gives, and back. */
import { ObjectId } from 'mongodb';
import { documentInvalid } from '../../../../shared/contract/documents.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { isObjectId, type JsonObject } from '../../../../shared/wire/values.ts';
import { mustDocText } from '../../document-text.ts';
import { StoredDocument } from '../../stored-document.ts';
import { type BsonDocument, toBson, toJson } from './bson-values.ts';

export type StoredId = string | ObjectId;

/** A collection's document; the driver's own default makes every `_id` an ObjectId. */
export interface Stored {
  readonly _id: StoredId;
  readonly [field: string]: unknown;
}

/** The `_id` of an id; `undefined` where no document can have it. */
export function toStoredId(resource: Resource, id: string): StoredId | undefined {
  if (resource.id !== 'objectId') return id;
  return isObjectId(id) ? ObjectId.createFromHexString(id) : undefined;
}

/** The id of an `_id`; `undefined` for one of another type than declared, which no request can name. */
export function fromStoredId(resource: Resource, id: unknown): string | undefined {
  if (resource.id === 'objectId') return id instanceof ObjectId ? id.toHexString() : undefined;
  return typeof id === 'string' ? id : undefined;
}

export function toDocument(id: string, stored: BsonDocument): StoredDocument {
  const value = toValue(id, stored);
  // Written apart: JavaScript puts members whose names are numbers before all others.
  const { id: _id, ...others } = value;
  const text = JSON.stringify(others);
  return new StoredDocument(id, `{"id":${JSON.stringify(id)}${text === '{}' ? '' : ','}${text.slice(1)}`, value);
}

/** The document with `id` first. A field that is named `id` in the database is left out. */
export function toValue(id: string, { _id: _key, id: _shadowed, ...rest }: BsonDocument): JsonObject {
  return Object.fromEntries([['id', id], ...Object.entries(rest).map(([name, each]) => [name, toJson(each)] as const)]);
}

/** A new document as it is to be stored, or a refusal. */
export function mustStored(resource: Resource, id: string, document: JsonObject): Stored {
  mustBeStorable(id, document);
  const key = toStoredId(resource, id);
  if (key === undefined) throw documentInvalid([{ at: '/id', in: 'body', detail: 'must be 24 lower-case hex digits' }]);
  return { _id: key, ...toBson(resource, document) };
}

export function mustBeStorable(id: string, document: JsonObject): void {
  const text = mustDocText(id, document);
  // BSON ends a field's name at NUL.
  if (text.includes('\\u0000') && hasNulName(document)) {
    throw documentInvalid([{ at: '', in: 'body', detail: 'has NUL in the name of a field' }]);
  }
}

function hasNulName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, each]) => name.includes('\0') || hasNulName(each));
}
