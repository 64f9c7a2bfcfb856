// Expression operators whose operands are all evaluated first.
import { Decimal128, ObjectId, Timestamp } from 'bson';
import { fail } from '../errors.ts';
import { add, divide, modulo, multiply, numericOrNull, roundLike, subtract, toDecimal128 } from '../values/arithmetic.ts';
import type { Collation } from '../values/collation.ts';
import { compareValues, isEqual } from '../values/compare.ts';
import { keyOf } from '../values/key-string.ts';
import { type Doc, isDoc, isTruthy, toDouble, toNumber, typeOf } from '../values/types.ts';

type Operator = { min: number; max: number; apply(values: unknown[], collation: Collation | null): unknown };

const isNil = (value: unknown): boolean => value === null || value === undefined;
const unary = (apply: (value: unknown) => unknown): Operator => ({ min: 1, max: 1, apply: ([value]) => apply(value) });
const orNull = (apply: (value: unknown) => unknown): Operator => unary(value => (isNil(value) ? null : apply(value)));
const order = (holds: (order: number) => boolean): Operator => ({ min: 2, max: 2, apply: ([a, b], collation) => holds(compareExpression(a, b, collation)) });
const numeric = (name: string, apply: (value: number, like: unknown) => unknown): Operator => orNull(value => {
  if (!numericOrNull(value)) throw fail(28765, `${name} only supports numeric types, not ${typeOf(value)}`);
  return apply(toNumber(value) as number, value);
});

function mustBeNumber(name: string, value: unknown): unknown {
  if (!numericOrNull(value)) throw fail(51081, `${name} only supports numeric types, not ${typeOf(value)}`);
  return value;
}

// Expressions see a missing field below null.
function compareExpression(a: unknown, b: unknown, collation: Collation | null): number {
  if (a === undefined || b === undefined) return a === b ? 0 : a === undefined ? -1 : 1;
  return compareValues(a, b, collation);
}

function fold(name: string, apply: (a: unknown, b: unknown) => unknown): Operator {
  return { min: 0, max: Infinity, apply: values => values.reduce((sum, value) => {
    if (isNil(sum) || isNil(value)) return null;
    if (name === '$add' && (sum instanceof Date || value instanceof Date)) return addToDate(sum, value);
    if (!numericOrNull(sum) || !numericOrNull(value)) throw fail('TypeMismatch', `${name} only supports numeric or date types, not ${typeOf(numericOrNull(sum) ? value : sum)}`);
    return apply(sum, value);
  }, name === '$add' ? 0 : 1) };
}

function addToDate(a: unknown, b: unknown): Date {
  const [date, other] = a instanceof Date ? [a, b] : [b as Date, a];
  if (other instanceof Date) throw fail(16612, 'only one date allowed in an $add expression');
  if (!numericOrNull(other)) throw fail(16554, `$add only supports numeric or date types, not ${typeOf(other)}`);
  return new Date(date.getTime() + Number(toNumber(other)));
}

// Numbers, dates and timestamps are written out; what is missing is nothing; all else is refused.
function coerceToString(value: unknown): string {
  if (isNil(value)) return '';
  if (value instanceof Date) return value.toISOString();
  if (typeof value !== 'string' && !numericOrNull(value) && !(value instanceof Timestamp)) throw fail(16007, `can't convert from BSON type ${typeOf(value)} to String`);
  return String(value);
}

const arrays = (name: string, values: unknown[]): unknown[][] | null => {
  if (values.some(isNil)) return null;
  for (const value of values) if (!Array.isArray(value)) throw fail(17043, `All operands of ${name} must be arrays. One argument is of type: ${typeOf(value)}`);
  return values as unknown[][];
};

const distinct = (items: unknown[]): unknown[] => [...new Map(items.map(item => [keyOf(item), item])).values()];

