/** A search finds documents whose numbers travel as text, where lists have them (SEMANTICS §4, §7); only MongoDB has such numbers. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Decimal128, Long } from 'mongodb';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';

const goods = resource({
  name: 'goods', id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone }, validation: { level: 'off' },
  schema: z.object({ name: z.string(), price: z.number(), weight: z.number().optional(), size: z.int().optional() }),
  shapes: {
    byPrice: { range: 'price', sort: ['price'] }, ofWeight: { equal: ['weight'] },
    words: { text: ['name'], sort: ['price', '-price'] }, inSize: { text: ['name'], equal: ['size'], range: 'weight', sort: ['weight'] },
  },
});
const big = Long.fromString('9007199254740993');
const stored: Readonly<Record<string, Readonly<Record<string, unknown>>>> = {
  a: { price: 1.5 }, b: { price: Decimal128.fromString('2.50') }, c: { price: 3 }, d: { price: big },
  e: { price: Decimal128.fromString('99999999999999999.5') }, f: { price: 1e18 },
  g: { price: 20, size: Decimal128.fromString('5.0'), weight: Decimal128.fromString('0.10') }, h: { price: 21, size: 5, weight: 0.1 },
  i: { price: 22, size: 5, weight: 0.25 },
};

let database: Awaited<ReturnType<typeof openMongoDatabase>>;
let origin: DirectOrigin;
interface Row {
  readonly _id: string;
  readonly name: string;
  readonly price?: unknown;
}
const rows = () => database.foreign.collection<Row>('goods');
const find = async (query: string) => {
  const { json, outcome } = await origin.ask('list', goods, { query });
  return outcome === 'found' ? (json['data'] as readonly JsonObject[]).map(({ id }) => id).join('') : outcome;
};
beforeAll(async () => {
  database = await openMongoDatabase();
  origin = await DirectOrigin.open({ MONGODB_URI: database.uri }, contract(goods));
  await rows().insertMany(Object.entries(stored).map(([_id, document]) => ({ _id, name: 'lamp', ...document })));
  const isFound = async (query: string, count: number) => (await find(query)).length === count;
  await eventually('all are found', async () => (await isFound('?q=lamp', 9)) && isFound('?q=lamp&size=5', 3), { msMax: 20_000 });
}, 30_000);
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await database.remove();
});

test('in the order of a list, both ways, over pages and in counts', async () => {
  const expected = await find('?sort=price');
  expect(expected).toBe('abcghidef');
  expect([await find('?q=lamp'), await find('?q=lamp&sort=-price')]).toEqual([expected, [...expected].reverse().join('')]);
  let paged = '';
  for (let after = ''; ;) {
    const { json } = await origin.ask('list', goods, { query: `?q=lamp&count=exact&limit=2${after}` });
    const { next, total } = json['page'] as JsonObject;
    expect(total).toBe(expected.length);
    paged += (json['data'] as readonly JsonObject[]).map(({ id }) => id).join('');
    if (next === null) break;
    after = `&after=${String(next)}`;
  }
  expect(paged).toBe(expected);
});

test('by an equality and a range, as a list finds it', async () => {
  const asked = { '[gte]=0.1': 'ghi', '[gt]=0.1': 'i', '[lte]=0.1': 'gh', '[lt]=0.1': '' };
  for (const [range, expected] of Object.entries(asked)) {
    expect([range, await find(`?q=lamp&size=5&weight${range}`)]).toEqual([range, expected]);
  }
  expect(await find('?weight=0.1')).toBe('gh');
});

test('after a write through Tombolo, and from when another program makes a number of a text', async () => {
  expect((await origin.ask('patch', goods, { id: 'b', body: { name: 'second lantern' } })).outcome).toBe('written');
  expect(await find('?q=lantern')).toBe('b');
  await rows().insertMany([{ _id: 'j', name: 'candle', price: '2.50' }, { _id: 'k', name: 'candle', price: 4 }]);
  await eventually('the entries of both are settled', async () => (await find('?q=candle')) === 'k');
  await rows().updateOne({ _id: 'j' }, { $set: { price: Decimal128.fromString('2.50') } });
  await eventually('it is found as a number', async () => (await find('?q=candle')) === 'jk');
  await rows().updateOne({ _id: 'j' }, { $set: { price: '2.50' } });
  await eventually('it is not found as a text', async () => (await find('?q=candle')) === 'k');
});
