// Arithmetic with MongoDB's promotion: int → long → double, and decimal above all.
import { Decimal128, Double } from 'bson';
import { decimalArithmetic } from './decimal.ts';
import { isNumeric, toDouble, toNumber, typeOf } from './types.ts';

type Overflow = 'double' | 'error';

const LONG_MAX = 2n ** 63n - 1n;
const LONG_MIN = -(2n ** 63n);

// `undefined` where an int64 overflows and `overflow` is 'error'.
export function add(a: unknown, b: unknown, overflow: Overflow = 'double'): unknown {
  return combine(a, b, { overflow, whole: (x, y) => x + y, float: (x, y) => x + y, decimal: (x, y) => decimalArithmetic('add', x, y) });
}

export function multiply(a: unknown, b: unknown, overflow: Overflow = 'double'): unknown {
  return combine(a, b, { overflow, whole: (x, y) => x * y, float: (x, y) => x * y, decimal: (x, y) => decimalArithmetic('multiply', x, y) });
}

export function subtract(a: unknown, b: unknown): unknown {
  return add(a, multiply(b, -1));
}

type Rules = { overflow: Overflow; whole(x: bigint, y: bigint): bigint; float(x: number, y: number): number; decimal(x: Decimal128, y: Decimal128): Decimal128 };

function combine(a: unknown, b: unknown, rules: Rules): unknown {
  const types = [typeOf(a), typeOf(b)];
  if (types.includes('decimal')) return rules.decimal(toDecimal128(a), toDecimal128(b));
  if (types.includes('double')) return toDouble(rules.float(toNumber(a) as number, toNumber(b) as number));
  const exact = rules.whole(BigInt(a as number | bigint), BigInt(b as number | bigint));
  if (exact > LONG_MAX || exact < LONG_MIN) return rules.overflow === 'error' ? undefined : toDouble(Number(exact));
  return types.includes('long') ? exact : fromWhole(exact);
}

const fromWhole = (value: bigint): number | bigint => (value >= -2147483648n && value <= 2147483647n ? Number(value) : value);

export function toDecimal128(value: unknown): Decimal128 {
  if (value instanceof Decimal128) return value;
  return Decimal128.fromString(value instanceof Double ? String(value.value) : String(value));
}

export function divide(a: unknown, b: unknown): unknown {
  const result = (toNumber(a) as number) / (toNumber(b) as number);
  return typeOf(a) === 'decimal' || typeOf(b) === 'decimal' ? Decimal128.fromString(String(result)) : toDouble(result);
}

// Keeps whole types whole: 7 mod 4 is an int, 7.5 mod 2 a double.
export function modulo(a: unknown, b: unknown): unknown {
  const result = (toNumber(a) as number) % (toNumber(b) as number);
  const types = [typeOf(a), typeOf(b)];
  if (types.includes('double') || types.includes('decimal')) return toDouble(result);
  return types.includes('long') ? BigInt(a as number | bigint) % BigInt(b as number | bigint) : result;
}

// A rounded value in the type of its input.
export function roundLike(like: unknown, rounded: number): unknown {
  const type = typeOf(like);
  if (type === 'decimal') return Decimal128.fromString(String(rounded));
  return type === 'double' ? toDouble(rounded) : like;
}

export const numericOrNull = (value: unknown): value is number | bigint | Double | Decimal128 => isNumeric(value);
