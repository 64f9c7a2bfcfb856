// A filter as a tree: what the matcher compiles and the planner reads.
import { BSONRegExp } from 'bson';
import { fail } from '../errors.ts';
import { type Doc, isDoc, isTruthy, toNumber } from '../values/types.ts';

export type Comparison = 'eq' | 'lt' | 'lte' | 'gt' | 'gte';

export type Node =
  | { kind: 'and' | 'or' | 'nor'; nodes: Node[] }
  | { kind: 'not'; node: Node }
  | { kind: 'compare'; path: string; op: Comparison; value: unknown }
  | { kind: 'in'; path: string; values: unknown[] }
  | { kind: 'regex'; path: string; pattern: RegExp; source: BSONRegExp }
  | { kind: 'exists'; path: string }
  | { kind: 'type'; path: string; types: unknown[] }
  | { kind: 'size'; path: string; size: number }
  | { kind: 'mod'; path: string; divisor: number; remainder: number }
  | { kind: 'bits'; path: string; op: string; mask: bigint }
  | { kind: 'elemMatch'; path: string; node: Node; onValues: boolean }
  | { kind: 'geo'; path: string; op: string; shape: unknown }
  | { kind: 'expression'; expression: unknown }
  | { kind: 'schema'; schema: Doc }
  | { kind: 'constant'; value: boolean };

export function parseFilter(filter: unknown): Node {
  if (!isDoc(filter)) throw fail('TypeMismatch', "Expected field filter to be of type object");
  const nodes: Node[] = [];
  for (const [name, value] of Object.entries(filter)) {
    if (name.startsWith('$')) nodes.push(...parseTopLevel(name, value));
    else nodes.push(...parseField(name, value));
  }
  return nodes.length === 1 ? nodes[0] as Node : { kind: 'and', nodes };
}

function parseTopLevel(name: string, value: unknown): Node[] {
  switch (name) {
    case '$and': case '$or': case '$nor': {
      if (!Array.isArray(value)) throw fail('BadValue', `${name} must be an array`);
      if (value.length === 0) throw fail('BadValue', `$and/$or/$nor must be a nonempty array`);
      for (const item of value) if (!isDoc(item)) throw fail('BadValue', `$or/$and/$nor entries need to be full objects`);
      return [{ kind: name.slice(1) as 'and', nodes: value.map(parseFilter) }];
    }
    case '$expr': return [{ kind: 'expression', expression: value }];
    case '$jsonSchema':
      if (!isDoc(value)) throw fail('TypeMismatch', '$jsonSchema must be an object');
      return [{ kind: 'schema', schema: value }];
    case '$comment': return [];
    case '$alwaysTrue': return [{ kind: 'constant', value: true }];
    case '$alwaysFalse': return [{ kind: 'constant', value: false }];
    case '$where': case '$text': case '$sampleRate':
      throw fail('NotImplemented', `${name} is refused by this test server`);
    default: throw fail('BadValue', `unknown top level operator: ${name}. If you have a field name that starts with a '$' symbol, consider using $getField or $setField.`);
  }
}

export const isOperatorDoc = (value: unknown): value is Doc => {
  if (!isDoc(value)) return false;
  const first = Object.keys(value)[0];
  return first !== undefined && first.startsWith('$') && first !== '$ref' && first !== '$id' && first !== '$db';
};

function parseField(path: string, value: unknown): Node[] {
  if (value instanceof BSONRegExp) return [regexNode(path, value)];
  if (!isOperatorDoc(value)) return [{ kind: 'compare', path, op: 'eq', value }];
  return parseOperators(path, value);
}

function parseOperators(path: string, operators: Doc): Node[] {
  const out: Node[] = [];
  for (const [name, value] of Object.entries(operators)) {
    if (!name.startsWith('$')) throw fail('BadValue', `unknown operator: ${name}`);
    const node = parseOperator(path, name, value, operators);
    if (node) out.push(node);
  }
  return out;
}

function parseOperator(path: string, name: string, value: unknown, all: Doc): Node | null {
  switch (name) {
    case '$eq': case '$lt': case '$lte': case '$gt': case '$gte':
      if (value instanceof BSONRegExp && name !== '$eq') throw fail('BadValue', `Can't have RegEx as arg to predicate over field '${path}'.`);
      return { kind: 'compare', path, op: name.slice(1) as Comparison, value };
    case '$ne':
      if (value instanceof BSONRegExp) throw fail('BadValue', "Can't have regex as arg to $ne.");
      return { kind: 'not', node: { kind: 'compare', path, op: 'eq', value } };
    case '$in': return inNode(path, name, value);
    case '$nin': return { kind: 'not', node: inNode(path, name, value) };
    case '$not': return notNode(path, value);
    case '$exists': return isTruthy(value) ? { kind: 'exists', path } : { kind: 'not', node: { kind: 'exists', path } };
    case '$type': return { kind: 'type', path, types: Array.isArray(value) ? value : [value] };
    case '$size': return { kind: 'size', path, size: wholeNumber(value, '$size') };
    case '$mod': return modNode(path, value);
    case '$regex': return regexNode(path, toRegex(value, all['$options']));
    case '$options':
      if (all['$regex'] === undefined) throw fail('BadValue', '$options needs a $regex');
      return null;
    case '$all': return allNode(path, value);
    case '$elemMatch': return elemMatchNode(path, value);
    case '$bitsAllSet': case '$bitsAllClear': case '$bitsAnySet': case '$bitsAnyClear':
      return { kind: 'bits', path, op: name, mask: bitMask(value) };
    case '$geoWithin': case '$geoIntersects': return { kind: 'geo', path, op: name, shape: value };
    case '$near': case '$nearSphere': throw fail('NotImplemented', `${name} is refused by this test server`);
    default: throw fail('BadValue', `unknown operator: ${name}`);
  }
}

