/** Values of BSON, as the driver gives them without promoting any, by the form that they have on the wire (SEMANTICS §4). */
import { Binary, Decimal128, Double, Int32, Long, ObjectId, Timestamp } from 'mongodb';
import { toInstant } from '../../../shared/wire/values.ts';
import { isBsonObject } from '../../store/mongo/read/bson-values.ts';

export const kinds = [
  'null', 'objectId', 'instant', 'decimal', 'long', 'integer', 'number', 'boolean', 'binary', 'array', 'object', 'string', 'far date',
  'other',
] as const;

/** `far date`: outside of the years of an instant. `other`: regular expressions, code, timestamps and what else only BSON has. */
export type ValueKind = (typeof kinds)[number];

export type Stored = Readonly<Record<string, unknown>>;

export function kindOf(value: unknown): ValueKind {
  if (value === null || value === undefined) return 'null';
  if (typeof value === 'string') return 'string';
  if (typeof value === 'boolean') return 'boolean';
  if (typeof value === 'number') return numberKind(value);
  if (Array.isArray(value)) return 'array';
  if (value instanceof Date) return dateKind(value);
  return typeof value === 'object' && isBsonObject(value) ? bsonKind(value) : 'object';
}

/** What JSON has no number for is null on the wire. */
function numberKind(value: number): ValueKind {
  return Number.isSafeInteger(value) ? 'integer' : Number.isFinite(value) ? 'number' : 'null';
}

function dateKind(value: Date): ValueKind {
  if (Number.isNaN(value.getTime())) return 'null';
  return toInstant(value.toISOString()) === undefined ? 'far date' : 'instant';
}

function bsonKind(value: object): ValueKind {
  if (value instanceof Int32 || value instanceof Double) return numberKind(value.valueOf());
  // A Timestamp is a Long to JavaScript.
  if (value instanceof Long) return value instanceof Timestamp ? 'other' : 'long';
  if (value instanceof ObjectId) return 'objectId';
  if (value instanceof Decimal128) return /NaN|Infinity/.test(value.toString()) ? 'null' : 'decimal';
  return value instanceof Binary ? 'binary' : 'other';
}

export function isObject(value: unknown): value is Stored {
  return kindOf(value) === 'object';
}

/** Past 2^53 a Long is text on the wire. */
export function isSafeLong(value: unknown): boolean {
  return value instanceof Long && Number.isSafeInteger(value.toNumber());
}
