import { EJSON } from 'bson';
import type { Entities } from './entities.ts';
import { isDocument, toNumeric } from './kinds.ts';
import { matchOperator, operatorOf } from './match-operators.ts';
import { must, show } from './mismatch.ts';
import type { Fields } from './schema.ts';

/**
 * The matching rules of the unified test format.
 *
 * - A root-level document may hold fields that the expectation does not name; a nested one may not.
 * - An array at root level holds root-level documents; a nested array does not.
 * - The order of keys is free, the order of an array is not.
 * - int, long and double are equal when their numbers are; every other type must be the same type.
 * - A key `$$name`, alone in its document, is an operator and may ask for absence.
 */
export type MatchScope = Pick<Entities, 'get' | 'lsid'>;

export type Match = {
  readonly expected: unknown;
  readonly actual: unknown;
  readonly root: boolean;
  readonly at: string;
  readonly scope: MatchScope;
};

export function match(value: Match): void {
  const { expected, actual, at } = value;
  const operator = operatorOf(expected);
  if (operator !== undefined) return matchOperator(operator, { ...value, present: actual !== undefined }, match);
  if (Array.isArray(expected)) return matchArray(expected, value);
  if (isDocument(expected)) return matchDocument(expected, value);
  must(sameValue(expected, actual), at, () => `expected ${show(expected)}, got ${show(actual)}`);
}

function matchArray(expected: readonly unknown[], value: Match): void {
  const { actual, at } = value;
  must(Array.isArray(actual), at, () => `expected an array, got ${show(actual)}`);
  const items = actual as readonly unknown[];
  must(items.length === expected.length, at, () => `expected ${expected.length} items ${show(expected)}, got ${items.length} ${show(items)}`);
  expected.forEach((item, index) => match({ ...value, expected: item, actual: items[index], at: `${at}[${index}]` }));
}

function matchDocument(expected: Fields, value: Match): void {
  const { at, root } = value;
  const actual = toFields(value.actual);
  must(actual !== undefined, at, () => `expected ${show(expected)}, got ${show(value.actual)}`);
  const fields = actual as Fields;
  for (const [key, child] of Object.entries(expected)) matchField(key, child, fields, value);
  if (root) return;
  const extra = Object.keys(fields).filter(key => fields[key] !== undefined && !(key in expected));
  must(extra.length === 0, at, () => `unexpected ${extra.join(', ')} in ${show(fields)}`);
}

function matchField(key: string, expected: unknown, fields: Fields, parent: Match): void {
  const at = `${parent.at}.${key}`;
  const actual = fields[key];
  const present = actual !== undefined;
  const operator = operatorOf(expected);
  const child = { ...parent, expected, actual, at, root: false };
  if (operator !== undefined) return matchOperator(operator, { ...child, present }, match);
  must(present, at, () => `expected ${show(expected)}, got no such field in ${show(fields)}`);
  match(child);
}

/** The driver answers some results as a Map by index; a Map reads as a document with those keys. */
function toFields(actual: unknown): Fields | undefined {
  if (actual instanceof Map) return Object.fromEntries([...actual].map(([key, item]) => [String(key), item]));
  return isDocument(actual) ? actual : undefined;
}

function sameValue(expected: unknown, actual: unknown): boolean {
  const [left, right] = [toNumeric(expected), toNumeric(actual)];
  if (left !== undefined || right !== undefined) return left === right || (Number.isNaN(left) && Number.isNaN(right));
  if (typeof expected !== 'object' || expected === null) return expected === actual;
  return actual !== undefined && toCanonical(expected) === toCanonical(actual);
}

const toCanonical = (value: unknown) => EJSON.stringify({ value }, { relaxed: false });
