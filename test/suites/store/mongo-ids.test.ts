/** Documents that others named: found by what their `_id` means, and counted where no request can name them (SEMANTICS §15). */
import { expect, test } from 'bun:test';
import { Binary, Double, Int32, Long, ObjectId, UUID } from 'mongodb';
import * as z from 'zod';
import { toForeignIds } from '../../../origin/store/mongo/install/foreign-ids.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { applyPlan, planOf } from '../../../origin/store/mongo/install/plan.ts';
import type { Store } from '../../../origin/store/store.ts';
import type { IdDeclaration } from '../../../shared/contract/id-declarations.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import { inTime, put, remove, textOf } from './harness.ts';

const movies = (id: IdDeclaration) => resource({
  name: 'films', collection: 'movies', id,
  schema: z.object({ name: z.string() }), rules: { read: anyone, write: anyone }, shapes: { all: {} },
});
const disposals = disposedAfterEach();

/** Another program has filled `movies` with documents of these ids. */
async function openFilled(ids: readonly unknown[]) {
  const database = await openMongoDatabase();
  disposals.push(() => database.remove());
  await database.foreign.collection('movies').insertMany(ids.map((_id, index) => ({ _id: _id as never, name: `n${index}` })));
  return database;
}

async function open(uri: string, id: IdDeclaration, warnings: unknown[] = []): Promise<Store> {
  const store = await openMongoStore({ uri, resources: [movies(id)], onWarning: (_message, facts) => void warnings.push(facts) });
  disposals.push(() => store.close());
  return store;
}

const sort = [{ field: 'id', descending: false }];
const listed = async (store: Store, id: IdDeclaration, limit = 99) => {
  const ids: string[] = [];
  for (let after; ; ) {
    const { value } = await store.list(movies(id), { equal: {}, range: undefined, sort, where: true, after, limit }, inTime());
    ids.push(...value.map(({ document }) => document.text));
    if (value.length < limit) return ids;
    after = value.at(-1)?.keys;
  }
};

test('whole numbers of every type are integers, in their order, and what is none is counted and left out', async () => {
  const ids = [
    new Double(3), new Int32(2), Long.fromNumber(1), new Double(2.5), new Double(1e20), Long.fromString('9007199254740993'), 'x',
    new Double(Number.NaN), new Double(Number.POSITIVE_INFINITY), new ObjectId(), new Double(-4), new Date(0),
  ];
  const { uri } = await openFilled(ids);
  const warnings: unknown[] = [];
  const store = await open(uri, 'integer', warnings);
  const text = (id: string, index: number) => `{"id":${id},"name":"n${index}"}`;
  const far = [text('"9007199254740993"', 5), text('"100000000000000000000"', 4)];
  const whole = [text('-4', 10), text('1', 2), text('2', 1), text('3', 0), ...far];
  for (const limit of [1, 2, 99]) expect(await listed(store, 'integer', limit)).toEqual(whole);
  const get = (id: string) => textOf(store, movies('integer'), id);
  expect(await Promise.all(['3', '2', '1', '-4', '9007199254740993', '100000000000000000000'].map(get))).toEqual([
    whole[3], whole[2], whole[1], whole[0], whole[4], whole[5],
  ]);
  expect(await Promise.all(['2.5', 'x', 'NaN', '9007199254740992', '9007199254740994'].map(get))).toEqual(Array(5).fill(undefined));
  // Nothing of them is served, so nothing is said of their fields.
  expect(warnings.filter((facts) => JSON.stringify(facts).includes('invalid'))).toEqual([]);
  expect(warnings).toContainEqual({
    foreignIds: ['6 of 12 documents of movies have an _id that is no integer: 1 date, 3 double, 1 objectId, 1 string; they are not served'],
  });
});

test('a document keeps the type of its _id when it is changed, and a new one has the smallest', async () => {
  const { uri, foreign } = await openFilled([new Double(3), Long.fromNumber(5)]);
  const films = movies('integer');
  const target = { database: foreign, resources: [films], deployment: 'replica set' as const, patiently: async () => undefined };
  await applyPlan(target, 'e'.repeat(16), () => undefined);
  const store = await open(uri, 'integer');
  await store.write(
    [['3', 'a'], ['5', 'b'], ['7', 'c'], ['4294967296', 'd']].map(([id = '', name = '']) => put(films, id, { name })),
    inTime(),
  );
  const stages = [{ $project: { type: { $type: '$_id' }, name: 1 } }, { $sort: { _id: 1 } }];
  const typed = await foreign.collection('movies').aggregate(stages).toArray();
  expect(typed.map(({ type, name }) => [type, name])).toEqual([['double', 'a'], ['long', 'b'], ['int', 'c'], ['long', 'd']]);
  await store.write([remove(films, '3'), remove(films, '4294967296')], inTime());
  expect(await listed(store, 'integer')).toEqual(['{"id":5,"name":"b"}', '{"id":7,"name":"c"}']);
});

test('UUIDs in bytes of subtype 4 are served, and no other bytes', async () => {
  const uuids = ['f0000000-0000-4000-8000-000000000000', '0198f2aa-0000-7000-8000-000000000001', '9fffffff-0000-4000-8000-000000000000'];
  const others = [new Binary(Buffer.alloc(16, 1), 3), new Binary(Buffer.alloc(15, 1), 4), new Binary(Buffer.alloc(17), 4), uuids[0]];
  const { uri } = await openFilled([...uuids.map((text) => new UUID(text)), ...others]);
  const id: IdDeclaration = { kind: 'uuid', storedAs: 'binary' };
  const warnings: unknown[] = [];
  const store = await open(uri, id, warnings);
  const told = uuids.toSorted().map((each) => `{"id":"${each}","name":"n${uuids.indexOf(each)}"}`);
  for (const limit of [1, 2, 99]) expect(await listed(store, id, limit)).toEqual(told);
  expect(await textOf(store, movies(id), uuids[1] ?? '')).toBe(told[0]);
  expect(warnings).toContainEqual({
    foreignIds: ['4 of 7 documents of movies have an _id that is no uuid stored as binary: 3 binData, 1 string; they are not served'],
  });
});

test('a declaration that fits none of the documents does not start, nor is it planned, and says what would', async () => {
  const { uri, foreign } = await openFilled([1, 2, new ObjectId()]);
  const told = "movies: none of its documents has an _id that is a string (2 int, 1 objectId); declare id: 'objectId' or 'integer'";
  await expect(open(uri, 'uuid')).rejects.toThrow(told);
  const target = { database: foreign, resources: [movies('uuid')], deployment: 'replica set' as const, patiently: async () => undefined };
  await expect(planOf(target)).rejects.toThrow(told);
});

test('of a large collection both ends of its ids are looked at', async () => {
  const { foreign } = await openFilled([-1, ...Array.from({ length: 20_010 }, () => new ObjectId()), new Date(0)]);
  expect(await toForeignIds(foreign, movies('objectId'))).toBe(
    '2 of the first and the last 10000 documents of movies have an _id that is no objectId: 1 int, 1 date; they are not served',
  );
});
