/** A start on a database that another program made: what it finds it leaves as it is, to the byte (SEMANTICS §15). */
import { describe, expect, test } from 'bun:test';
import { MongoClient, ObjectId } from 'mongodb';
import * as z from 'zod';
import { applyPlan, planOf } from '../../../origin/store/mongo/install/plan.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import type { Store } from '../../../origin/store/store.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { served } from '../../../shared/resources/all.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { fillShop, wholeOf } from '../../support/foreign-shop.ts';
import { openControlledDatabase, type ControlledDatabase } from '../../support/mongo-database.ts';
import { eventually } from '../../support/eventually.ts';
import { inTime, put, reasonOf, textOf } from './harness.ts';

const boats = resource({
  name: 'boats', id: 'objectId',
  schema: z.object({ name: z.string(), masts: z.number().optional(), port: z.string().optional() }),
  rules: { read: anyone, write: anyone },
  shapes: { byName: { range: 'name', sort: ['name'] }, ofPort: { equal: ['port'], sort: ['-masts'] }, all: {} },
});

const all = { equal: {}, range: undefined, sort: [{ field: 'id', descending: false }], where: true, after: undefined, limit: 9 } as const;
const byName = { ...all, sort: [{ field: 'name', descending: false }, ...all.sort] };

/** A resource that no index is asked of. */
const plain = resource({ name: 'boats', id: 'objectId', schema: boats.schema, rules: boats.rules, shapes: { all: {} } });

const disposals = disposedAfterEach();

async function openDatabase(): Promise<ControlledDatabase> {
  const database = await openControlledDatabase();
  disposals.push(() => database.remove());
  return database;
}

async function openStore(uri: string, resources: readonly Resource[] = [boats], warnings: string[] = []): Promise<Store> {
  const onWarning = (message: string, facts: object) => warnings.push(`${message} ${JSON.stringify(facts)}`);
  const store = await openMongoStore({ uri, resources, onWarning });
  disposals.push(() => store.close());
  return store;
}

test('a start on a database of others changes no collection, option, validator, index or document, and makes none', async () => {
  const { uri, foreign, server } = await openDatabase();
  await fillShop(foreign);
  const before = await wholeOf(foreign);
  const warnings: string[] = [];
  const store = await openStore(uri, [...served.stored], warnings);
  await store.head();
  const written = new Set<string | undefined>(['create', 'createIndexes', 'collMod', 'insert', 'update', 'delete', 'drop']);
  const ours = server.history.events.filter(({ name }) => written.has(name)).length;
  const looks = () => server.history.events.filter(({ name }) => name === 'listCollections').length;
  const first = looks();
  await eventually('what is pending is looked at again', () => looks() > first);
  await store.close();
  expect(await wholeOf(foreign)).toBe(before);
  expect(server.history.events.filter(({ name }) => written.has(name)).length).toBe(ours);
  expect(store.state().adopted).toEqual(new Set([...served.stored].map(({ collection }) => collection)));
  expect(warnings[0]).toContain('npm run plan');
  expect(warnings[0]).toContain('orders: images');
});

test('until it is installed there, documents are served, a list without its index and every write are refused by name', async () => {
  const { uri, foreign } = await openDatabase();
  await foreign.collection('boats').insertOne({ name: 'Fram' });
  const before = await wholeOf(foreign);
  const store = await openStore(uri);
  const id = String((await foreign.collection('boats').findOne())?._id);
  expect(await textOf(store, boats, id)).toBe(`{"id":"${id}","name":"Fram"}`);
  expect((await store.list(boats, all, inTime())).value).toHaveLength(1);
  expect(await reasonOf(store.list(boats, byName, inTime()))).toBe('shape_not_ready');
  expect(await reasonOf(store.count(boats, byName, 9, inTime()))).toBe('shape_not_ready');
  expect(await reasonOf(store.write([put(boats, id, { name: 'Gjøa' })], inTime()))).toBe('store_read_only');
  expect(store.state().pending).toContain('boats: index name,id');
  expect(await wholeOf(foreign)).toBe(before);
});

test('origins and starts agree on the position meanwhile, and a change by others is told', async () => {
  const { uri, foreign } = await openDatabase();
  await foreign.collection('boats').insertOne({ name: 'Fram' });
  const [store, twin] = [await openStore(uri), await openStore(uri)];
  expect((await twin.head()).epoch).toBe((await store.head()).epoch);
  const batches = store.watch(await store.head(), new AbortController().signal)[Symbol.asyncIterator]();
  await batches.next();
  await foreign.collection('boats').updateOne({}, { $set: { name: 'Maud' } });
  for (;;) {
    const { value } = await batches.next();
    if (value === undefined || 'lost' in value) throw new Error('the feed ended');
    if (value.changes.length === 0) continue;
    expect(value.changes).toMatchObject([{ kind: 'document', resource: 'boats', before: undefined, after: undefined }]);
    break;
  }
});

test('with no right to make anything a database of others is served all the same', async () => {
  const database = await openControlledDatabase({
    auth: { user: 'ada', password: 'secret', roles: [{ role: 'readWrite', db: 'shop' }] },
  });
  disposals.push(() => database.remove());
  const uri = database.server.uri.replace('/?', '/shop?authSource=admin&');
  const client = new MongoClient(uri);
  disposals.push(() => client.close());
  await client.db().collection('boats').insertOne({ _id: new ObjectId(), name: 'Fram' });
  const store = await openStore(uri);
  expect((await store.list(boats, all, inTime())).value).toHaveLength(1);
});