export const OPERATORS: Readonly<Record<string, Operator>> = {
  $eq: order(n => n === 0), $ne: order(n => n !== 0), $lt: order(n => n < 0), $lte: order(n => n <= 0), $gt: order(n => n > 0), $gte: order(n => n >= 0),
  $cmp: { min: 2, max: 2, apply: ([a, b], collation) => compareExpression(a, b, collation) },
  $not: unary(value => !isTruthy(value)),
  $add: fold('$add', add), $multiply: fold('$multiply', multiply),
  $subtract: { min: 2, max: 2, apply: ([a, b]) => {
    if (isNil(a) || isNil(b)) return null;
    if (a instanceof Date && b instanceof Date) return BigInt(a.getTime() - b.getTime());
    if (!(numericOrNull(a) || a instanceof Date) || !numericOrNull(b)) throw fail(16556, `can't $subtract ${typeOf(b)} from ${typeOf(a)}`);
    if (a instanceof Date) return new Date(a.getTime() - Number(toNumber(b)));
    return subtract(a, b);
  } },
  $divide: { min: 2, max: 2, apply: ([a, b]) => {
    if (isNil(a) || isNil(b)) return null;
    if (!numericOrNull(a) || !numericOrNull(b)) throw fail('TypeMismatch', `$divide only supports numeric types, not ${typeOf(a)} and ${typeOf(b)}`);
    if (toNumber(b) === 0) throw fail('BadValue', "can't $divide by zero");
    return divide(a, b);
  } },
  $mod: { min: 2, max: 2, apply: ([a, b]) => {
    if (isNil(a) || isNil(b)) return null;
    if (!numericOrNull(a) || !numericOrNull(b)) throw fail(16611, `$mod only supports numeric types, not ${typeOf(a)} and ${typeOf(b)}`);
    if (toNumber(b) === 0) throw fail(16610, "can't $mod by zero");
    return modulo(a, b);
  } },
  $abs: numeric('$abs', (n, like) => (n < 0 ? multiply(like, -1) : like)),
  $ceil: numeric('$ceil', (n, like) => roundLike(like, Math.ceil(n))), $floor: numeric('$floor', (n, like) => roundLike(like, Math.floor(n))),
  $round: { min: 1, max: 2, apply: ([value, place]) => (isNil(value) ? null : roundLike(mustBeNumber('$round', value), roundHalfEven(toNumber(value) as number, toNumber(place ?? 0) as number))) },
  $trunc: { min: 1, max: 2, apply: ([value, place]) => { const scale = 10 ** (toNumber(place ?? 0) as number); return isNil(value) ? null : roundLike(mustBeNumber('$trunc', value), Math.trunc((toNumber(value) as number) * scale) / scale); } },
  $sqrt: numeric('$sqrt', n => { if (n < 0) throw fail(28714, "$sqrt's argument must be greater than or equal to 0"); return toDouble(Math.sqrt(n)); }),
  $concat: { min: 0, max: Infinity, apply: values => {
    for (const value of values) {
      if (isNil(value)) return null;
      if (typeof value !== 'string') throw fail(16702, `$concat only supports strings, not ${typeOf(value)}`);
    }
    return values.join('');
  } },
  $toLower: unary(value => coerceToString(value).toLowerCase()), $toUpper: unary(value => coerceToString(value).toUpperCase()),
  $strLenCP: unary(value => { if (typeof value !== 'string') throw fail(34471, `$strLenCP requires a string argument, found: ${typeOf(value)}`); return [...value].length; }),
  $strLenBytes: unary(value => { if (typeof value !== 'string') throw fail(34473, `$strLenBytes requires a string argument, found: ${typeOf(value)}`); return Buffer.byteLength(value); }),
  $strcasecmp: { min: 2, max: 2, apply: ([a, b]) => compareValues(coerceToString(a).toUpperCase(), coerceToString(b).toUpperCase()) },
  $type: unary(value => typeOf(value)), $isNumber: unary(value => numericOrNull(value)), $isArray: unary(value => Array.isArray(value)),
  $size: unary(value => { if (!Array.isArray(value)) throw fail(17124, `The argument to $size must be an array, but was of type: ${typeOf(value)}`); return value.length; }),
  $arrayElemAt: { min: 2, max: 2, apply: ([items, at]) => (isNil(items) || isNil(at) ? null : list('$arrayElemAt', items).at(toNumber(at) as number)) },
  $first: unary(items => (isNil(items) ? null : list('$first', items)[0])), $last: unary(items => (isNil(items) ? null : list('$last', items).at(-1))),
  $in: { min: 2, max: 2, apply: ([value, items], collation) => { if (!Array.isArray(items)) throw fail(40081, `$in requires an array as a second argument, found: ${typeOf(items)}`); return value !== undefined && items.some(item => isEqual(item, value, collation)); } },
  $concatArrays: { min: 0, max: Infinity, apply: values => arrays('$concatArrays', values)?.flat() ?? null },
  $setUnion: { min: 0, max: Infinity, apply: values => { const sets = arrays('$setUnion', values); return sets && distinct(sets.flat()); } },
  $setIntersection: { min: 0, max: Infinity, apply: values => { const sets = arrays('$setIntersection', values); return sets && distinct((sets[0] ?? []).filter(item => sets.every(set => set.some(other => isEqual(other, item))))); } },
  $setDifference: { min: 2, max: 2, apply: values => { const sets = arrays('$setDifference', values); return sets && distinct((sets[0] as unknown[]).filter(item => !(sets[1] as unknown[]).some(other => isEqual(other, item)))); } },
  $setEquals: { min: 2, max: Infinity, apply: values => { const keys = values.map(value => distinct(list('$setEquals', value)).map(item => keyOf(item)).sort().join('\u0003')); return keys.every(key => key === keys[0]); } },
  $setIsSubset: { min: 2, max: 2, apply: ([a, b]) => list('$setIsSubset', a).every(item => list('$setIsSubset', b).some(other => isEqual(other, item))) },
  $reverseArray: orNull(value => list('$reverseArray', value).toReversed()),
  $slice: { min: 2, max: 3, apply: ([items, from, count]) => (isNil(items) || isNil(from) ? null : sliceOf(list('$slice', items), toNumber(from) as number, count === undefined ? null : toNumber(count) as number)) },
  $range: { min: 2, max: 3, apply: ([from, to, step]) => rangeOf(toNumber(from) as number, toNumber(to) as number, toNumber(step ?? 1) as number) },
  $mergeObjects: { min: 0, max: Infinity, apply: values => Object.assign({}, ...values.filter(value => !isNil(value)).map(value => { if (!isDoc(value)) throw fail(40400, `$mergeObjects requires object inputs, but input is of type ${typeOf(value)}`); return value; })) as Doc },
  $objectToArray: orNull(value => Object.entries(value as Doc).map(([k, v]) => ({ k, v }))),
  $arrayToObject: orNull(value => Object.fromEntries(list('$arrayToObject', value).map(pair => (Array.isArray(pair) ? [String(pair[0]), pair[1]] : [String((pair as Doc)['k']), (pair as Doc)['v']])))),
  $sum: { min: 0, max: Infinity, apply: values => spread(values).filter(numericOrNull).reduce<unknown>((sum, value) => add(sum, value), 0) },
  $avg: { min: 0, max: Infinity, apply: values => { const numbers = spread(values).filter(numericOrNull); return numbers.length ? divide(numbers.reduce<unknown>((sum, value) => add(sum, value), 0), numbers.length) : null; } },
  $min: { min: 0, max: Infinity, apply: values => spread(values).filter(value => !isNil(value)).reduce<unknown>((best, value) => (best === null || compareValues(value, best) < 0 ? value : best), null) },
  $max: { min: 0, max: Infinity, apply: values => spread(values).filter(value => !isNil(value)).reduce<unknown>((best, value) => (best === null || compareValues(value, best) > 0 ? value : best), null) },
  $toString: orNull(asString), $toInt: orNull(value => convertWhole(value, 'int')), $toLong: orNull(value => convertWhole(value, 'long')),
  $toDouble: orNull(value => toDouble(value instanceof Date ? value.getTime() : typeof value === 'boolean' ? Number(value) : typeof value === 'string' ? parseNumber(value) : toNumber(value) as number)),
  $toDecimal: orNull(value => (typeof value === 'string' ? Decimal128.fromString(value) : toDecimal128(typeof value === 'boolean' ? Number(value) : value instanceof Date ? value.getTime() : value))),
  $toBool: orNull(value => isTruthy(value)), $toDate: orNull(asDate),
  $toObjectId: orNull(value => { if (value instanceof ObjectId) return value; if (typeof value !== 'string' || !/^[0-9a-f]{24}$/i.test(value)) throw fail(241, `Failed to parse objectId '${String(value)}' in $convert with no onError value`); return new ObjectId(value); }),
  $bsonSize: orNull(() => { throw fail('NotImplemented', '$bsonSize is refused by this test server'); }),
  $rand: { min: 0, max: 1, apply: () => Math.random() },
};

