// Values as strings whose order by code unit is MongoDB's order, and whose equality is its equality.
//
// Index keys, sort keys, group keys and sets are these strings, so one rule orders them all. Each value is a type
// character and a body; 0x0000 ends a string (an inner 0x0000 is written 0x0000 0x0001), 0x0002 ends an object or array.
import { BSONRegExp, BSONSymbol, Binary, Code, DBRef, Decimal128, Double, type ObjectId, Timestamp } from 'bson';
import { collate, type Collation } from './collation.ts';
import { decimalResidue, decimalSize } from './decimal.ts';
import { BRACKETS, type Doc, typeOf } from './types.ts';

export const UNDEFINED_KEY = '\u0014'; // an empty array is indexed as `undefined`, below null
const END = '\u0002';
const float = new DataView(new ArrayBuffer(8));

export function keyOf(value: unknown, collation: Collation | null = null): string {
  switch (typeof value) {
    case 'string': return '\u0030' + stringBody(collation ? collate(value, collation) : value);
    case 'number': return '\u0020' + doubleBody(value) + '\u8000';
    case 'boolean': return value ? '\u0080\u0005' : '\u0080\u0004';
    case 'undefined': return '\u0018';
    default: {
      const type = typeOf(value);
      return String.fromCharCode(BRACKETS[type]) + body(value, collation);
    }
  }
}

// The same order turned round, for descending index fields and sorts.
export function invertKey(key: string): string {
  const units = new Array<number>(key.length);
  for (let i = 0; i < key.length; i++) units[i] = 0xffff - key.charCodeAt(i);
  return fromUnits(units);
}

function fromUnits(units: number[]): string {
  if (units.length <= 4096) return String.fromCharCode(...units);
  let out = '';
  for (let i = 0; i < units.length; i += 4096) out += String.fromCharCode(...units.slice(i, i + 4096));
  return out;
}

function body(value: unknown, collation: Collation | null): string {
  switch (typeOf(value)) {
    case 'long': return longBody(value as bigint);
    case 'double': return doubleBody((value as Double).value) + '\u8000';
    case 'decimal': return decimalBody(value as Decimal128);
    case 'symbol': return stringBody((value as BSONSymbol).value);
    case 'object': return objectBody(value as Doc, collation);
    case 'array': return arrayBody(value as unknown[], collation);
    case 'binData': return binaryBody(value instanceof Uint8Array ? new Binary(value) : value as Binary);
    case 'objectId': return bytesBody((value as ObjectId).id);
    case 'date': return int64Body((value as Date).getTime());
    case 'timestamp': { const at = value as Timestamp; return word(at.t) + word(at.i); }
    case 'regex': return value instanceof RegExp ? stringBody(value.source) + stringBody(value.flags)
      : stringBody((value as BSONRegExp).pattern) + stringBody((value as BSONRegExp).options);
    case 'javascript': return stringBody(String((value as Code).code));
    case 'javascriptWithScope': return stringBody(String((value as Code).code)) + objectBody((value as Code).scope as Doc, collation);
    case 'dbPointer': return stringBody((value as DBRef).collection) + bytesBody(((value as DBRef).oid as ObjectId).id);
    default: return '';
  }
}

function objectBody(value: Doc, collation: Collation | null): string {
  let out = '';
  for (const name of Object.keys(value)) {
    const key = keyOf(value[name], collation);
    out += key[0] + stringBody(name) + key.slice(1);
  }
  return out + END;
}

function arrayBody(value: unknown[], collation: Collation | null): string {
  let out = '';
  for (const item of value) out += keyOf(item, collation);
  return out + END;
}

// Code units of a surrogate pair sort below U+E000, its code point above: both ranges are swapped where they occur.
function stringBody(text: string): string {
  if (!/[\0\ud800-\uffff]/.test(text)) return text + '\0';
  const units: number[] = [];
  for (let i = 0; i < text.length; i++) {
    const unit = text.charCodeAt(i);
    if (unit === 0) units.push(0, 1);
    else if (unit >= 0xe000) units.push(unit - 0x800);
    else units.push(unit >= 0xd800 ? unit + 0x2000 : unit);
  }
  return fromUnits(units) + '\0';
}

function doubleBody(value: number): string {
  if (Number.isNaN(value)) return '\0\0\0\0';
  float.setFloat64(0, value === 0 ? 0 : value);
  const flip = value < 0 ? 0xffff : 0;
  return String.fromCharCode(
    float.getUint16(0) ^ (flip || 0x8000), float.getUint16(2) ^ flip, float.getUint16(4) ^ flip, float.getUint16(6) ^ flip);
}

// An int64 past 2^53 and its nearest double differ by at most 512: the difference follows the double.
function longBody(value: bigint): string {
  const near = Number(value);
  return doubleBody(near) + String.fromCharCode(0x8000 + Number(value - BigInt(near)) * 2);
}

function decimalBody(value: Decimal128): string {
  const text = value.toString();
  const near = text === 'NaN' ? NaN : Number(text);
  if (text.endsWith('NaN') || text.endsWith('Infinity')) return doubleBody(near) + '\u8000';
  if (!Number.isFinite(near)) return beyondDoubles(text);
  if (near === 0 && decimalSize(text).digits !== '') return belowDoubles(text);
  const residue = decimalResidue(text, near);
  if (residue === 0n) return doubleBody(near) + '\u8000';
  // A whole residue (an integer past 2^53) takes the form that an int64 has, so that both are one key.
  if (residue % (1n << 80n) === 0n) {
    const whole = residue >> 80n;
    if (whole > -16000n && whole < 16000n) return doubleBody(near) + String.fromCharCode(0x8000 + Number(whole) * 2);
  }
  const floor = residue >> 80n;
  const lead = floor > -16000n && floor < 16000n ? Number(floor) : floor < 0n ? -16000 : 16000;
  const rest = residue & ((1n << 80n) - 1n);
  let tail = '';
  for (let shift = 64n; shift >= 0n; shift -= 16n) tail += String.fromCharCode(Number((rest >> shift) & 0xffffn));
  return doubleBody(near) + String.fromCharCode(0x8000 + lead * 2 + 1) + tail;
}

// Between the greatest double and infinity, in order of size.
function beyondDoubles(text: string): string {
  const { digits, end } = decimalSize(text);
  const size = word(end) + digits;
  return text.startsWith('-')
    ? doubleBody(-Number.MAX_VALUE) + '\0' + invertKey(size) + '\uffff'
    : doubleBody(Number.MAX_VALUE) + '\uffff' + size;
}

// Between zero and the double next to it, in order of size; no such decimal is below 10^-6176.
function belowDoubles(text: string): string {
  const { digits, end } = decimalSize(text);
  const size = word(end + 10_000) + digits;
  return doubleBody(0) + (text.startsWith('-') ? '\u7fff' + invertKey(size) + '\uffff' : '\u8001' + size);
}

const word = (value: number): string => String.fromCharCode(value >>> 16, value & 0xffff);

function int64Body(value: number): string {
  return word(Math.floor(value / 4294967296) + 0x80000000) + word(value >>> 0);
}

function bytesBody(bytes: Uint8Array): string {
  const units: number[] = [];
  for (const byte of bytes) units.push(byte);
  return fromUnits(units);
}

const binaryBody = (value: Binary): string =>
  word(value.position) + String.fromCharCode(value.sub_type) + bytesBody(value.value());
