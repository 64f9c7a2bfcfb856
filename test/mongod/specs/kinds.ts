import type { Fields } from './schema.ts';

/** A document, as against an array, a date or one of BSON's own types. */
export function isDocument(value: unknown): value is Fields {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return false;
  return !(value instanceof Date) && !(value instanceof RegExp) && !(value instanceof Uint8Array) && !('_bsontype' in value);
}

/** Whole numbers beyond 2^53 keep their digits as a bigint. */
export function toNumeric(value: unknown): number | bigint | undefined {
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint') return narrow(value);
  if (typeof value !== 'object' || value === null || !('_bsontype' in value)) return undefined;
  if (value._bsontype === 'Long') return narrow(BigInt(String(value)));
  if (value._bsontype === 'Int32' || value._bsontype === 'Double') return Number(value.valueOf());
  return undefined;
}

const narrow = (value: bigint) => (BigInt(Number(value)) === value ? Number(value) : value);
