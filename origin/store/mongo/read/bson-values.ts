/**
 * The table of types between documents as they lie in MongoDB and as they travel (SEMANTICS §4), over the
 * driver's objects; `wasm/src/bson/values.rs` is the same over bytes, and test/suites/store/bson-texts.test.ts holds
 * them together. Going back, a value that JSON shows as it did before, at its place or anywhere in its
 * array, keeps the type that it had, so that a patch never retypes what it does not name; what is new has the type that
 * is declared for its place, at any depth (SEMANTICS §17).
 */
import { BSON, Binary, BSONSymbol, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { matchElements } from '../../../../shared/contract/elements.ts';
import { type FieldKind, kindOfType } from '../../../../shared/contract/fields.ts';
import { unwrapped } from '../../../../shared/contract/open-schema.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { placeOf } from '../../../../shared/contract/schema-places.ts';
import type { Type } from '../../../../shared/contract/schema-tree.ts';
import { fromBase64, isCanonicalBase64Url } from '../../../../shared/wire/base64.ts';
import { toDecimalText, toLong } from '../../../../shared/wire/shown-numbers.ts';
import { isInstant, isJsonObject, isObjectId, type Json, type JsonObject } from '../../../../shared/wire/values.ts';

/** The bound up to which the driver gives numbers. */
const exactMax = Long.fromNumber(2 ** 53);

export type BsonDocument = Readonly<Record<string, unknown>>;

export function toJson(value: unknown): Json {
  if (value === null || value === undefined) return null;
  if (typeof value === 'number') return Number.isFinite(value) ? value : null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint') return toJson(Long.fromBigInt(value));
  if (Array.isArray(value)) return value.map(toJson);
  if (typeof value !== 'object') return null;
  return value instanceof Date ? toInstant(value) : isBsonObject(value) ? fromBsonType(value) : toJsonObject(value as BsonDocument);
}

function toJsonObject(value: BsonDocument): JsonObject {
  return Object.fromEntries(Object.entries(value).map(([name, each]) => [name, toJson(each)]));
}

/** BSON dates reach further than JavaScript's, and those have no text. */
function toInstant(value: Date): string | null {
  return Number.isNaN(value.getTime()) ? null : value.toISOString();
}

/** Neither an array nor one of the values that only BSON has. */
export function isPlainObject(value: unknown): value is BsonDocument {
  return typeof value === 'object' && value !== null && !Array.isArray(value) && !(value instanceof Date) && !isBsonObject(value);
}

/** What the driver marks its own objects with beside their `_bsontype`, which a document can have as well. */
const versionMark = Symbol.for('@@mdb.bson.version');

export function isBsonObject(value: object): value is { readonly _bsontype: string } {
  return versionMark in value && '_bsontype' in value && typeof value._bsontype === 'string';
}

function fromBsonType(value: { readonly _bsontype: string }): Json {
  if (value instanceof ObjectId) return value.toHexString();
  if (value instanceof Int32 || value instanceof Double) return toJson(value.valueOf());
  if (value instanceof Timestamp) return value.toString();
  if (value instanceof BSONSymbol) return value.valueOf();
  if (value instanceof Long) {
    return value.lessThanOrEqual(exactMax) && value.greaterThanOrEqual(exactMax.negate()) ? value.toNumber() : value.toString();
  }
  if (value instanceof Decimal128) return /^-?(NaN|Infinity)$/.test(value.toString()) ? null : value.toString();
  if (value instanceof Binary) return Buffer.from(value.value()).toString('base64url');
  return toJson(BSON.EJSON.serialize(value, { relaxed: true }));
}

/** A new document. */
export function toBson(resource: Resource, document: JsonObject): BsonDocument {
  const declared = declaredIn(resource, document);
  return Object.fromEntries(Object.entries(document).map(([name, value]) => [name, restored(value, undefined, declared(name))]));
}

/** What the declaration says of a place: the kind is read from the type where it is not known already. */
export interface Declared {
  readonly type: Type | undefined;
  readonly kind?: FieldKind | undefined;
}

/** What is declared of a document's members. */
export function declaredIn({ schema, fields }: Resource, document: JsonObject): (name: string) => Declared {
  const place = placeOf(schema, document);
  return (name) => ({ type: place.member(name), kind: fields.get(name)?.kind });
}

/** What is written in the place of `before`. */
export function restored(value: Json, before: unknown, { type, kind }: Declared): unknown {
  if (before !== undefined && isSame(value, before)) return before;
  if (Array.isArray(value)) return restoredArray(value, Array.isArray(before) ? before : [], type);
  if (!isJsonObject(value)) {
    return ofKind(value as string | number | boolean | null, kind ?? (type === undefined ? undefined : kindOfType(unwrapped(type))));
  }
  const place = placeOf(type, value);
  const old = isPlainObject(before) ? before : {};
  return Object.fromEntries(
    Object.entries(value).map(([name, each]) => [
      name,
      restored(each, Object.hasOwn(old, name) ? old[name] : undefined, { type: place.member(name) }),
    ]),
  );
}

/** An array whose elements have the types of the equal stored ones, wherever those stood. */
function restoredArray(value: readonly Json[], old: readonly unknown[], type: Type | undefined): readonly unknown[] {
  const { element } = placeOf(type, value);
  const shown = old.map(toJson);
  const matches = matchElements(element, value, shown);
  const byText = new Map(shown.map((each, index) => [JSON.stringify(each), old[index]]));
  return value.map((each, index) => {
    const match = matches[index];
    return restored(each, match === undefined ? byText.get(JSON.stringify(each)) : old[match], { type: element(index) });
  });
}

/** Whether JSON shows `before` as this. */
export function isSame(value: Json, before: unknown): boolean {
  return JSON.stringify(value) === JSON.stringify(toJson(before));
}

/** A plain value as a field of this kind holds it; as it is where it is none of the kind. */
function ofKind(value: string | number | boolean | null, kind: FieldKind | undefined): unknown {
  if (typeof value === 'number') return Number.isFinite(value) ? toNumber(value, kind) : null;
  if (typeof value !== 'string') return value;
  switch (kind) {
    case 'instant':
      return isInstant(value) && !Number.isNaN(Date.parse(value)) ? new Date(value) : value;
    case 'objectId':
      return isObjectId(value) ? ObjectId.createFromHexString(value) : value;
    case 'decimal':
      return toDecimalText(value) === undefined ? value : Decimal128.fromString(value);
    case 'long':
      return toLong(value) === undefined ? value : Long.fromString(value);
    case 'binary':
      return value === '' || isCanonicalBase64Url(value) ? new Binary(fromBase64(value)) : value;
    default:
      return value;
  }
}

/** The subtypes that an equality looks for; the driver gives no way to ask for bytes alone. */
const subtypes = [0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 128] as const;

/** The stored values that are shown as these bytes. */
export function toBinaries(text: string): readonly Binary[] {
  const bytes = fromBase64(text);
  return subtypes.map((subtype) => new Binary(bytes, subtype));
}

/** The driver writes whole numbers past 2^31 as doubles; a declared integer is one for other programs, too. */
function toNumber(value: number, kind: FieldKind | undefined): unknown {
  if (kind === 'long' && toLong(value) !== undefined) return Long.fromNumber(value);
  return kind === 'integer' && Number.isSafeInteger(value) && Math.abs(value) > 0x7fffffff ? Long.fromNumber(value) : value;
}
