/** What a write through the API leaves of the types that values have in MongoDB (SEMANTICS §4, §17). */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { Binary, Decimal128, Double, Int32, Long, ObjectId } from 'mongodb';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { any, anyone, equals, not } from '../../../shared/contract/rules.ts';
import { binary, decimal, instant, integer, long, objectId } from '../../../shared/contract/types.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';
import { Pipeline } from '../../support/pipeline.ts';

const lots = resource({
  name: 'lots', id: { kind: 'string', format: z.string() },
  schema: z.object({
    price: decimal(), count: long().optional(), key: binary().optional(), tags: z.array(decimal()).optional(),
    parts: z.array(z.object({ price: decimal(), count: long().optional(), key: binary().optional() })).optional(),
  }),
  rules: { read: anyone, write: anyone }, shapes: { all: {}, ofKey: { equal: ['key'] }, ofPrice: { equal: ['price'] } },
});
/** Prices that a team declared as numbers, beside programs that store decimals. */
const ruled = resource({
  name: 'ruled', id: { kind: 'string', format: z.string() }, schema: z.object({ price: z.number(), level: integer().optional() }),
  rules: { read: any(equals('price', 19.99), equals('level', 2)), write: anyone },
  fieldRules: { level: { read: not(equals('price', 0.1)) } }, shapes: { all: {} },
});
const goods = resource({
  name: 'goods', id: { kind: 'string', format: z.string() },
  schema: z.object({
    name: z.string(), dimensions: z.object({ w: z.number(), madeAt: instant().optional(), maker: objectId().optional() }).optional(),
    variants: z.array(z.object({ sku: z.string(), price: z.number(), at: instant().optional() })).optional(),
    free: z.array(z.unknown()).optional(),
  }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
});

let database: MongoDatabase;
let origin: Pipeline;
const [first, second] = [new ObjectId(), new ObjectId()];
const at = new Date('2026-01-01T00:00:00.000Z');
const foreign = () => ({
  _id: 'g' as never, name: 'a', dimensions: { w: 1, depth: 7, precise: Decimal128.fromString('0.10'), madeAt: at },
  variants: [
    { _id: first, sku: 'v1', price: 1, at },
    { _id: second, sku: 'v2', price: 2 },
  ],
  free: [first, Decimal128.fromString('1.5')],
  big: Long.fromString('9007199254740993'),
});
const stored = () => database.foreign.collection('goods').findOne({ _id: 'g' as never }, { promoteValues: false });
const send = (method: string, body: object) => origin.ask('/v1/goods/g', { method, body: JSON.stringify(body) });

beforeAll(async () => {
  database = await openMongoDatabase();
  origin = await Pipeline.open({ MONGODB_URI: database.uri }, contract(goods, lots, ruled));
});
beforeEach(async () => {
  await database.foreign.collection('goods').replaceOne({ _id: 'g' as never }, foreign(), { upsert: true });
});
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await database.remove();
});

test('a patch of a member leaves the types of its neighbours', async () => {
  expect((await send('PATCH', { dimensions: { w: 5 } })).status).toBe(200);
  expect((await stored())?.['dimensions']).toMatchObject({ depth: expect.anything(), precise: Decimal128.fromString('0.10'), madeAt: at });
});

test('a nested value has the type that is declared for its place', async () => {
  expect(
    (
      await send('PATCH', {
        dimensions: { madeAt: '2026-06-01T12:00:00+02:00', maker: first.toHexString() },
        variants: [{ sku: 'v3', price: 1, at: '2026-06-01T12:00:00+02:00' }],
      })
    ).status,
  ).toBe(200);
  const document = await stored();
  expect(document?.['dimensions']).toMatchObject({ madeAt: new Date('2026-06-01T10:00:00Z'), maker: first });
  expect(document?.['variants'][0].at).toEqual(new Date('2026-06-01T10:00:00Z'));
});

test('elements keep their types wherever in the array they go, sent back as served or by what is declared', async () => {
  const { variants, free } = (await origin.ask('/v1/goods/g')).json as { variants: readonly object[]; free: readonly unknown[] };
  expect((await send('PATCH', { variants: [...variants].reverse(), free: ['new', ...[...free].reverse()] })).status).toBe(200);
  expect(
    (
      await send('PATCH', {
        variants: [
          { sku: 'v9', price: 9 },
          { sku: 'v1', price: 1, at: at.toISOString() },
          { sku: 'v2', price: 2 },
        ],
      })
    ).status,
  ).toBe(200);
  const document = await stored();
  expect(document?.['variants'].map((variant: { _id?: ObjectId }) => variant._id)).toEqual([undefined, first, second]);
  expect(document?.['variants'][1].at).toEqual(at);
  expect(document?.['free'].slice(1)).toEqual([Decimal128.fromString('1.5'), first]);
});

test('a replacement keeps the types of what it does not change, and what the schema does not name', async () => {
  expect(
    (
      await send('PUT', {
        name: 'b',
        dimensions: { w: 1, madeAt: at.toISOString() },
        variants: [
          { sku: 'v2', price: 3 },
          { sku: 'v1', price: 1, at: at.toISOString() },
        ],
      })
    ).status,
  ).toBe(200);
  const document = await stored();
  expect(document).toMatchObject({
    big: Long.fromString('9007199254740993'),
    dimensions: { precise: Decimal128.fromString('0.10'), madeAt: at },
  });
  expect(document?.['variants'].map((variant: { _id?: ObjectId }) => variant._id)).toEqual([second, first]);
});

