// Filters as functions. Equality on one plain field, the hot case, does not leave this file.
import { BSONRegExp, BSONSymbol, Binary } from 'bson';
import { fail } from '../errors.ts';
import type { Collation } from '../values/collation.ts';
import { bracketOf, compareValues } from '../values/compare.ts';
import { keyOf } from '../values/key-string.ts';
import { fieldOf, pathParts, someAt } from '../values/paths.ts';
import { type Doc, isDoc, isTruthy, toNumber, TYPE_NUMBERS, type TypeName, typeOf } from '../values/types.ts';
import { compileExpression, type Variables } from './expression.ts';
import { type Comparison, type Node, parseFilter } from './filter.ts';
import { geoTest } from './geo.ts';
import { schemaTest } from './json-schema.ts';

export type Test = (doc: Doc) => boolean;
export type MatchContext = { collation: Collation | null; variables: Variables };

const PLAIN_CONTEXT: MatchContext = { collation: null, variables: {} };

export const compileFilter = (filter: unknown, context: MatchContext = PLAIN_CONTEXT): Test => compileNode(parseFilter(filter), context);

export function compileNode(node: Node, context: MatchContext): Test {
  switch (node.kind) {
    case 'and': return every(node.nodes.map(inner => compileNode(inner, context)));
    case 'or': { const tests = node.nodes.map(inner => compileNode(inner, context)); return doc => tests.some(test => test(doc)); }
    case 'nor': { const tests = node.nodes.map(inner => compileNode(inner, context)); return doc => !tests.some(test => test(doc)); }
    case 'not': { const test = compileNode(node.node, context); return doc => !test(doc); }
    case 'constant': return () => node.value;
    case 'expression': { const evaluate = compileExpression(node.expression, context.variables, context.collation); return doc => isTruthy(evaluate({ root: doc, vars: context.variables })); }
    case 'schema': return schemaTest(node.schema);
    case 'exists': return onPath(node.path, value => value !== undefined, false);
    case 'size': return onPath(node.path, value => Array.isArray(value) && value.length === node.size, false);
    case 'elemMatch': return elemMatch(node, context);
    default: return onPath(node.path, valueTest(node, context));
  }
}

function valueTest(node: Node, { collation }: MatchContext): (value: unknown) => boolean {
  switch (node.kind) {
    case 'compare': return comparison(node.op, node.value, collation);
    case 'in': return membership(node.values, collation);
    case 'regex': return value => (typeof value === 'string' || value instanceof BSONSymbol ? node.pattern.test(String(value)) : value instanceof BSONRegExp && value.pattern === node.source.pattern && value.options === node.source.options);
    case 'type': return typeTest(node.types);
    case 'mod': return value => {
      if (typeof value === 'bigint') return value % BigInt(node.divisor) === BigInt(node.remainder);
      const number = toNumber(value);
      return number !== undefined && Math.abs(number) < 2 ** 63 && Math.trunc(number) % node.divisor === node.remainder;
    };
    case 'bits': return value => bitsTest(value, node.op, node.mask);
    case 'geo': return geoTest(node.op, node.shape);
    default: throw fail('InternalError', `no test for ${node.kind}`);
  }
}

function every(tests: Test[]): Test {
  if (tests.length === 1) return tests[0] as Test;
  return doc => { for (const test of tests) if (!test(doc)) return false; return true; };
}

function onPath(path: string, test: (value: unknown) => boolean, leafArrays = true): Test {
  const parts = pathParts(path);
  if (parts.length > 1) return doc => someAt(doc, parts, 0, test, leafArrays);
  return doc => {
    const value = Object.hasOwn(doc, path) ? doc[path] : undefined;
    if (leafArrays && Array.isArray(value)) for (const item of value) if (test(item)) return true;
    return test(value);
  };
}

function comparison(op: Comparison, operand: unknown, collation: Collation | null): (value: unknown) => boolean {
  if (op === 'eq') return equality(operand, collation);
  const type = typeOf(operand);
  if (type === 'minKey' || type === 'maxKey') return value => holds(op, compareValues(value ?? null, operand));
  const bracket = bracketOf(operand);
  const operandKey = keyOf(operand, collation);
  const orEqual = op === 'lte' || op === 'gte';
  const isNan = type === 'double' && Number.isNaN(toNumber(operand));
  if (bracket === bracketOf(null)) return value => orEqual && (value === null || value === undefined);
  if (isNan) return value => orEqual && keyOf(value) === operandKey;
  return value => {
    if (typeof value === 'number' && typeof operand === 'number') return op === 'lt' ? value < operand : op === 'gt' ? value > operand : op === 'lte' ? value <= operand : value >= operand;
    if (value === undefined || bracketOf(value) !== bracket || Number.isNaN(toNumber(value))) return false;
    return holds(op, compareValues(value, operand, collation));
  };
}