function list(name: string, value: unknown): unknown[] {
  if (!Array.isArray(value)) throw fail(28690, `The argument to ${name} must be an array, but was of type: ${typeOf(value)}`);
  return value;
}

const spread = (values: unknown[]): unknown[] => (values.length === 1 && Array.isArray(values[0]) ? values[0] : values);

function sliceOf(items: unknown[], from: number, count: number | null): unknown[] {
  if (count === null) return from >= 0 ? items.slice(0, from) : items.slice(from);
  const start = from < 0 ? Math.max(0, items.length + from) : from;
  return items.slice(start, start + count);
}

function rangeOf(from: number, to: number, step: number): number[] {
  if (step === 0) throw fail(34449, '$range requires a non-zero step value');
  const out: number[] = [];
  for (let at = from; step > 0 ? at < to : at > to; at += step) out.push(at);
  return out;
}

function roundHalfEven(value: number, place: number): number {
  const scaled = value * 10 ** place;
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = rest > 0.5 || (rest === 0.5 && floor % 2 !== 0) ? floor + 1 : floor;
  return rounded / 10 ** place;
}

function asString(value: unknown): string {
  if (value instanceof Date) return value.toISOString();
  if (!['string', 'boolean'].includes(typeof value) && !numericOrNull(value) && !(value instanceof ObjectId)) throw fail(241, `Unsupported conversion from ${typeOf(value)} to string in $convert with no onError value`);
  return numericOrNull(value) && typeof value === 'object' && !(value instanceof Decimal128) ? String(toNumber(value)) : String(value);
}

