/** Aggregates of the whole origin, on both engines: what they answer, to whom, and what they refuse. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, equals, owner, role } from '../../../shared/contract/rules.ts';
import { decimal, instant, integer, long } from '../../../shared/contract/types.ts';
import { versions } from '../../../shared/resources/versions.ts';
import { ada, type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';
import { engines } from '../../support/whole-world.ts';

const sales = resource({
  name: 'sales',
  schema: z.object({
    shop: z.string().nullable().optional(),
    price: decimal().optional(),
    pieces: long().optional(),
    rating: z.number().nullable().optional(),
    year: integer().optional(),
    at: instant().optional(),
    tags: z.array(z.string()).optional(),
    seller: z.string().optional(),
    open: z.boolean().optional(),
    cost: z.number().optional(),
    margin: z.number().optional(),
  }),
  rules: { read: any(role('editor'), owner('seller'), equals('open', true)), write: role('editor') },
  fieldRules: { cost: { read: role('boss') }, margin: { read: owner('seller') } },
  shapes: { all: {} },
  aggregates: {
    byShop: { group: ['shop'], of: ['price', 'pieces', 'rating', 'at', 'seller'] },
    byTag: { equal: ['shop'], group: ['tags'], of: ['rating'] },
    byDay: { range: 'at', group: ['day(at)', 'week(at)', 'month(at)'], of: [] },
    byRating: { group: ['bucket(rating,0.5)', 'rating'], groups: 8 },
    bySeller: { group: ['seller'], least: 2 },
    byCost: { group: ['cost', 'margin'] },
  },
});

const rows: readonly object[] = [
  {
    shop: 'a', price: '0.10', pieces: '9007199254740993', rating: 0.1, at: '2026-03-28T23:30:00.000Z', tags: ['x', 'y', 'x'],
    seller: 'ann', open: true,
  },
  { shop: 'a', price: '0.2', pieces: 1, rating: 0.2, at: '2026-03-29T21:30:00.000Z', tags: ['x'], seller: 'ann', open: false },
  { shop: 'b', price: '10.00', pieces: 2, rating: 4.5, at: '2026-03-29T22:30:00.000Z', tags: [], seller: 'bob', open: true },
  { shop: null, price: '1', rating: null, at: '2025-12-31T23:30:00.000Z', tags: ['y'], seller: 'ann', open: true },
  { rating: 4.75, seller: 'cy', open: false },
];

describe.each([...engines])('aggregates on %s', (engine) => {
  let origin: DirectOrigin;
  beforeAll(async () => {
    origin = await DirectOrigin.on(engine, contract(versions, sales));
    const body = rows.map((row) => JSON.stringify(row)).join('\n');
    expect((await origin.ask('import', sales, { body })).text).toContain('"imported":5');
  });
  afterAll(() => origin[Symbol.asyncDispose]());

  const ask = async (query: string, asking: DirectAsking = {}) => {
    const { outcome, json, detail } = await origin.ask('aggregate', sales, { query, ...asking });
    return outcome === 'found' ? json['data'] : { outcome, detail };
  };
  const refusal = async (query: string, asking: DirectAsking = {}) => (await origin.ask('aggregate', sales, { query, ...asking })).outcome;

  test('add and average to the last digit, missing and null as one group', async () => {
    expect(await ask('?group=shop&count&sum=price,pieces,rating&avg=price,rating')).toEqual([
      {
        group: { shop: null }, count: 2, sum: { pieces: 0, price: '1', rating: 4.75 }, avg: { price: '1', rating: 4.75 },
      },
      {
        group: { shop: 'a' }, count: 2, sum: { pieces: '9007199254740994', price: '0.3', rating: 0.3 },
        avg: { price: '0.15', rating: 0.15 },
      },
      { group: { shop: 'b' }, count: 1, sum: { pieces: 2, price: '10', rating: 4.5 }, avg: { price: '10', rating: 4.5 } },
    ]);
  });

  test('tell the ends of any order, and how many different values there are', async () => {
    expect(await ask('?min=price,at,seller&max=price,pieces&distinct=seller,shop')).toEqual({
      outcome: 'query_not_served', detail: expect.stringContaining('sales aggregates: byShop'),
    });
    expect(await ask('?min=price,at,seller&max=price,pieces&distinct=seller')).toEqual([{
      group: {}, min: { at: '2025-12-31T23:30:00.000Z', price: '0.1', seller: 'ann' }, max: { pieces: '9007199254740993', price: '10' },
      distinct: { seller: 3 },
    }]);
  });

  test('group by the elements of an array, each once a document', async () => {
    expect(await ask('?group=tags&shop[in]=a,b&sum=rating&count&sort=-count')).toEqual([
      { group: { tags: 'x' }, count: 2, sum: { rating: 0.3 } }, { group: { tags: 'y' }, count: 1, sum: { rating: 0.1 } },
    ]);
  });

  test('group by days, weeks and months of a time zone, across a change of its clocks', async () => {
    const days = async (query: string) => (await ask(query) as readonly { readonly group: object; readonly count: number }[])
      .map(({ group, count }) => [...Object.values(group), count]);
    expect(await days('?group=day(at)&zone=Europe/Berlin')).toEqual([
      [null, 1], ['2026-01-01', 1], ['2026-03-29', 2], ['2026-03-30', 1],
    ]);
    expect(await days('?group=day(at)')).toEqual([[null, 1], ['2025-12-31', 1], ['2026-03-28', 1], ['2026-03-29', 2]]);
    expect(await days('?group=week(at),month(at)&zone=Europe/Berlin&at[gte]=2026-03-01')).toEqual([
      ['2026-W13', '2026-03', 2], ['2026-W14', '2026-03', 1],
    ]);
  });

  test('group by steps of numbers, and show the first of an order', async () => {
    expect(await ask('?group=bucket(rating,0.5)&sort=-bucket(rating,0.5)&limit=1')).toEqual([
      { group: { 'bucket(rating,0.5)': 4.5 }, count: 2 },
    ]);
    const { json } = await origin.ask('aggregate', sales, { query: '?group=bucket(rating,0.5)&limit=1' });
    expect(json['page']).toEqual({ limit: 1, groups: 3 });
  });

  test('hold what the caller sees, each document once', async () => {
    const ann = { ...ada, subject: 'ann', roles: [] };
    expect(await ask('?group=shop', { principal: ann })).toEqual([
      { group: { shop: null }, count: 1 }, { group: { shop: 'a' }, count: 2 }, { group: { shop: 'b' }, count: 1 },
    ]);
    expect(await ask('', { principal: { ...ada, subject: 'zed', roles: [] } })).toEqual([{ group: {}, count: 3 }]);
    expect(await ask('?group=tags&shop=a', { principal: ann })).toEqual([
      { group: { tags: 'x' }, count: 2 }, { group: { tags: 'y' }, count: 1 },
    ]);
  });

  test('withhold groups that are too small, also as numbers', async () => {
    const { json } = await origin.ask('aggregate', sales, { query: '?group=seller' });
    expect(json).toEqual({ data: [{ group: { seller: 'ann' }, count: 3 }], page: { limit: 1_000, groups: 1 } });
  });

  test('tell nothing of a field that the caller may not read in every document', async () => {
    expect(await refusal('?group=cost')).toBe('forbidden');
    expect(await refusal('?group=margin')).toBe('forbidden');
    expect(await refusal('?group=cost', { principal: { ...ada, roles: ['editor', 'boss'] } })).toBe('found');
  });

  test('refuse what is not declared, by name', async () => {
    for (const query of [
      '?group=year', '?group=tags', '?group=rating&open=true', '?group=shop&at[gte]=2026-01-01', '?group=day(at),shop',
      '?group=bucket(rating,2)',
    ]) expect([query, await refusal(query)]).toEqual([query, 'query_not_served']);
    for (const query of [
      '?group=nope', '?group=day()', '?sum=shop', '?avg=seller', '?nope=1', '?count=no', '?group=day(at)&zone=Berlin', '?zone=UTC',
      '?sort=-sum.price', '?limit=0', '?limit=1001', '?after=x', '?fields=shop', '?max=',
    ]) expect([query, await refusal(query)]).toEqual([query, 'query_invalid']);
  });

  test('refuse more documents and more groups than they may have, and say how many those are', async () => {
    const many = Array.from({ length: 8 }, (_, index) => JSON.stringify({ rating: 100 + index, open: true })).join('\n');
    await origin.ask('import', sales, { body: many });
    expect(await ask('?group=rating')).toEqual({ outcome: 'aggregate_too_large', detail: expect.stringContaining('more than 8 groups') });
    expect(await refusal('?group=bucket(rating,0.5)&limit=1')).toBe('aggregate_too_large');
  });
});