function inNode(path: string, name: string, value: unknown): Node {
  if (!Array.isArray(value)) throw fail('BadValue', `${name} needs an array`);
  if (value.some(isOperatorDoc)) throw fail('BadValue', `cannot nest $ under ${name}`);
  const patterns = value.filter(item => item instanceof BSONRegExp);
  const values = value.filter(item => !(item instanceof BSONRegExp));
  const plain: Node = { kind: 'in', path, values };
  return patterns.length ? { kind: 'or', nodes: [plain, ...patterns.map(item => regexNode(path, item))] } : plain;
}

function notNode(path: string, value: unknown): Node {
  if (value instanceof BSONRegExp) return { kind: 'not', node: regexNode(path, value) };
  if (!isDoc(value)) throw fail('BadValue', '$not needs a regex or a document');
  if (!isOperatorDoc(value)) throw fail('BadValue', '$not cannot be empty and needs operators');
  return { kind: 'not', node: { kind: 'and', nodes: parseOperators(path, value) } };
}

function allNode(path: string, value: unknown): Node {
  if (!Array.isArray(value)) throw fail('BadValue', '$all needs an array');
  if (value.length === 0) return { kind: 'constant', value: false };
  return { kind: 'and', nodes: value.map(item => parseAllItem(path, item)) };
}

function parseAllItem(path: string, item: unknown): Node {
  if (item instanceof BSONRegExp) return regexNode(path, item);
  if (isDoc(item) && item['$elemMatch'] !== undefined) return elemMatchNode(path, item['$elemMatch']);
  if (isOperatorDoc(item)) throw fail('BadValue', 'no $ expressions in $all');
  return { kind: 'compare', path, op: 'eq', value: item };
}

function elemMatchNode(path: string, value: unknown): Node {
  if (!isDoc(value)) throw fail('BadValue', '$elemMatch needs an Object');
  const first = Object.keys(value)[0];
  const onValues = first !== undefined && first.startsWith('$') && !['$and', '$or', '$nor', '$expr', '$jsonSchema'].includes(first);
  return { kind: 'elemMatch', path, onValues, node: onValues ? { kind: 'and', nodes: parseOperators('value', value) } : parseFilter(value) };
}

function modNode(path: string, value: unknown): Node {
  if (!Array.isArray(value)) throw fail('BadValue', 'malformed mod, needs to be an array');
  if (value.length !== 2) throw fail('BadValue', `malformed mod, ${value.length < 2 ? 'not enough' : 'too many'} elements`);
  const [divisor, remainder] = value.map(item => Math.trunc(toNumber(item) ?? NaN)) as [number, number];
  if (Number.isNaN(divisor)) throw fail('BadValue', 'malformed mod, divisor not a number');
  if (divisor === 0) throw fail('BadValue', 'divisor cannot be 0');
  return { kind: 'mod', path, divisor, remainder };
}

function wholeNumber(value: unknown, name: string): number {
  const number = toNumber(value);
  if (number === undefined || !Number.isInteger(number) || number < 0) throw fail('BadValue', `Failed to parse ${name}. Expected a non-negative number in: ${name}`);
  return number;
}

function bitMask(value: unknown): bigint {
  if (Array.isArray(value)) return value.reduce<bigint>((mask, bit) => mask | (1n << BigInt(toNumber(bit) ?? 0)), 0n);
  const number = toNumber(value);
  if (number === undefined || number < 0) throw fail('BadValue', 'bit masks are non-negative numbers or arrays of positions');
  return BigInt(number);
}

function toRegex(pattern: unknown, options: unknown): BSONRegExp {
  if (pattern instanceof BSONRegExp) return new BSONRegExp(pattern.pattern, typeof options === 'string' ? options : pattern.options);
  if (typeof pattern !== 'string') throw fail('BadValue', '$regex has to be a string');
  return new BSONRegExp(pattern, typeof options === 'string' ? options : '');
}

const regexNode = (path: string, source: BSONRegExp): Node => ({ kind: 'regex', path, source, pattern: compileRegex(source) });

// PCRE and JavaScript agree on what tests use; `x` is unfolded, anything JavaScript cannot compile is an error.
export function compileRegex({ pattern, options }: BSONRegExp): RegExp {
  const flags = [...new Set(options)].filter(flag => 'ims'.includes(flag)).join('');
  let source = options.includes('x') ? pattern.replace(/\\.|\[[^\]]*\]|\s+|#.*$/gm, part => (/^(\s|#)/.test(part) ? '' : part)) : pattern;
  const inline = /^\(\?([ims]+)\)/.exec(source);
  if (inline) source = source.slice(inline[0].length);
  try {
    return new RegExp(source, [...new Set(flags + (inline?.[1] ?? '') + 'u')].join(''));
  } catch {
    try { return new RegExp(source, flags); } catch (error) { throw fail(51091, `Regular expression is invalid: ${String(error)}`); }
  }
}