function parseNumber(text: string): number {
  const number = Number(text);
  if (text.trim() === '' || Number.isNaN(number)) throw fail(241, `Failed to parse number '${text}' in $convert with no onError value: Did not consume whole string.`);
  return number;
}

function convertWhole(value: unknown, to: 'int' | 'long'): number | bigint {
  if (typeof value === 'bigint' && to === 'long') return value;
  const number = value instanceof Date ? value.getTime() : typeof value === 'boolean' ? Number(value) : typeof value === 'string' ? parseNumber(value) : toNumber(value);
  if (number === undefined || !Number.isFinite(number)) throw fail(241, `Unsupported conversion from ${typeOf(value)} to ${to} in $convert with no onError value`);
  if (typeof value === 'string' && !Number.isInteger(number)) throw fail(241, `Failed to parse number '${value}' in $convert with no onError value`);
  const whole = Math.trunc(number);
  if (to === 'int' && Math.abs(whole) > 2147483648) throw fail(241, `Conversion would overflow target type in $convert with no onError value: ${number}`);
  return to === 'int' ? whole : BigInt(whole);
}

function asDate(value: unknown): Date {
  if (value instanceof Date) return value;
  if (value instanceof ObjectId) return value.getTimestamp();
  if (value instanceof Timestamp) return new Date(value.t * 1000);
  const date = new Date(typeof value === 'string' ? value : toNumber(value) ?? NaN);
  if (Number.isNaN(date.getTime())) throw fail(241, `Unsupported conversion from ${typeOf(value)} to date in $convert with no onError value`);
  return date;
}
