/** Aggregates as they are declared and asked for, in every version; days of time zones; sums to the last digit. */
import { describe, expect, test } from 'bun:test';
import fc from 'fast-check';
import * as z from 'zod';
import { add, floorTo, quotient, toDecimal, toDouble, toText } from '../../../origin/aggregates/decimal.ts';
import { resourceMistakes } from '../../../shared/checks/resource-mistakes.ts';
import { formatAggregateQuery, parseAggregateQuery } from '../../../shared/aggregates/aggregate-query.ts';
import { ZoneReader } from '../../../shared/aggregates/zones.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { parseListQuery } from '../../../shared/contract/query.ts';
import { resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant } from '../../../shared/contract/types.ts';
import { documents } from '../../../shared/operations/documents.ts';
import { films } from '../../../shared/resources/films.ts';
import { versions } from '../../../shared/resources/versions.ts';
import { dialectOf } from '../../../shared/versions/dialect.ts';

const card = z.object({ kind: z.literal('card'), digits: z.string() });
const cash = z.object({ kind: z.literal('cash'), till: z.string() });

const declared = (aggregates: ResourceDeclaration['aggregates'], schema: ResourceDeclaration['schema'] = z.object({
  shop: z.string(), year: z.number(), at: instant(), tags: z.array(z.string()), others: z.array(z.string()),
  parts: z.array(z.object({ name: z.string() })), free: z.record(z.string(), z.string()),
})) => resource({ name: 'sales', schema, rules: { read: anyone }, shapes: { all: {} }, ...(aggregates && { aggregates }) });

describe('a declaration of aggregates', () => {
  test.each([
    ['group', { group: ['nope'] }], ['group', { group: ['id'] }], ['group', { group: ['tags', 'others'] }], ['group', { group: ['free'] }],
    ['group', { group: ['parts.name'] }], ['group', { group: ['day(year)'] }], ['group', { group: ['bucket(shop,1)'] }],
    ['group', { group: ['bucket(year,0)'] }], ['group', { group: ['hour(at)'] }], ['of', { of: ['tags'] }], ['of', { of: ['nope'] }],
    ['least', { least: 0 }], ['groups', { groups: 10_001 }], ['equal', { equal: ['nope'] }], ['sort', { range: 'tags' }],
  ] as const)('is refused by its key %s: %o', (key, aggregate) => {
    const mistakes = resourceMistakes(declared({ wrong: aggregate }));
    expect(mistakes.map((line) => line.includes(`aggregates.wrong.${key}`))).toContain(true);
  });

  test('is refused where only some branches of a union name a field', () => {
    const mistakes = resourceMistakes(declared({ wrong: { group: ['digits'] } }, z.discriminatedUnion('kind', [card, cash])));
    expect(mistakes).toEqual([expect.stringContaining('aggregates.wrong.group: "digits" is named by some branches')]);
  });

  test('walks an order that a shape has, and keeps an index of its own where none has all that is read', () => {
    expect(films.indexes.map(({ name }) => name)).toEqual(
      resource({ ...filmsDeclaration, name: 'films' }).indexes.map(({ name }) => name));
    expect(declared({ byShop: { group: ['shop', 'tags'], of: ['year'] } }).indexes.map(({ name }) => name)).toEqual([
      'id', 'shop,year,id',
    ]);
  });
});

const filmsDeclaration = {
  schema: films.schema, rules: { read: anyone },
  shapes: {
    all: {}, byGenre: { equal: ['genres'], range: 'year', sort: ['-year,title', 'title'] },
    byYear: { range: 'year', sort: ['-year,title'] },
    byTitle: { equal: ['title'], sort: ['year'] }, inTitleOrder: { range: 'title', sort: ['title'] },
  },
} as const;

describe('a query', () => {
  test('has one name however it is written', () => {
    const name = (query: string) => formatAggregateQuery(parseAggregateQuery(films, query));
    expect(name('?group=genres&min=year&max=year')).toBe(name('?max=year&min=year&group=genres&limit=1000'));
    expect(name('?group=genres')).toBe(name('?count&group=genres'));
    expect(new Set([
      '?group=year', '?group=genres', '?group=year&sort=-year', '?group=year&limit=2', '?year[gte]=1950&group=year',
    ].map(name)).size)
      .toBe(5);
  });

  test('by what no index answers is refused by the name that it was sent under', () => {
    for (const name of ['title[ne]', 'year[nin]', 'year[exists]', 'genres[contains]']) {
      expect(() => parseAggregateQuery(films, `?group=year&${name}=true`)).toThrow(`${name}: not of an aggregate`);
    }
    expect(() => parseListQuery(films, '?distinct=year&title[ne]=a')).toThrow('title[ne]: not beside distinct');
  });

  test('of an older version is the same where names are, and is refused by name where they are not', () => {
    const of = contract(versions, films);
    const input = dialectOf(of, { operation: documents.aggregate, resource: films }, of.versions.all[0]!)?.input;
    const query = '?group=genres&max=year&sort=-count';
    expect(parseAggregateQuery(films, input?.upQuery(query) ?? '').group.map(({ text }) => text)).toEqual(['genres']);
    for (const field of ['image.url', 'thumbnail']) for (const name of ['group', 'max', 'avg']) {
      expect(() => input?.upQuery(`?${name}=${field}`)).toThrow(new RegExp(`"${field}" is another in the current version`));
    }
  });
});

