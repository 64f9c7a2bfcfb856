// Index declarations: what createIndexes accepts, as an index that can be built.
import { fail } from '../errors.ts';
import { compileFilter } from '../query/match.ts';
import { parseFilter } from '../query/filter.ts';
import { parseCollation } from '../values/collation.ts';
import { type Doc, isDoc, isTruthy, toNumber } from '../values/types.ts';
import { Index, type IndexSpec } from './indexes.ts';
import type { IndexField } from './index-keys.ts';

const OPTIONS = new Set(['v', 'key', 'name', 'ns', 'unique', 'sparse', 'background', 'expireAfterSeconds', 'partialFilterExpression', 'collation', 'hidden', 'weights', 'default_language', 'language_override', 'textIndexVersion', '2dsphereIndexVersion', 'bits', 'min', 'max', 'storageEngine', 'prepareUnique', 'wildcardProjection', 'clustered']);

// The stored form: a name, `v: 2`, and only the options that say something.
export function normalizeSpec(spec: Doc): Doc {
  for (const option of Object.keys(spec)) if (!OPTIONS.has(option)) throw fail('InvalidIndexSpecificationOption', `Error in specification ${JSON.stringify(spec)} :: caused by :: The field '${option}' is not valid for an index specification. Specification: ${JSON.stringify(spec)}`);
  const key = spec['key'];
  if (!isDoc(key) || Object.keys(key).length === 0) throw fail('CannotCreateIndex', 'Index keys cannot be an empty object.');
  const { v: _, key: __, name, ns: ___, background: ____, unique, sparse, hidden, ...rest } = spec;
  if (typeof spec['name'] !== 'string' && spec['name'] !== undefined) throw fail('TypeMismatch', 'The field \'name\' must be a string');
  const out: Doc = { v: 2, key, name: name ?? nameOf(key), ...rest };
  for (const [option, value] of Object.entries({ unique, sparse, hidden })) if (value !== undefined && isTruthy(value)) out[option] = true;
  if (isDoc(spec['collation'])) {
    const collation = parseCollation(spec['collation']);
    if (collation) out['collation'] = collation.spec;
    else delete out['collation'];
  }
  toIndex(out);
  return out;
}

const nameOf = (key: Doc): string => Object.entries(key).map(([path, value]) => `${path}_${String(toNumber(value) ?? value)}`).join('_');

export function toIndex(options: Doc): Index {
  const pattern = options['key'] as Doc;
  let kind: IndexSpec['kind'] = 'btree';
  const fields = Object.entries(pattern).map(([path, value]): IndexField => {
    const number = toNumber(value);
    if (path === '' || path.split('.').includes('')) throw fail('CannotCreateIndex', 'Index keys cannot contain an empty field.');
    if (path.startsWith('$') && path !== '$**') throw fail('CannotCreateIndex', `Index key contains an illegal field name: field name starts with '$'.`);
    if (number === undefined) kind = pluginKind(value);
    else if (number === 0 || Number.isNaN(number)) throw fail('CannotCreateIndex', 'Values in the index key pattern cannot be 0.');
    return { path, direction: (number ?? 1) < 0 ? -1 : 1 };
  });
  if (fields.some(({ path }) => path.includes('$**'))) throw fail('NotImplemented', 'wildcard indexes are refused by this test server');
  const partial = options['partialFilterExpression'];
  if (partial !== undefined && !isDoc(partial)) throw fail('CannotCreateIndex', "The field 'partialFilterExpression' must be an object");
  if (partial && isTruthy(options['sparse'])) throw fail('CannotCreateIndex', 'cannot mix "partialFilterExpression" and "sparse" options');
  if (partial) checkPartial(partial);
  const expire = options['expireAfterSeconds'];
  const expireAfterSeconds = expire === undefined ? null : toNumber(expire) ?? -1;
  if (expireAfterSeconds !== null && (expireAfterSeconds < 0 || expireAfterSeconds > 2147483647)) throw fail('CannotCreateIndex', "TTL index 'expireAfterSeconds' option must be numeric and within 0 and 2147483647");
  if (expireAfterSeconds !== null && fields.length > 1) throw fail('CannotCreateIndex', 'TTL indexes are single-field indexes, compound indexes do not support TTL');
  return new Index({
    name: String(options['name']), fields, pattern, kind, options, expireAfterSeconds,
    unique: isTruthy(options['unique']), sparse: isTruthy(options['sparse']), hidden: isTruthy(options['hidden']),
    collation: parseCollation(options['collation']), partial: partial ? { filter: partial, test: compileFilter(partial) } : null,
  });
}

function pluginKind(value: unknown): IndexSpec['kind'] {
  if (value === 'hashed' || value === '2dsphere') return value;
  throw fail(value === 'text' || value === '2d' ? 'NotImplemented' : 'CannotCreateIndex', value === 'text' || value === '2d' ? `${value} indexes are refused by this test server` : `Unknown index plugin '${String(value)}'`);
}

const PARTIAL_KINDS = new Set(['and', 'or', 'compare', 'exists', 'type', 'in', 'geo']);

function checkPartial(filter: Doc): void {
  const check = (node: ReturnType<typeof parseFilter>): void => {
    if (!PARTIAL_KINDS.has(node.kind)) throw fail('CannotCreateIndex', `Expression not supported in partial index: ${JSON.stringify(filter)}`);
    if (node.kind === 'and' || node.kind === 'or') node.nodes.forEach(check);
  };
  check(parseFilter(filter));
}
