/** From a document as it lies in its collection to what a store gives, and back. */
import { documentInvalid } from '../../../../shared/contract/documents.ts';
import { toIdJson, toIdValue } from '../../../../shared/contract/ids.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { withRanks } from '../../../../shared/contract/stored-ranks.ts';
import type { JsonObject } from '../../../../shared/wire/values.ts';
import { mustDocText } from '../../document-text.ts';
import { StoredDocument } from '../../stored-document.ts';
import { type BsonDocument, isPlainObject, toBson, toJson } from './bson-values.ts';
import { idFormOf, type StoredId } from './stored-ids.ts';
import { ranksIn } from './stored-ranks.ts';

/** A collection's document by the names of the wire; the driver's own default makes every `_id` an ObjectId. */
export interface Stored {
  readonly _id: StoredId;
  readonly [field: string]: unknown;
}

export function toDocument(resource: Resource, id: string, stored: BsonDocument): StoredDocument {
  const value = toValue(resource, id, stored);
  // Written apart: JavaScript puts members whose names are numbers before all others.
  const { id: _id, ...others } = value;
  const text = JSON.stringify(others);
  return new StoredDocument(id, `{"id":${toIdJson(resource, id)}${text === '{}' ? '' : ','}${text.slice(1)}`, value);
}

/** The document with `id` first. A field that is named `id` in the database is left out. */
export function toValue(resource: Resource, id: string, { _id: _key, id: _shadowed, ...rest }: BsonDocument): JsonObject {
  const members = Object.entries(rest).map(([name, each]) => [name, toJson(each)] as const);
  return withRanks(Object.fromEntries([['id', toIdValue(resource, id)], ...members]), ranksIn(rest));
}

/** A new document as it is to be stored, but by the names of the wire, or a refusal. */
export function mustStored(resource: Resource, id: string, document: JsonObject): Stored {
  mustBeSendable(document, mustBeStorable(id, document));
  const form = idFormOf(resource);
  const key = form.toStored(id);
  if (key === undefined) throw documentInvalid([{ at: '/id', in: 'body', detail: `is no ${form.name}` }]);
  return { _id: key, ...toBson(resource, document) };
}

/** The JSON text of a document that may be stored. */
export function mustBeStorable(id: string, document: JsonObject): string {
  const text = mustDocText(id, document);
  // BSON ends a field's name at NUL.
  if (text.includes('\\u0000') && hasNulName(document)) {
    throw documentInvalid([{ at: '', in: 'body', detail: 'has NUL in the name of a field' }]);
  }
  return text;
}

/**
 * What is sent, with its JSON text. The driver takes an object with a member `_bsontype` for one of its own, and fails at it;
 * one that reads as a DBRef it would give back changed.
 */
export function mustBeSendable(value: unknown, text: string): void {
  const isNamed = text.includes('"_bsontype":') && /[{,]"_bsontype":/.test(text);
  if (isNamed) throw documentInvalid([{ at: '', in: 'body', detail: 'has a member that is called _bsontype' }]);
  if (text.includes('"$ref":"') && hasReference(value)) {
    throw documentInvalid([{ at: '', in: 'body', detail: 'has an object with both $ref and $id' }]);
  }
}

function hasReference(value: unknown): boolean {
  if (Array.isArray(value)) return value.some(hasReference);
  if (!isPlainObject(value)) return false;
  const { $ref, $id } = value;
  return (typeof $ref === 'string' && ($id ?? null) !== null) || Object.values(value).some(hasReference);
}

function hasNulName(value: unknown): boolean {
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(value).some(([name, each]) => name.includes('\0') || hasNulName(each));
}