test('where all is there already, the rights to read and write documents are enough', async () => {
  const database = await openControlledDatabase({
    auth: { user: 'ada', password: 'secret', roles: [{ role: 'readWrite', db: 'shop' }] },
  });
  disposals.push(() => database.remove());
  const uri = database.server.uri.replace('/?', '/shop?authSource=admin&');
  await expect(openStore(uri)).rejects.toThrow('may not collMod on shop');
  const client = new MongoClient(uri);
  disposals.push(() => client.close());
  await client.db().collection('boats').insertOne({ name: 'Fram' });
  const target = { database: client.db(), resources: [plain], deployment: 'replica set' as const, patiently: async () => undefined };
  // Images alone need more: what is refused does not keep the rest from being done.
  const steps = await planOf(target);
  expect(steps.filter(({ command }) => 'collMod' in command).map(({ name }) => name)).toEqual(['boats: images']);
  await expect(applyPlan(target, 'e'.repeat(16), () => undefined)).rejects.toThrow('boats: images');
  const store = await openStore(uri, [plain]);
  expect(store.state().pending).toEqual(['boats: images']);
  expect((await store.write([put(plain, 'f'.repeat(24), { name: 'Ra' })], inTime())).outcomes[0]?.kind).toBe('written');
});

test('on a standalone too nothing of others is changed, and what others indexed is served', async () => {
  const database = await openControlledDatabase({ standalone: true });
  disposals.push(() => database.remove());
  await database.foreign.collection('boats').insertOne({ name: 'Fram' });
  await database.foreign.collection('boats').createIndex({ name: 1, _id: 1 });
  const before = await wholeOf(database.foreign);
  const readOnly = resource({ ...boatsLike, name: 'boats', cache: 'none', rules: { read: anyone } });
  const store = await openStore(database.uri, [readOnly]);
  expect((await store.list(readOnly, byName, inTime())).value).toHaveLength(1);
  await store.close();
  expect(await wholeOf(database.foreign)).toBe(before);
});

test('documents whose place in an order nobody knows are left out of lists, named at the start, and got by id', async () => {
  const { uri, foreign } = await openDatabase();
  await foreign.collection('boats').createIndex({ name: 1, _id: 1 });
  const { insertedId } = await foreign.collection('boats').insertOne({ name: ['Fram', 'Maud'] });
  await foreign.collection('boats').insertOne({ name: 'Vega' });
  const warnings: string[] = [];
  const store = await openStore(uri, [boats], warnings);
  expect((await store.list(boats, byName, inTime())).value.map(({ document }) => document.value['name'])).toEqual(['Vega']);
  expect(await textOf(store, boats, String(insertedId))).toContain('["Fram","Maud"]');
  expect(warnings.some((line) => line.startsWith('documents that hold arrays') && line.includes('boats'))).toBe(true);
});

describe('who owns a collection', () => {
  test('one that a start made, also when others have made more since; one that others made is not', async () => {
    const { uri, foreign } = await openDatabase();
    await (await openStore(uri)).close();
    await foreign.collection('ships').insertOne({ name: 'Vega' });
    const ships = resource({ ...boatsLike, name: 'ships' });
    const rafts = resource({ ...boatsLike, name: 'rafts' });
    const before = JSON.stringify(await foreign.collection('ships').indexes());
    const store = await openStore(uri, [boats, ships, rafts]);
    expect([...store.state().adopted]).toEqual(['ships']);
    expect(store.state().pending.every((name) => name.startsWith('ships: '))).toBe(true);
    expect(JSON.stringify(await foreign.collection('ships').indexes())).toBe(before);
    expect(await foreign.listCollections({ name: 'rafts' }).next()).toHaveProperty('options.validator');
    expect((await store.write([put(rafts, 'f'.repeat(24), { name: 'Ra' })], inTime())).outcomes[0]?.kind).toBe('written');
  });

  test('an adopted one that others drop is not made in their place', async () => {
    const { uri, foreign } = await openDatabase();
    await (await openStore(uri)).close();
    const ships = resource({ ...boatsLike, name: 'ships' });
    await foreign.collection('ships').insertOne({ name: 'Vega' });
    await (await openStore(uri, [boats, ships])).close();
    await foreign.collection('ships').drop();
    const store = await openStore(uri, [boats, ships]);
    expect(await foreign.listCollections({ name: 'ships' }).toArray()).toEqual([]);
    expect(store.state().pending).toContain('ships: collection');
  });

  test('a database of a start before there was a list keeps what that start made', async () => {
    const { uri, foreign } = await openDatabase();
    await (await openStore(uri)).close();
    await foreign.collection<{ _id: string }>('tombolo_meta').deleteOne({ _id: 'collections' });
    const store = await openStore(uri);
    expect(store.state()).toEqual({ pending: [], adopted: new Set(), open: [] });
    expect(await foreign.collection<{ _id: string }>('tombolo_meta').findOne({ _id: 'collections' })).toMatchObject({ owned: ['boats'] });
  });
});

const boatsLike = {
  id: 'objectId', schema: boats.schema, rules: { read: anyone, write: anyone }, shapes: { byName: { sort: ['name'] } },
} as const;