test('a write that changes nothing writes nothing', async () => {
  const before = await stored();
  const served = (await origin.ask('/v1/goods/g')).json;
  for (const [method, body] of [
    ['PUT', served],
    ['PATCH', served],
    ['PATCH', { dimensions: { w: 1 } }],
    ['PATCH', { dimensions: { maker: null } }],
  ] as const) {
    const { id: _id, ...fields } = body as Record<string, unknown>;
    expect((await send(method, fields)).status).toBe(200);
  }
  expect(await stored()).toEqual(before);
});

describe('decimals, longs and bytes', () => {
  const typedLot = (id: string) =>
    database.foreign.collection('lots').findOne({ _id: id as never }, { promoteValues: false, promoteLongs: false });
  const sendLot = (method: string, id: string, body: object) => origin.ask(`/v1/lots/${id}`, { method, body: JSON.stringify(body) });
  const precise = (...texts: string[]) => texts.map((text) => Decimal128.fromString(text));
  const bytes = (text: string, subtype: number) => new Binary(Buffer.from(text, 'base64url'), subtype);

  test('are written as what they are declared, at any depth', async () => {
    const part = { price: '1e3', count: 7, key: '_-8' };
    const body = { id: 'new', price: '80.00', count: '9223372036854775807', key: 'AQID', tags: ['0.10'], parts: [part] };
    expect((await origin.ask('/v1/lots', { method: 'POST', body: JSON.stringify(body) })).status).toBe(201);
    expect(await typedLot('new')).toMatchObject({
      price: Decimal128.fromString('80.00'), count: Long.MAX_VALUE, key: bytes('AQID', 0), tags: [Decimal128.fromString('0.10')],
      parts: [{ price: Decimal128.fromString('1E+3'), count: Long.fromNumber(7), key: bytes('_-8', 0) }],
    });
  });

  test('are written over whatever stood there, unless it is shown the same', async () => {
    const foreign = { price: new Double(80), count: new Int32(5), key: bytes('AQID', 4), tags: [...precise('1'), new Double(2.5)] };
    await database.foreign.collection('lots').insertOne({ _id: 'old' as never, ...foreign }, { bypassDocumentValidation: true });
    expect((await sendLot('PATCH', 'old', { price: '80', count: 5, key: 'AQID', tags: ['1', '2.5', '1.0'] })).status).toBe(200);
    expect(await typedLot('old')).toMatchObject({
      price: Decimal128.fromString('80'), count: new Int32(5), key: bytes('AQID', 4), tags: precise('1', '2.5', '1.0'),
    });
    expect((await sendLot('PATCH', 'old', { price: '80.00', count: 6, key: 'AQIE' })).status).toBe(200);
    expect(await typedLot('old')).toMatchObject({
      price: Decimal128.fromString('80.00'), count: Long.fromNumber(6), key: bytes('AQIE', 0),
    });
  });

  test('are found as they are shown: bytes under every subtype, and a double beside decimals', async () => {
    const keys = [0, 2, 4, 5, 128].map((subtype) => ({ _id: `b${subtype}` as never, price: new Double(0.1), key: bytes('f39_', subtype) }));
    await database.foreign.collection('lots').insertMany(keys, { bypassDocumentValidation: true });
    const idsOf = async (query: string) => {
      const { data } = (await origin.ask(`/v1/lots?${query}`)).json as { data: readonly { readonly id: string }[] };
      return data.map(({ id }) => id).sort();
    };
    expect(await idsOf('key=f39_')).toEqual(['b0', 'b128', 'b2', 'b4', 'b5']);
    expect(await idsOf('key=f39-')).toEqual([]);
    expect(await idsOf('price=0.1')).toEqual(['b0', 'b128', 'b2', 'b4', 'b5']);
  });

  test('are numbers to a rule, in lists and of one document alike, whatever type holds them', async () => {
    const prices = [new Double(19.99), ...precise('19.99', '19.990', '19.9900000001')];
    const levels = [new Int32(2), Long.fromNumber(2), ...precise('2.0', '2.1')];
    const stored = [...prices.map((price) => ({ price })), ...levels.map((level) => ({ price: Decimal128.fromString('0.10'), level }))];
    await database.foreign
      .collection('ruled')
      .insertMany(stored.map((document, at) => ({ _id: `r${at}` as never, ...document })), { bypassDocumentValidation: true });
    const seen = ['r0', 'r1', 'r2', 'r4', 'r5', 'r6'];
    const { data } = (await origin.ask('/v1/ruled')).json as { data: readonly { readonly id: string }[] };
    expect(data.map(({ id }) => id)).toEqual(seen);
    const gets = await Promise.all(stored.map((_, at) => origin.ask(`/v1/ruled/r${at}`)));
    expect(gets.flatMap(({ status }, at) => (status === 200 ? [`r${at}`] : []))).toEqual(seen);
    expect([...data, ...gets.map(({ json }) => json)].filter((document) => 'level' in document)).toEqual([]);
  });
});
