/** What a write through the API leaves of the types that values have in MongoDB (SEMANTICS §4, §17). */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { Decimal128, Long, ObjectId } from 'mongodb';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant, objectId } from '../../../shared/contract/types.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';
import { Pipeline } from '../../support/pipeline.ts';

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
  origin = await Pipeline.open({ MONGODB_URI: database.uri }, contract(goods));
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
