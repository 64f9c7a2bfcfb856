/** Numbers of every BSON type in one field: pages, ranges and equalities against the definition (SEMANTICS §4). */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import fc from 'fast-check';
import { Decimal128, Double, Int32, Long } from 'mongodb';
import type { ListRequest } from '../../../origin/store/store.ts';
import { dependenciesOfList, toBucket, touched } from '../../../shared/contract/dependencies.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import { reversed } from '../../../shared/contract/shapes.ts';
import { compareExact, type Exact, parseExact, parseShown, shownAs } from '../../../shared/wire/exact-numbers.ts';
import { readAll } from './list-suite.ts';
import { type MongoPlace, openMongoPlace } from './mongo-place.ts';
import { soakFactor } from './soak.ts';
import { open as things } from './things.ts';

/** As a plain driver writes them. */
const stored = [
  ...['0.10', '0.1', '0.70', '19.99', '80.00', '1E+400', '-1E+400', '1E-300', '-0', '2.5'].map((text) => Decimal128.fromString(text)),
  Decimal128.fromString('0.1000000000000000055511151231257827'),
  ...['1212092628029698048', '1212092628029698049', '1212092628029698050', '-9007199254740993', '9007199254740992', '5'].map((text) =>
    Long.fromString(text),
  ),
  ...[0.1, 0.7, 19.99, 80, 1212092628029698048, 2.5, Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY].map(
    (value) => new Double(value),
  ),
  Decimal128.fromString('NaN'), Decimal128.fromString('Infinity'), Decimal128.fromString('-Infinity'),
  new Int32(5), new Int32(80), new Int32(-3), 'text', null,
].flatMap((value) => [value, value]);

/** What a client reads, as text; `undefined` for what is not shown as a number. */
function shown(value: (typeof stored)[number]): string | undefined {
  if (value === null || typeof value === 'string') return undefined;
  const text = value instanceof Double ? String(value.valueOf()) : value.toString();
  return /NaN|Infinity/.test(text) ? undefined : text;
}

function exactOf(value: (typeof stored)[number]): Exact {
  if (value instanceof Double || value instanceof Int32) {
    return Number.isFinite(value.valueOf()) ? value.valueOf() : String(value.valueOf());
  }
  return parseExact(String(value)) ?? Number.NaN;
}

const idOf = (index: number): string => `n${String(index).padStart(2, '0')}`;

let place: MongoPlace;
beforeAll(async () => {
  place = await openMongoPlace({ resources: [things] });
  await place.foreign
    .collection<{ _id: string }>(things.name)
    .insertMany(
      stored.map((size, index) => ({ _id: idOf(index), size, sizes: [size], text: 'a', tags: ['x'] })),
      { bypassDocumentValidation: true },
    );
});
afterAll(() => place.remove());

const plain = { equal: {}, range: undefined, where: true, after: undefined } as const;
const bySize = things.shapes.find(({ name }) => name === 'bySize')?.sorts[0] ?? [];

async function read(request: ListRequest): Promise<readonly string[]> {
  return (await readAll(place.store, things, request)).map(({ document }) => document.id);
}

/** Ids of the numbers for which it holds, in order. */
function numbers(holds: (value: Exact) => boolean): readonly string[] {
  return stored
    .flatMap((value, index) => (typeof value === 'string' || value === null ? [] : [{ exact: exactOf(value), id: idOf(index) }]))
    .filter(({ exact }) => exact !== 'NaN' && holds(exact))
    .toSorted((a, b) => compareExact(a.exact, b.exact) || (a.id < b.id ? -1 : 1))
    .map(({ id }) => id);
}

test('pages visit every document once, in the exact order, both ways', async () => {
  const nulls = stored.flatMap((value, index) => (value === null ? [idOf(index)] : []));
  const notANumber = stored.flatMap((value, index) => (value !== null && String(value) === 'NaN' ? [idOf(index)] : []));
  const texts = stored.flatMap((value, index) => (typeof value === 'string' ? [idOf(index)] : []));
  const expected = [...nulls, ...notANumber, ...numbers(() => true), ...texts];
  for (const limit of [1, 2, 7]) {
    expect(await read({ ...plain, sort: bySize, limit })).toEqual([...expected]);
    expect(await read({ ...plain, sort: reversed(bySize), limit })).toEqual([...expected].reverse());
  }
});

const askable = fc.constantFrom(...new Set(stored.flatMap((value) => shown(value) ?? [])), '0.10', '1', '20', '1212092628029698047');

/** An end that is shown as two numbers is both: both lie inside, or both outside. */
function orders(value: Exact, end: Exact): readonly number[] {
  return shownAs(end).map((form) => compareExact(value, form));
}

test('a range has what lies in it, and its ends as they are shown', async () => {
  await fc.assert(fc.asyncProperty(
    askable, askable, fc.boolean(), fc.boolean(), fc.constantFrom(1, 5, 50),
    async (low, high, isLowIn, isHighIn, limit) => {
      const [lower, upper] = [parseShown(low) ?? 0, parseShown(high) ?? 0];
      const bounds = { [isLowIn ? 'gte' : 'gt']: lower, [isHighIn ? 'lte' : 'lt']: upper };
      const isAbove = (value: Exact) => orders(value, lower).some((order, _at, all) => (isLowIn ? order >= 0 : Math.min(...all) > 0));
      const isBelow = (value: Exact) => orders(value, upper).some((order, _at, all) => (isHighIn ? order <= 0 : Math.max(...all) < 0));
      const expected = numbers((value) => isAbove(value) && isBelow(value));
      expect(await read({ ...plain, range: { field: 'size', bounds }, sort: bySize, limit })).toEqual([...expected]);
    },
  ), { numRuns: 150 * soakFactor });
});

test('what was shown can be asked for, alone, in an array and counted, and its change expires the answer', async () => {
  const wholes = ['80', '1212092628029698049', '9007199254740992', '-9007199254740993'];
  for (const text of [...wholes, '0.10', '0.1', '19.99', '80.00', '1E+400', '2.5']) {
    const query = parseListQuery(things, `size=${encodeURIComponent(text)}`);
    const asked = parseShown(text) ?? Number.NaN;
    const expected = numbers((value) => shownAs(asked).some((form) => compareExact(form, value) === 0));
    expect(expected.length).toBeGreaterThan(0);
    const request = { ...plain, equal: query.equal, sort: query.sort };
    expect([text, [...(await read({ ...request, limit: 1 }))].sort()]).toEqual([text, [...expected].sort()]);
    expect((await place.store.count(things, request, 100, { deadline: Date.now() + 5_000 })).value).toBe(expected.length);
    const inArrays = parseListQuery(things, `sizes=${encodeURIComponent(text)}`);
    expect([...(await read({ ...plain, equal: inArrays.equal, sort: inArrays.sort, limit: 3 }))].sort()).toEqual([...expected].sort());
    const buckets = dependenciesOfList(things, query).flatMap((each) => each.buckets);
    for (const id of expected) {
      const { value } = await place.store.get(things, id, { deadline: Date.now() + 5_000 });
      const keys = touched(things, id, value?.value, undefined);
      expect([...keys].map(toBucket).some((bucket) => buckets.includes(bucket))).toBe(true);
    }
  }
});
