/** Random documents and requests. Small sets of values, so that equal keys, hits and neighbours are common. */
import fc from 'fast-check';
import { reduce } from '../../../shared/contract/rules.ts';
import type { Range } from '../../../shared/contract/filter.ts';
import { toIdKey } from '../../../shared/contract/ids.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { reversed, type Shape } from '../../../shared/contract/shapes.ts';
import { parseFinite } from '../../../shared/wire/exact-numbers.ts';
import { isExactKind, type Json, type JsonObject, type Scalar } from '../../../shared/wire/values.ts';
import { isArrayField, mustKind } from '../../../origin/store/kinds.ts';
import type { ListRequest } from '../../../origin/store/store.ts';
import { amounts, nested, timeless } from './things.ts';

const words = [
  '', 'a', 'ab', 'abc', 'b', 'B', 'é', '10', '9',
  '\u{d7ff}x',
  '\u{e000}',
  '\u{ffff}',
  '\u{10000}',
  '\u{1f600}',
  'a\u{10ffff}',
  'nul\u0000l',
  "quo'te",
  'back\\slash',
];
const text = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(...words) },
  { weight: 1, arbitrary: fc.string({ unit: 'binary', maxLength: 4 }) },
);
const size = fc.oneof(
  { weight: 5, arbitrary: fc.constantFrom(0, 1, 2, -1, 1.5, 10, 1e21, 2 ** 53 - 1, -0) },
  { weight: 1, arbitrary: fc.double({ noNaN: true, noDefaultInfinity: true }) },
);
const time = fc.constantFrom('2020-01-01T00:00:00.000Z', '2020-01-01T00:00:00.001Z', '1999-12-31T23:59:59.999Z');
const link = fc.constantFrom('000000000000000000000001', 'ffffffffffffffffffffffff', 'abcdefabcdefabcdefabcdef');
const flag = fc.boolean();

const uuid = fc.constantFrom(
  '0198f2aa-0000-7000-8000-000000000001',
  '0198f2aa-0000-7000-8000-00000000000a',
  'f198f2aa-0000-7000-8000-000000000001',
);

/** Values by kind; a document may also hold one of another kind, null, nothing, an array or an object. */
const ofKind = {
  string: text, uuid, number: size, integer: fc.integer(), boolean: flag, instant: time, objectId: link,
  decimal: fc.constantFrom('0', '-0', '80.00', '80', '0.1', '-12.5', '1E+3', '1000', '0.10', '9007199254740993', '-12.50', '1E-300'),
  long: fc.constantFrom<Json>(0, 5, -5, 2 ** 53, '9007199254740993', '9007199254740994', '-9223372036854775808', '9223372036854775807'),
  binary: fc.constantFrom('', 'AA', 'AAE', '_-8'),
} as const;
const foreign: fc.Arbitrary<Json | undefined> = fc.oneof(
  fc.constant(null), fc.constant(undefined), text, size, flag, time, link, fc.constant(['a', 1]),
  fc.constant({ a: 'a' }),
  fc.constant('2020-01-01T00:00:00Z'),
);

function field(kind: keyof typeof ofKind): fc.Arbitrary<Json | undefined> {
  return fc.oneof({ weight: 4, arbitrary: ofKind[kind] as fc.Arbitrary<Json> }, { weight: 1, arbitrary: foreign });
}

/** Of exact numbers and bytes; what others left in their places is not taken for a number in one engine alone. */
function amountArbitrary(): fc.Arbitrary<JsonObject> {
  const { decimal, long, binary } = ofKind;
  const odd = fc.constantFrom<Json | undefined>(null, undefined, 1.5, 1e21, true, 'text', '', '1.2.3', 'E5', ['80'], { a: '80' });
  const one = (of: fc.Arbitrary<Json>) => fc.oneof({ weight: 6, arbitrary: of }, { weight: 1, arbitrary: odd });
  return fc.record({
    price: one(decimal), count: one(long), key: one(binary),
    prices: fc.oneof(fc.array(one(decimal).map((value) => value ?? null), { maxLength: 3 }), odd), keys: fc.array(binary, { maxLength: 3 }),
  }).map((document) => Object.fromEntries(Object.entries(document).filter(([, value]) => value !== undefined)) as JsonObject);
}

