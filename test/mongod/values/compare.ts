// MongoDB's comparison of values, and the equality that goes with it.
import type { Collation } from './collation.ts';
import { keyOf } from './key-string.ts';
import { BRACKETS, typeOf } from './types.ts';

export function compareValues(left: unknown, right: unknown, collation: Collation | null = null): number {
  if (typeof left === 'number' && typeof right === 'number' && left === left && right === right) return left < right ? -1 : left > right ? 1 : 0;
  if (typeof left === 'string' && typeof right === 'string' && collation === null) return compareStrings(left, right);
  const a = keyOf(left, collation);
  const b = keyOf(right, collation);
  return a < b ? -1 : a > b ? 1 : 0;
}

export function isEqual(left: unknown, right: unknown, collation: Collation | null = null): boolean {
  if (left === right) return true;
  if (typeof left === 'string' && typeof right === 'string' && collation === null) return false;
  return bracketOf(left) === bracketOf(right) && keyOf(left, collation) === keyOf(right, collation);
}

export const bracketOf = (value: unknown): number => BRACKETS[typeOf(value)];

// The same bytes: 1 and 1.0 are equal but not identical, and an update from one to the other is a change.
export function isIdentical(left: unknown, right: unknown): boolean {
  if (left === right) return !Object.is(left, 0) || Object.is(left, right);
  const type = typeOf(left);
  if (type !== typeOf(right)) return false;
  if (type === 'array') {
    const [a, b] = [left as unknown[], right as unknown[]];
    return a.length === b.length && a.every((item, i) => isIdentical(item, b[i]));
  }
  if (type === 'object') {
    const [a, b] = [Object.entries(left as object), Object.entries(right as object)];
    return a.length === b.length && a.every(([name, item], i) => b[i]?.[0] === name && isIdentical(item, b[i]?.[1]));
  }
  if (type === 'decimal') return String(left) === String(right);
  return keyOf(left) === keyOf(right);
}

// Compares by code point: UTF-16 units order surrogate pairs below U+E000, so the first difference is looked at.
function compareStrings(left: string, right: string): number {
  if (left === right) return 0;
  const length = Math.min(left.length, right.length);
  for (let i = 0; i < length; i++) {
    const a = left.charCodeAt(i);
    const b = right.charCodeAt(i);
    if (a !== b) {
      const aPair = a >= 0xd800 && a <= 0xdfff;
      const bPair = b >= 0xd800 && b <= 0xdfff;
      return aPair !== bPair && (a >= 0xe000 || b >= 0xe000) ? (aPair ? 1 : -1) : a < b ? -1 : 1;
    }
  }
  return left.length < right.length ? -1 : 1;
}