describe('days, weeks and months', () => {
  const zones = ['UTC', 'Europe/Berlin', 'America/New_York', 'Australia/Lord_Howe', 'Asia/Kathmandu', 'Pacific/Apia', 'Africa/Monrovia'];

  test('are those that a calendar of the zone shows', () => {
    const read = new Map(zones.map((timeZone) => [timeZone, {
      calendar: new Intl.DateTimeFormat('sv-SE', { timeZone, dateStyle: 'short' }), reader: new ZoneReader(timeZone),
    }]));
    fc.assert(fc.property(fc.constantFrom(...zones), fc.integer({ min: Date.UTC(1900, 0), max: Date.UTC(2100, 0) }), (zone, time) => {
      const { calendar, reader } = read.get(zone)!;
      const shown = calendar.format(time);
      expect([reader.bucketOf(time, 'day'), reader.bucketOf(time, 'month')]).toEqual([shown, shown.slice(0, 7)]);
    }), { numRuns: 2_000 });
  });

  test('begin where a day has 23 or 25 hours, too', () => {
    const reader = new ZoneReader('Europe/Berlin');
    const day = (text: string) => reader.bucketOf(Date.parse(text), 'day');
    expect(['2026-03-28T22:59:59.999Z', '2026-03-28T23:00:00Z', '2026-03-29T21:59:59.999Z', '2026-03-29T22:00:00Z'].map(day))
      .toEqual(['2026-03-28', '2026-03-29', '2026-03-29', '2026-03-30']);
    expect(['2026-10-24T22:00:00Z', '2026-10-25T22:59:59.999Z', '2026-10-25T23:00:00Z'].map(day))
      .toEqual(['2026-10-25', '2026-10-25', '2026-10-26']);
  });

  test('of ISO 8601 begin on Monday, and the year of a week is that of its Thursday', () => {
    const reader = new ZoneReader('UTC');
    const week = (text: string) => reader.bucketOf(Date.parse(text), 'week');
    expect(['2005-01-01', '2005-01-03', '2008-12-29', '2010-01-03', '2020-12-31', '2021-01-03', '2021-01-04', '2026-11-29']
      .map(week)).toEqual([
      '2004-W53', '2005-W01', '2009-W01', '2009-W53', '2020-W53', '2020-W53', '2021-W01', '2026-W48',
    ]);
  });
});

describe('numbers', () => {
  const cents = fc.integer({ min: -1_000_000, max: 1_000_000 });
  const decimalOf = (text: string) => toDecimal(text)!;

  test('add as whole numbers of the smallest unit do', () => {
    fc.assert(fc.property(fc.array(cents, { minLength: 1 }), (all) => {
      const sum = all.map((each) => decimalOf(String(each / 100))).reduce(add);
      expect(toDouble(sum)).toBe(all.reduce((a, b) => a + b, 0) / 100);
    }));
  });

  test('divide to the digit asked for, half to even', () => {
    fc.assert(fc.property(fc.bigInt({ min: -(10n ** 40n), max: 10n ** 40n }), fc.integer({ min: 1, max: 100_000 }), (units, count) => {
      const found = quotient({ units, exponent: 0 }, count, 34);
      // |found × count − units| is at most half of what the last digit is worth, times count.
      const scale = found.exponent < 0 ? 10n ** BigInt(-found.exponent) : 1n;
      const rest = found.units * BigInt(count) * (found.exponent > 0 ? 10n ** BigInt(found.exponent) : 1n) - units * scale;
      const step = BigInt(count) * (found.exponent > 0 ? 10n ** BigInt(found.exponent) : 1n);
      expect((rest < 0n ? -rest : rest) * 2n <= step).toBe(true);
    }));
    expect([quotient(decimalOf('1'), 3, 34), quotient(decimalOf('-1'), 8, 2), quotient(decimalOf('3'), 8, 2)].map(toText)).toEqual([
      '0.3333333333333333333333333333333333', '-0.12', '0.38',
    ]);
  });

  test('fall to the step below, also below zero', () => {
    const floor = (value: string, width: string) => toText(floorTo(decimalOf(value), decimalOf(width)));
    expect([floor('0.3', '0.1'), floor('-0.05', '0.1'), floor('19', '10'), floor('-20', '10'), floor('1E+3', '7')]).toEqual([
      '0.3', '-0.1', '10', '-20', '994',
    ]);
  });
});