/** Documents that fit the schema of their resource or do not. */
export function documentArbitrary(resource: Resource): fc.Arbitrary<JsonObject> {
  if (resource === nested) return nestedArbitrary();
  if (resource === amounts) return amountArbitrary();
  const list = (of: fc.Arbitrary<Json>) =>
    fc.oneof({ weight: 4, arbitrary: fc.array(of, { maxLength: 4 }) }, { weight: 1, arbitrary: foreign });
  const mixed = fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<Json>('a', 'b', 'ab') },
    { weight: 1, arbitrary: fc.constantFrom<Json>(null, 1, true, ['a'], { a: 'a' }) },
  );
  // Half of what has no time is served.
  const seldom = (of: fc.Arbitrary<Json | undefined>) => fc.oneof(of, fc.constantFrom(null, undefined));
  const time = resource === timeless ? seldom(field('instant')) : field('instant');
  const person = field('string').map((value) => (typeof value === 'string' ? (value.length % 2 === 0 ? 'ann' : 'bob') : value));
  return fc.record({
    text: field('string'), size: field('number'), open: field('boolean'), time, link: field('objectId'),
    author: person, tenant: person, tags: list(mixed), sizes: list(fc.oneof(size, fc.constant('1'))),
    ...(resource.removal === undefined ? {} : { [resource.removal.at]: field('instant') }),
  }).map(withoutMissing);
}

/** One of these, several where one is declared, or something else. */
function several(of: fc.Arbitrary<Json>): fc.Arbitrary<Json | undefined> {
  return fc.oneof(
    { weight: 5, arbitrary: of },
    { weight: 1, arbitrary: fc.array(fc.oneof({ weight: 3, arbitrary: of }, foreign.map((value) => value ?? null)), { maxLength: 3 }) },
    { weight: 1, arbitrary: foreign },
  );
}

const members = (record: Readonly<Record<string, fc.Arbitrary<Json | undefined>>>) => fc.record(record).map(withoutMissing);
const letters = fc.constantFrom<Json>('a', 'b', 'ab');

function nestedArbitrary(): fc.Arbitrary<JsonObject> {
  const by = members({ name: fc.oneof({ weight: 4, arbitrary: fc.constantFrom<Json>('ann', 'bob', 'a') }, field('string')) });
  const grade = members({ grade: several(letters), scores: several(size), by: several(members({ name: several(letters) })) });
  const grades = fc.array(fc.oneof({ weight: 5, arbitrary: grade }, letters), { maxLength: 3 });
  return members({
    text: field('string'),
    imdb: several(members({ rating: field('number'), at: field('instant'), by: several(by) })),
    grades: several(fc.oneof({ weight: 4, arbitrary: grades }, grade)),
  });
}