const holds = (op: Comparison, order: number): boolean =>
  op === 'lt' ? order < 0 : op === 'lte' ? order <= 0 : op === 'gt' ? order > 0 : op === 'gte' ? order >= 0 : order === 0;

function equality(operand: unknown, collation: Collation | null): (value: unknown) => boolean {
  if (operand === null || operand === undefined) return value => value === null || value === undefined;
  if (typeof operand === 'string' && collation === null) return value => value === operand || (value instanceof BSONSymbol && value.value === operand);
  if (typeof operand === 'boolean') return value => value === operand;
  const key = keyOf(operand, collation);
  const bracket = bracketOf(operand);
  return value => value === operand || (value !== undefined && bracketOf(value) === bracket && keyOf(value, collation) === key);
}

function membership(operands: unknown[], collation: Collation | null): (value: unknown) => boolean {
  const keys = new Set(operands.map(operand => keyOf(operand, collation)));
  return value => keys.has(keyOf(value, collation)); // a missing field has null's key
}

function elemMatch(node: Node & { kind: 'elemMatch' }, context: MatchContext): Test {
  const test = compileNode(node.node, context);
  const matches = (item: unknown): boolean => (node.onValues ? test({ value: Array.isArray(item) ? [item] : item }) : test(isDoc(item) ? item : Array.isArray(item) ? Object.fromEntries(item.entries()) : {}) && (isDoc(item) || Array.isArray(item)));
  return onPath(node.path, value => Array.isArray(value) && value.some(matches), false);
}

function typeTest(types: unknown[]): (value: unknown) => boolean {
  const names = new Set(types.flatMap(typeNames));
  return value => value !== undefined && names.has(typeOf(value));
}

const typeCodes = Object.entries(TYPE_NUMBERS).filter(([name]) => name !== 'missing');

function typeNames(type: unknown): TypeName[] {
  if (type === 'number') return ['int', 'long', 'double', 'decimal'];
  const number = toNumber(type);
  const found = typeCodes.find(([name, code]) => name === type || code === number);
  if (!found && number !== 4 && type !== 'array') throw fail('BadValue', typeof type === 'string' ? `Unknown type name alias: ${type}` : `Invalid numerical type code: ${String(type)}`);
  return [found ? found[0] as TypeName : 'array'];
}

function bitsTest(value: unknown, op: string, mask: bigint): boolean {
  const bits = value instanceof Binary ? [...value.value()].reduceRight<bigint>((sum, byte) => (sum << 8n) | BigInt(byte), 0n) : toNumber(value);
  if (bits === undefined || (typeof bits === 'number' && !Number.isInteger(bits))) return false;
  const set = BigInt(bits) & mask;
  return op === '$bitsAllSet' ? set === mask : op === '$bitsAllClear' ? set === 0n : op === '$bitsAnySet' ? set !== 0n : set !== mask;
}

// The position of the first array item that a filter matched: what `$` stands for in updates and projections.
export function matchedPosition(filter: unknown, doc: Doc, arrayPath: string, context: MatchContext): number | null {
  const parts = pathParts(arrayPath);
  let items: unknown = doc;
  for (const part of parts) items = fieldOf(items, part);
  if (!Array.isArray(items)) return null;
  const nodes = conditionsOn(parseFilter(filter), arrayPath);
  for (const node of nodes) {
    const test = compileNode(node, context);
    const at = items.findIndex(item => test(nest(parts, [item])));
    if (at >= 0) return at;
  }
  return null;
}

function conditionsOn(node: Node, path: string): Node[] {
  if (node.kind === 'and' || node.kind === 'or') return node.nodes.flatMap(inner => conditionsOn(inner, path));
  return 'path' in node && (node.path === path || node.path.startsWith(`${path}.`)) ? [node] : [];
}

const nest = (parts: readonly string[], value: unknown): Doc => parts.reduceRight<unknown>((inner, part) => ({ [part]: inner }), value) as Doc;
