import { EJSON } from 'bson';
import { isDocument, toNumeric } from './kinds.ts';
import type { Match } from './match.ts';
import { must, show } from './mismatch.ts';

/** The `$$` operators: what an expectation says when it is not a plain value. */
export type Operator = { readonly name: string; readonly operand: unknown };

type OperatorMatch = Match & { readonly present: boolean };
type Matcher = (value: Match) => void;

export function operatorOf(expected: unknown): Operator | undefined {
  if (!isDocument(expected)) return undefined;
  const [entry, ...others] = Object.entries(expected);
  if (entry === undefined || others.length > 0 || !entry[0].startsWith('$$')) return undefined;
  return { name: entry[0], operand: entry[1] };
}

export function matchOperator(operator: Operator, value: OperatorMatch, match: Matcher): void {
  const { name, operand } = operator;
  if (name === '$$exists') return matchExists(operand === true, value);
  if (name === '$$unsetOrMatches') return matchUnset(operand, value, match);
  must(value.present, value.at, () => `expected ${show({ [name]: operand })}, got nothing`);
  switch (name) {
    case '$$type':
      return matchType(operand, value);
    case '$$matchesEntity':
      return match({ ...value, expected: value.scope.get(String(operand)) });
    case '$$sessionLsid':
      return match({ ...value, expected: value.scope.lsid(String(operand)) });
    case '$$matchesHexBytes':
      return must(toHex(value.actual) === String(operand).toLowerCase(), value.at, () => `expected bytes ${operand}, got ${show(value.actual)}`);
    case '$$matchAsRoot':
      return match({ ...value, expected: operand, root: true });
    case '$$matchAsDocument':
      return match({ ...value, expected: operand, actual: EJSON.parse(String(value.actual)), root: false });
    case '$$lte':
      return matchAtMost(operand, value);
    default:
      throw new Error(`${value.at}: the matcher does not know ${name}`);
  }
}

function matchExists(wanted: boolean, { present, at, actual }: OperatorMatch): void {
  must(present === wanted, at, () => (wanted ? 'expected the field, got none' : `expected no such field, got ${show(actual)}`));
}

/** A result that a driver may leave out altogether is null or undefined at root level; a field is unset only when absent. */
function matchUnset(operand: unknown, value: OperatorMatch, match: Matcher): void {
  const unset = !value.present || (value.root && value.actual === null);
  if (!unset) match({ ...value, expected: operand });
}

function matchAtMost(operand: unknown, { actual, at }: OperatorMatch): void {
  const [number, bound] = [toNumeric(actual), toNumeric(operand)];
  must(number !== undefined && bound !== undefined && number <= bound, at, () => `expected at most ${show(operand)}, got ${show(actual)}`);
}

function matchType(operand: unknown, { actual, at }: OperatorMatch): void {
  const names = Array.isArray(operand) ? operand.map(String) : [String(operand)];
  must(names.some(name => isType(name, actual)), at, () => `expected type ${names.join(' or ')}, got ${show(actual)}`);
}

/** The driver hands int, long and double over as plain numbers, so a whole number may be any of the three. */
function isType(name: string, value: unknown): boolean {
  if (name === 'double' || name === 'number') return toNumeric(value) !== undefined;
  if (name === 'int' || name === 'long') return isWhole(value);
  const predicate = predicates[name];
  if (predicate === undefined) throw new Error(`the matcher does not know the type ${name}`);
  return predicate(value);
}

const isWhole = (value: unknown) => {
  const number = toNumeric(value);
  return typeof number === 'bigint' || Number.isInteger(number);
};

const hasTag = (tag: string) => (value: unknown) =>
  typeof value === 'object' && value !== null && '_bsontype' in value && value._bsontype === tag;

const predicates: Readonly<Record<string, (value: unknown) => boolean>> = {
  string: value => typeof value === 'string',
  object: isDocument,
  array: Array.isArray,
  binData: value => value instanceof Uint8Array || hasTag('Binary')(value),
  undefined: value => value === undefined,
  objectId: hasTag('ObjectId'),
  bool: value => typeof value === 'boolean',
  date: value => value instanceof Date,
  null: value => value === null,
  regex: value => value instanceof RegExp || hasTag('BSONRegExp')(value),
  javascript: hasTag('Code'),
  symbol: value => typeof value === 'symbol' || hasTag('BSONSymbol')(value),
  timestamp: hasTag('Timestamp'),
  decimal: hasTag('Decimal128'),
  minKey: hasTag('MinKey'),
  maxKey: hasTag('MaxKey'),
};

function toHex(value: unknown): string {
  const bytes = value instanceof Uint8Array ? value : hasTag('Binary')(value) ? (value as { buffer: Uint8Array }).buffer : undefined;
  return bytes === undefined ? '' : Buffer.from(bytes).toString('hex');
}
