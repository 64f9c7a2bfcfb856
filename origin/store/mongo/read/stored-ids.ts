/**
 * Ids as MongoDB has them, one form for each way that a resource may declare. A document whose `_id` is of another form no
 * request can name, so no read finds it; a start counts them (install/foreign-ids.ts).
 */
import { Binary, type Document, Double, Int32, Long, ObjectId, UUID } from 'mongodb';
import { isIntegerId, isLongId } from '../../../../shared/contract/ids.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { isObjectId, toUuid } from '../../../../shared/wire/values.ts';

export type StoredId = string | number | ObjectId | Long | Double | Binary;

/** Every document that MongoDB stores begins with its `_id`: length, type, name, NUL, value. */
const idName = Buffer.from('_id\0').readUInt32LE();
const idAt = 9;
const bsonNumbers = { double: 1, string: 2, binary: 5, objectId: 7, int: 16, long: 18 } as const;

interface IdForm {
  readonly name: string;
  /** How it is declared. */
  readonly declaration: string;
  /** The `_id` of an id; `undefined` where no document can have it. */
  toStored(id: string): StoredId | undefined;
  /** The id of an `_id`; `undefined` for one of another form. */
  fromStored(id: unknown): string | undefined;
  /** The same of a value that begins at `idAt`. */
  read(bytes: Buffer, type: number): string | undefined;
  /** What finds the documents of this form alone. */
  readonly filter: Document;
  /** The `$jsonSchema` of an `_id`. */
  readonly schema: Document;
}

const text: IdForm = {
  name: 'string',
  declaration: `{ kind: 'string', format: z.string() }`,
  toStored: (id) => id,
  fromStored: (id) => (typeof id === 'string' ? id : undefined),
  read: (bytes, type) => (type === bsonNumbers.string ? bytes.toString('utf8', idAt + 4, idAt + 3 + bytes.readUInt32LE(idAt)) : undefined),
  filter: { _id: { $type: 'string' } },
  schema: { bsonType: 'string' },
};

/** Forms whose ids are not stored as the texts that they travel as. */
export interface LeastIdForm extends IdForm {
  /** The least id whose text is not before this one; `undefined` where there is none. */
  least(text: string): StoredId | undefined;
}

const objectId: LeastIdForm = {
  name: 'objectId',
  declaration: `'objectId'`,
  toStored: (id) => (isObjectId(id) ? ObjectId.createFromHexString(id) : undefined),
  fromStored: (id) => (id instanceof ObjectId ? id.toHexString() : undefined),
  read: (bytes, type) => (type === bsonNumbers.objectId ? bytes.toString('hex', idAt, idAt + 12) : undefined),
  least: (given) => leastText(given, 'x'.repeat(24), (found) => ObjectId.createFromHexString(found)),
  filter: { _id: { $type: 'objectId' } },
  schema: { bsonType: 'objectId' },
};

const wholeNumber: Document = { bsonType: ['int', 'long', 'double'], multipleOf: 1 };

/** MongoDB compares numbers exactly, whatever their types: an int32 of 7 is found by a Long and by a double of 7. */
const integer: IdForm = {
  name: 'integer',
  declaration: `'integer'`,
  toStored: toStoredInteger,
  fromStored: (id) => {
    if (typeof id === 'bigint' || id instanceof Long) return id.toString();
    const number = typeof id === 'number' ? id : id instanceof Int32 || id instanceof Double ? id.valueOf() : undefined;
    return number === undefined ? undefined : ofDouble(number);
  },
  read: (bytes, type) => {
    if (type === bsonNumbers.int) return String(bytes.readInt32LE(idAt));
    if (type === bsonNumbers.long) return String(bytes.readBigInt64LE(idAt));
    return type === bsonNumbers.double ? ofDouble(bytes.readDoubleLE(idAt)) : undefined;
  },
  filter: { $jsonSchema: { properties: { _id: wholeNumber } } },
  schema: wholeNumber,
};

/** Binary values are ordered by length, then by subtype, then by bytes, as the texts of UUIDs are: all of them lie together. */
const binaryUuid: LeastIdForm = {
  name: 'uuid stored as binary',
  declaration: `{ kind: 'uuid', storedAs: 'binary' }`,
  toStored: (id) => (toUuid(id) === id ? new UUID(id) : undefined),
  fromStored: (id) => {
    if (!(id instanceof Binary) || id.sub_type !== Binary.SUBTYPE_UUID || id.length() !== 16) return undefined;
    return new UUID(Buffer.from(id.value())).toHexString();
  },
  read: (bytes, type) => {
    const isUuid = type === bsonNumbers.binary && bytes.readInt32LE(idAt) === 16 && bytes[idAt + 4] === Binary.SUBTYPE_UUID;
    return isUuid ? new UUID(bytes.subarray(idAt + 5, idAt + 21)).toHexString() : undefined;
  },
  least: (given) => leastText(given, 'xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx', (found) => new UUID(found)),
  filter: { _id: { $gte: new UUID('0'.repeat(32)), $lte: new UUID('f'.repeat(32)) } },
  schema: { bsonType: 'binData' },
};

export function idFormOf({ id, idKind }: Pick<Resource, 'id' | 'idKind'>): IdForm {
  if (idKind === 'objectId') return objectId;
  if (idKind === 'integer') return integer;
  return typeof id === 'object' && id.kind === 'uuid' ? binaryUuid : text;
}

export function leastIdFormOf(resource: Pick<Resource, 'id' | 'idKind'>): LeastIdForm | undefined {
  const form = idFormOf(resource);
  return [objectId, binaryUuid].find((least) => least === form);
}

/** Exported for whoever tells what to declare in the place of what fits no document. */
export const idForms: readonly IdForm[] = [text, objectId, integer, binaryUuid];

/** The id of a document in bytes. */
export function idIn(resource: Resource, { buffer, byteOffset, byteLength }: Uint8Array): string | undefined {
  const bytes = Buffer.from(buffer, byteOffset, byteLength);
  const type = bytes[4];
  return byteLength > idAt && type !== undefined && bytes.readUInt32LE(5) === idName ? idFormOf(resource).read(bytes, type) : undefined;
}

const digits = '0123456789abcdef';

/** The least text of this pattern, in which each `x` is a digit, that is not before `text`. */
function leastText<T>(text: string, pattern: string, toId: (found: string) => T): T | undefined {
  const choicesAt = (at: number) => (pattern[at] === 'x' ? digits : (pattern[at] ?? ''));
  const filled = (start: string) => start + pattern.slice(start.length).replaceAll('x', '0');
  let fits = 0;
  while (fits < text.length && fits < pattern.length && choicesAt(fits).includes(text.charAt(fits))) fits++;
  if (fits === text.length) return toId(filled(text));
  // The first place, from the one that does not fit backwards, at which a greater character may stand.
  for (let at = Math.min(fits, pattern.length - 1); at >= 0; at--) {
    const greater = [...choicesAt(at)].find((choice) => choice > text.charAt(at));
    if (greater !== undefined) return toId(filled(text.slice(0, at) + greater));
  }
  return undefined;
}

function toStoredInteger(id: string): StoredId | undefined {
  if (!isIntegerId(id)) return undefined;
  if (isLongId(id)) return Math.abs(Number(id)) <= 0x7fffffff ? Number(id) : Long.fromString(id);
  return ofDouble(Number(id)) === id ? new Double(Number(id)) : undefined;
}

/** A double that is whole, to its last digit. */
function ofDouble(value: number): string | undefined {
  return Number.isInteger(value) ? BigInt(value).toString() : undefined;
}