function optional<T>(of: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> {
  return fc.option(of, { nil: undefined });
}

function nestedValidArbitrary(): fc.Arbitrary<JsonObject> {
  const by = members({ name: optional(fc.constantFrom<Json>('ann', 'bob')) });
  const grade = members({
    grade: optional(letters), scores: optional(fc.array(size, { maxLength: 3 })),
    by: optional(fc.array(members({ name: optional(letters) }), { maxLength: 2 })),
  });
  return members({
    text: optional(text),
    imdb: optional(members({ rating: optional(fc.oneof(size, fc.constant(null))), at: optional(time), by: optional(by) })),
    grades: optional(fc.array(grade, { maxLength: 3 })),
  });
}

/** Documents that fit the schema of their resource. */
export function validArbitrary(resource: Resource): fc.Arbitrary<JsonObject> {
  if (resource === nested) return nestedValidArbitrary();
  return fc.record({
    text: fc.oneof(optional(text), fc.constant(null)),
    size: optional(size),
    open: optional(flag),
    time: optional(time),
    link: optional(link),
    author: optional(fc.constantFrom('ann', 'bob')), tags: optional(fc.array(fc.constantFrom('a', 'b', 'ab'), { maxLength: 3 })),
    ...(resource.removal === undefined ? {} : { [resource.removal.at]: optional(time) }),
  }).map(withoutMissing);
}

/** The record as JSON carries it: without what is undefined, and with 0 for -0. */
function withoutMissing(record: Readonly<Record<string, Json | undefined>>): JsonObject {
  return JSON.parse(JSON.stringify(record)) as JsonObject;
}

/** One of the ids that a resource may have. */
export function idOf({ idKind }: Resource, n: number): string {
  if (idKind === 'objectId') return n.toString(16).padStart(24, '0');
  if (idKind === 'uuid') return `0198f2aa-0000-7000-8${n.toString(16).padStart(3, '0')}-00000000000f`;
  return idKind === 'integer' ? String(n) : `n${n}`;
}

/** Neighbours that no double tells apart, and the ends of 64 bits. */
const longs = [2n ** 53n, 2n ** 53n + 1n, 2n ** 53n + 2n, -(2n ** 53n) - 1n, 2n ** 31n, 2n ** 63n - 1n, -(2n ** 63n), 10n ** 18n];

export function idArbitrary(resource: Resource): fc.Arbitrary<string> {
  if (resource.id === 'integer') return fc.oneof(fc.constantFrom(...longs), fc.integer({ min: -20, max: 20 })).map(String);
  if (resource.idKind !== 'string') return fc.integer({ min: 0, max: 40 }).map((n) => idOf(resource, n));
  return text.map((value) => `${value}-`);
}

/** A filter may ask for what no document holds: a number that is no double. */
const number = fc.oneof(
  { weight: 6, arbitrary: size },
  { weight: 1, arbitrary: fc.constantFrom('9007199254740991E-1', '1E-1', '9007199254740993E0', '1E400', '-1E400') },
);

/** Requests of every declared shape in each of its orders, forwards and backwards, for all kinds of callers. */
export function requestArbitrary(resource: Resource): fc.Arbitrary<ListRequest> {
  return fc.constantFrom(...resource.shapes).chain((shape) => fc.record({
    equal: equalArbitrary(resource, shape),
    range: rangeArbitrary(resource, shape),
    sort: fc.constantFrom(...shape.sorts.flatMap((sort) => [sort, reversed(sort)])),
    where: principalArbitrary.map((principal) => reduce(resource.rules.read, principal)),
    limit: fc.integer({ min: 1, max: 9 }),
  })).map(({ range, sort, ...rest }) => ({ ...rest, sort, range: range?.field === sort[0]?.field ? range : undefined, after: undefined }));
}

const principalArbitrary = fc.record({
  subject: fc.constantFrom('ann', 'bob', 'eve'),
  roles: fc.constantFrom<readonly string[]>([], [], ['reader']),
  claims: fc.constantFrom<Readonly<Record<string, Scalar>>>({}, { tenant: 'ann' }, { tenant: 'bob' }),
});

function equalArbitrary(resource: Resource, shape: Shape): fc.Arbitrary<Readonly<Record<string, readonly Scalar[]>>> {
  return fc.record(
    Object.fromEntries(shape.equal.map((name) => [name, fc.uniqueArray(valueArbitrary(resource, name), { minLength: 1, maxLength: 3 })])),
  );
}

function valueArbitrary(resource: Resource, name: string): fc.Arbitrary<Scalar> {
  if (name === 'id') return idArbitrary(resource).map((id) => toIdKey(resource, id).value);
  const kind = mustKind(resource, name);
  if (isExactKind(kind)) return fc.oneof(ofKind.decimal, ofKind.long).map((wire) => parseFinite(String(wire)) ?? 0);
  if (kind === 'binary') return ofKind.binary;
  if (isArrayField(resource, name)) return kind === 'string' ? fc.constantFrom('a', 'b', 'ab') : number;
  if (kind === 'number') return number;
  return ofKind[kind] as fc.Arbitrary<Scalar>;
}

function rangeArbitrary(resource: Resource, shape: Shape): fc.Arbitrary<Range | undefined> {
  if (shape.prefix !== undefined) {
    return fc.option(
      fc
        .constantFrom('', 'a', 'ab', '\u{d7ff}', '\u{10ffff}', 'é', '0000', '0198f2aa-', '0198f2aa-0000-7000-80')
        .map((prefix) => ({ field: shape.prefix ?? '', bounds: { prefix } })),
      { nil: undefined },
    );
  }
  const ranged = shape.range;
  if (ranged === undefined) return fc.constant(undefined);
  const value = valueArbitrary(resource, ranged);
  const bounds = fc.record({ gt: value, gte: value, lt: value, lte: value }, { requiredKeys: [] });
  return fc.option(
    bounds.filter((given) => Object.keys(given).length > 0).map((given) => ({ field: ranged, bounds: given })),
    { nil: undefined },
  );
}
