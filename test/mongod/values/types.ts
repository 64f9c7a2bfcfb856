// What a BSON value is in memory.
//
// int32 and fractional doubles are numbers, an integral double is a `Double`, an int64 a bigint, all else the
// classes of `bson`. So the type survives a round trip through the server, and the common case stays a plain number.
// Documents are never changed in place once stored: an update makes a new object that shares what did not change.
import { BSONRegExp, BSONSymbol, Binary, Code, DBRef, Decimal128, Double, MaxKey, MinKey, ObjectId, Timestamp } from 'bson';

export type Doc = { [key: string]: unknown };

export function isDoc(value: unknown): value is Doc {
  return typeof value === 'object' && value !== null && Object.getPrototypeOf(value) === Object.prototype;
}

export type TypeName =
  | 'missing' | 'minKey' | 'null' | 'int' | 'double' | 'long' | 'decimal' | 'string' | 'symbol' | 'object' | 'array'
  | 'binData' | 'objectId' | 'bool' | 'date' | 'timestamp' | 'regex' | 'dbPointer' | 'javascript'
  | 'javascriptWithScope' | 'maxKey';

export function typeOf(value: unknown): TypeName {
  switch (typeof value) {
    case 'number': return Number.isInteger(value) && !Object.is(value, -0) && value >= -2147483648 && value <= 2147483647 ? 'int' : 'double';
    case 'string': return 'string';
    case 'boolean': return 'bool';
    case 'bigint': return 'long';
    case 'undefined': return 'missing';
    default: return typeOfObject(value as object | null);
  }
}

function typeOfObject(value: object | null): TypeName {
  if (value === null) return 'null';
  if (Array.isArray(value)) return 'array';
  if (Object.getPrototypeOf(value) === Object.prototype) return 'object';
  if (value instanceof ObjectId) return 'objectId';
  if (value instanceof Date) return 'date';
  if (value instanceof Double) return 'double';
  if (value instanceof Decimal128) return 'decimal';
  if (value instanceof Binary || value instanceof Uint8Array) return 'binData';
  if (value instanceof Timestamp) return 'timestamp';
  if (value instanceof BSONRegExp || value instanceof RegExp) return 'regex';
  if (value instanceof MinKey) return 'minKey';
  if (value instanceof MaxKey) return 'maxKey';
  if (value instanceof Code) return value.scope ? 'javascriptWithScope' : 'javascript';
  if (value instanceof BSONSymbol) return 'symbol';
  if (value instanceof DBRef) return 'dbPointer';
  return 'object';
}

// The numbers by which `$type` and `$jsonSchema` name types.
export const TYPE_NUMBERS: Readonly<Record<TypeName, number>> = {
  missing: 0, double: 1, string: 2, object: 3, array: 4, binData: 5, objectId: 7, bool: 8, date: 9, null: 10,
  regex: 11, dbPointer: 12, javascript: 13, symbol: 14, javascriptWithScope: 15, int: 16, timestamp: 17, long: 18,
  decimal: 19, minKey: -1, maxKey: 127,
};

// Canonical order of BSON types: https://www.mongodb.com/docs/manual/reference/bson-type-comparison-order/
export const BRACKETS: Readonly<Record<TypeName, number>> = {
  minKey: 0x10, missing: 0x18, null: 0x18, int: 0x20, double: 0x20, long: 0x20, decimal: 0x20, string: 0x30,
  symbol: 0x30, object: 0x40, array: 0x50, binData: 0x60, objectId: 0x70, bool: 0x80, date: 0x90, timestamp: 0x98,
  regex: 0xa0, dbPointer: 0xa8, javascript: 0xb0, javascriptWithScope: 0xb8, maxKey: 0xf0,
};

export const isNumeric = (value: unknown): boolean =>
  typeof value === 'number' || typeof value === 'bigint' || value instanceof Double || value instanceof Decimal128;

// A number for counting and sizes; `undefined` when the value is not numeric.
export function toNumber(value: unknown): number | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return Number(value);
  if (value instanceof Double) return value.value;
  if (value instanceof Decimal128) return Number(value.toString());
  return undefined;
}

export const isTruthy = (value: unknown): boolean =>
  !(value === undefined || value === null || value === false || (isNumeric(value) && toNumber(value) === 0));

// A computed double keeps its type even when it has no fraction.
export const toDouble = (value: number): number | Double => (Number.isInteger(value) ? new Double(value) : value);
