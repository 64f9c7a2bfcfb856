/** What is pending in a database of others: planned, applied, taken out again, and served as soon as it is there (SEMANTICS §15). */
import { describe, expect, test } from 'bun:test';
import type { Db, Document } from 'mongodb';
import * as z from 'zod';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { applyPlan, isInstalled, planOf, remove, removalOf } from '../../../origin/store/mongo/install/plan.ts';
import { toBranchQuery } from '../../../origin/store/mongo/read/branch-query.ts';
import { toQueryPlan } from '../../../origin/store/plan.ts';
import type { Store } from '../../../origin/store/store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { eventually } from '../../support/eventually.ts';
import { wholeOf } from '../../support/foreign-shop.ts';
import { type ControlledDatabase, openControlledDatabase } from '../../support/mongo-database.ts';
import { inTime, put, reasonOf, textOf } from './harness.ts';

const boats = resource({
  name: 'boats', id: 'objectId',
  schema: z.object({ name: z.string(), masts: z.number().optional(), port: z.string().optional() }),
  rules: { read: anyone, write: anyone },
  shapes: { byName: { range: 'name', sort: ['name'] }, ofPort: { equal: ['port'], sort: ['-masts'] } },
});
const rafts = resource({
  name: 'rafts', id: 'objectId', schema: z.object({ name: z.string() }), rules: { read: anyone, write: anyone }, shapes: { all: {} },
});
const resources = [boats, rafts];
const validator = { $jsonSchema: { bsonType: 'object', properties: { _id: { bsonType: 'objectId' }, name: { bsonType: 'string' } } } };
const id = (n: number) => n.toString(16).padStart(24, '0');
const end = { field: 'id', descending: false };
const byName = {
  equal: {}, range: undefined, sort: [{ field: 'name', descending: false }, end], where: true, after: undefined, limit: 9,
} as const;
const ofPort = {
  ...byName, equal: { port: ['Oslo'] }, sort: [{ field: 'masts', descending: true }, { field: 'id', descending: true }],
} as const;

const disposals = disposedAfterEach();

/** A harbour's own program has made `boats`, with a validator. */
async function openHarbour(): Promise<ControlledDatabase> {
  const database = await openControlledDatabase();
  disposals.push(() => database.remove());
  await database.foreign.createCollection('boats', { validator, validationLevel: 'strict' });
  await database.foreign.collection('boats').insertMany([
    { name: 'Fram', masts: 3, port: 'Oslo' },
    { name: 'Gjøa', masts: 1, port: 'Oslo' },
  ]);
  return database;
}

async function openStore(uri: string, served = resources): Promise<Store> {
  const store = await openMongoStore({ uri, resources: served });
  disposals.push(() => store.close());
  return store;
}

const targetOf = (database: Db) => ({
  database, resources, deployment: 'replica set' as const, patiently: (use: (patient: Db) => Promise<void>) => use(database),
});
const apply = (database: Db, names: string[] = []) => applyPlan(targetOf(database), 'e'.repeat(16), ({ name }) => names.push(name));
const namesIn = async (store: Store, request: typeof byName | typeof ofPort) =>
  (await store.list(boats, request, inTime())).value.map(({ document }) => document.value['name']);
const optionsOf = async (foreign: Db) =>
  (await foreign.listCollections<Document & { name: string }>({ name: 'boats' }).next())?.['options'] as Document;

test('a plan names each step with its command, reason, effect, cost and undoing, and changes nothing', async () => {
  const { foreign } = await openHarbour();
  const before = await wholeOf(foreign);
  const steps = await planOf(targetOf(foreign));
  expect(await wholeOf(foreign)).toBe(before);
  expect(steps.map(({ name }) => name)).toEqual([
    'tombolo_meta: collection', 'tombolo_cursors: collection', 'tombolo_once: collection', 'tombolo_once: index expiresAt_1',
    'boats: images', 'boats: index name,id', 'boats: index port+masts,id', 'boats: index tombolo_odd', 'rafts: collection',
  ]);
  for (const { why, effect, by } of steps) expect([why.length > 0, effect.length > 0, by]).toEqual([true, true, 'apply']);
  expect(steps[5]).toMatchObject({
    documents: 2, command: { createIndexes: 'boats', indexes: [{ key: { name: 1, _id: 1 }, name: 'name,id' }] },
    undo: { dropIndexes: 'boats', index: 'name,id' },
  });
  expect(steps.flatMap(({ command }) => ('validator' in command ? [command['create']] : []))).toEqual(['rafts']);
});

test('applied, an origin that runs serves the lists and writes without a start, and the validator of others stays', async () => {
  const { uri, foreign } = await openHarbour();
  const store = await openStore(uri);
  const watching = store.watch(await store.head(), new AbortController().signal)[Symbol.asyncIterator]();
  const lost = (async () => {
    for (;;) if ('lost' in ((await watching.next()).value ?? { lost: true })) return true;
  })();
  expect(await reasonOf(namesIn(store, byName))).toBe('shape_not_ready');
  const [documents, theirs] = [await foreign.collection('boats').find().toArray(), await optionsOf(foreign)];
  await apply(foreign);
  await eventually('the list is served', async () => (await reasonOf(namesIn(store, ofPort))) === undefined);
  expect([await namesIn(store, byName), await namesIn(store, ofPort)]).toEqual([['Fram', 'Gjøa'], ['Fram', 'Gjøa']]);
  expect(await lost).toBe(true);
  await eventually('it is complete', () => store.state().pending.length === 0);
  expect((await store.write([put(boats, id(1), { name: 'Maud' })], inTime())).outcomes[0]?.kind).toBe('written');
  expect(await optionsOf(foreign)).toEqual({ ...theirs, changeStreamPreAndPostImages: { enabled: true } });
  expect((await foreign.collection('boats').find().toArray()).slice(0, 2)).toEqual(documents);
  expect(await planOf(targetOf(foreign))).toEqual([]);
});

test('a document whose place in an order nobody knows, which others leave there afterwards, is listed behind the texts', async () => {
  const { uri, foreign } = await openHarbour();
  await foreign.command({ collMod: 'boats', validator: {} });
  await apply(foreign);
  const store = await openStore(uri);
  await foreign.collection('boats').insertOne({ name: ['Aud'] });
  expect(await namesIn(store, byName)).toEqual(['Fram', 'Gjøa', ['Aud']]);
});

test('two people who apply at once do no harm', async () => {
  const { foreign } = await openHarbour();
  await Promise.all([apply(foreign), apply(foreign), apply(foreign)]);
  expect(await planOf(targetOf(foreign))).toEqual([]);
  expect((await foreign.collection('boats').indexes()).map(({ name }) => name).sort()).toEqual(
    ['_id_', 'name,id', 'port+masts,id', 'tombolo_odd'],
  );
});

test('what was cut short is begun again where it was', async () => {
  const { uri, foreign, server } = await openHarbour();
  server.failPoint('failCommand', { skip: 2 }, { failCommands: ['createIndexes'], errorCode: 67 });
  await expect(apply(foreign)).rejects.toThrow('index port+masts,id cannot be built');
  server.failPoint('failCommand', 'off', {});
  const store = await openStore(uri);
  expect(store.state().pending).toEqual(['boats: index port+masts,id', 'boats: index tombolo_odd']);
  const names: string[] = [];
  await apply(foreign, names);
  expect(names).toEqual(['boats: index port+masts,id', 'boats: index tombolo_odd']);
});

test('what was added to a collection of others is taken out again, and nothing else', async () => {
  const { foreign } = await openHarbour();
  await foreign.collection('boats').createIndex({ name: 1 });
  const before = JSON.stringify(await foreign.collection('boats').indexes());
  expect(await removalOf(foreign, 'boats')).toBeUndefined();
  await apply(foreign);
  await remove(foreign, 'boats', (await removalOf(foreign, 'boats')) ?? []);
  expect(JSON.stringify(await foreign.collection('boats').indexes())).toBe(before);
  expect(await optionsOf(foreign)).not.toHaveProperty('changeStreamPreAndPostImages');
  expect(await removalOf(foreign, 'boats')).toBeUndefined();
});

test('what others made under a name of ours stays, and ours gets another, also when it is taken out', async () => {
  const { uri, foreign } = await openHarbour();
  await foreign.collection('boats').createIndex({ port: -1 }, { name: 'name,id' });
  const before = JSON.stringify(await foreign.collection('boats').indexes());
  await apply(foreign);
  expect(await namesIn(await openStore(uri), byName)).toEqual(['Fram', 'Gjøa']);
  await remove(foreign, 'boats', (await removalOf(foreign, 'boats')) ?? []);
  expect(JSON.stringify(await foreign.collection('boats').indexes())).toBe(before);
});

test('what the server refused was not added, and is not taken out when others have it afterwards', async () => {
  const { foreign, server } = await openHarbour();
  server.failPoint('failCommand', 'alwaysOn', { failCommands: ['createIndexes', 'collMod'], errorCode: 67 });
  await expect(apply(foreign)).rejects.toThrow('boats: images');
  server.failPoint('failCommand', 'off', {});
  await foreign.command({ collMod: 'boats', changeStreamPreAndPostImages: { enabled: true } });
  await foreign.collection('boats').createIndex({ name: 1, _id: 1 }, { name: 'name,id' });
  await foreign.collection('boats').createIndex({ masts: 1 }, { name: 'port+masts,id' });
  expect(await removalOf(foreign, 'boats')).toEqual([]);
});

test('an index of others with the name of one of ours that they dropped is not taken out', async () => {
  const { foreign } = await openHarbour();
  await apply(foreign);
  await foreign.collection('boats').dropIndex('name,id');
  await foreign.collection('boats').createIndex({ masts: 1 }, { name: 'name,id' });
  expect(JSON.stringify(await removalOf(foreign, 'boats'))).not.toContain('"name,id"');
});

test('two who take out at once do no harm, and nothing is left to take out of what was renamed away or is made anew', async () => {
  const { foreign } = await openHarbour();
  await apply(foreign);
  const commands = (await removalOf(foreign, 'boats')) ?? [];
  await Promise.all([remove(foreign, 'boats', commands), remove(foreign, 'boats', commands)]);
  expect((await foreign.collection('boats').indexes()).map(({ name }) => name)).toEqual(['_id_']);
  await apply(foreign);
  await foreign.collection('boats').rename('old');
  expect(await removalOf(foreign, 'boats')).toEqual([]);
  await apply(foreign);
  expect(await removalOf(foreign, 'boats')).toBeUndefined();
});

test('a collection that has a collation is given indexes in the order of lists, which walk them in that order', async () => {
  const { uri, foreign } = await openHarbour();
  await foreign.createCollection('rafts', { collation: { locale: 'en', strength: 2 } });
  await foreign.collection('rafts').insertMany(['b', 'B', 'a', 'C'].map((name) => ({ name, masts: 1, port: 'Oslo' })));
  const [named, text] = [{ ...boats, name: 'rafts', collection: 'rafts' }, { kind: 'string', format: z.string() } as const];
  const target = { ...targetOf(foreign), resources: [named] };
  await applyPlan(target, 'e'.repeat(16), () => undefined);
  expect(await planOf(target)).toEqual([]);
  const store = await openStore(uri, [named]);
  const rows = (await store.list(named, byName, inTime())).value;
  expect(rows.map(({ document }) => document.value['name'])).toEqual(['B', 'C', 'a', 'b']);
  const other = { ...ofPort, equal: { port: ['OSLO'] } };
  expect([(await store.list(named, other, inTime())).value, (await store.count(named, other, 9, inTime())).value]).toEqual([[], 0]);
  const byUuid = resource({ name: 'rafts', schema: boats.schema, rules: boats.rules, shapes: { all: {} } });
  const uuid = '01a22266-fb91-75bb-9c2a-1e341692867e';
  await foreign.collection<{ _id: string; name: string }>('rafts').insertOne({ _id: uuid.toUpperCase(), name: 'd' });
  expect(await textOf(await openStore(uri, [byUuid]), byUuid, uuid)).toBeUndefined();
  const byText = resource({ name: 'rafts', id: text, schema: boats.schema, rules: boats.rules, shapes: { all: {} } });
  await expect(openMongoStore({ uri, resources: [byText] })).rejects.toThrow('rafts: has a collation');
});

test('an index of the same key that others have hidden is named with what lets it serve, and stays hidden', async () => {
  const { foreign } = await openHarbour();
  await foreign.collection('boats').createIndex({ name: 1, _id: 1 }, { name: 'theirs', hidden: true });
  await expect(apply(foreign)).rejects.toThrow('unhideIndex');
  const why: unknown = expect.stringContaining('db.getCollection("boats").unhideIndex("theirs")');
  expect(await planOf(targetOf(foreign))).toEqual([expect.objectContaining({ name: 'boats: index name,id', why })]);
  expect((await foreign.collection('boats').indexes()).find(({ name }) => name === 'theirs')).toHaveProperty('hidden', true);
});

test('a view of others is refused by name before anything is done', async () => {
  const { foreign } = await openHarbour();
  await foreign.createCollection('rafts', { viewOn: 'boats', pipeline: [] });
  const before = JSON.stringify(await foreign.listCollections().toArray());
  await expect(planOf(targetOf(foreign))).rejects.toThrow('rafts: is a view');
  await expect(apply(foreign)).rejects.toThrow('rafts: is a view');
  expect(JSON.stringify(await foreign.listCollections().toArray())).toBe(before);
});

test('who gave the commands of the plan by hand is written to after an apply; what they made is theirs', async () => {
  const { uri, foreign } = await openHarbour();
  for (const { command } of await planOf(targetOf(foreign))) await foreign.command(command);
  const store = await openStore(uri);
  expect([await planOf(targetOf(foreign)), await isInstalled(targetOf(foreign))]).toEqual([[], false]);
  expect(await reasonOf(store.write([put(boats, id(1), { name: 'Maud' })], inTime()))).toBe('store_read_only');
  await apply(foreign);
  expect((await (await openStore(uri)).write([put(boats, id(1), { name: 'Maud' })], inTime())).outcomes[0]?.kind).toBe('written');
  expect(await removalOf(foreign, 'boats')).toBeUndefined();
});

describe('indexes of others serve', () => {
  test.each([
    ['a longer key', { name: 1, _id: 1, port: 1 }, byName, ['Fram', 'Gjøa']],
    ['the other direction', { name: -1, _id: -1 }, byName, ['Fram', 'Gjøa']],
    ['an equality in the other direction', { port: -1, masts: 1, _id: 1 }, ofPort, ['Fram', 'Gjøa']],
  ] as const)('%s', async (_title, key, request, expected) => {
    const { uri, foreign } = await openHarbour();
    await foreign.collection('boats').createIndex(key, { name: 'theirs' });
    const store = await openStore(uri);
    expect(await namesIn(store, request)).toEqual([...expected]);
    const { branches: [branch], interval } = toQueryPlan(boats, request);
    if (branch === undefined) throw new Error('the request has no branch');
    const query = toBranchQuery({ resource: boats, branch, sort: request.sort, interval, after: undefined, mayBeOdd: true });
    const find = { find: 'boats', filter: query?.filter, sort: query?.sort, hint: 'theirs' };
    const explained = await foreign.command({ explain: find, verbosity: 'executionStats' });
    const { executionStats } = explained as { readonly executionStats: { readonly totalKeysExamined: number } };
    expect(JSON.stringify(explained)).toContain('"indexName":"theirs"');
    expect(JSON.stringify(explained)).not.toContain('"stage":"SORT"');
    expect(executionStats.totalKeysExamined).toBeLessThanOrEqual(3);
  });

  test.each([
    ['another order', { name: 1, _id: -1 }, {}],
    ['a key that lacks the id', { name: 1 }, {}],
    ['a collation', { name: 1, _id: 1 }, { collation: { locale: 'de' } }],
    ['a part of the documents', { name: 1, _id: 1 }, { partialFilterExpression: { masts: { $gt: 1 } } }],
    ['hidden', { name: 1, _id: 1 }, { hidden: true }],
  ] as const)('but not %s', async (_title, key, options) => {
    const { uri, foreign } = await openHarbour();
    await foreign.collection('boats').createIndex(key, { name: 'theirs', ...options });
    expect(await reasonOf(namesIn(await openStore(uri), byName))).toBe('shape_not_ready');
  });
});

describe('an index that others take away', () => {
  test.each(['dropped', 'hidden'] as const)('is the state of its shape when it is %s, and heals when it is back', async (how) => {
    const { uri, foreign } = await openHarbour();
    await apply(foreign);
    const store = await openStore(uri);
    const hide = (hidden: boolean) => foreign.command({ collMod: 'boats', index: { name: 'name,id', hidden } });
    if (how === 'hidden') await hide(true);
    else await foreign.collection('boats').dropIndex('name,id');
    expect(await reasonOf(namesIn(store, byName))).toBe('shape_not_ready');
    await eventually('it is named', () => store.state().pending.includes('boats: index name,id'));
    expect(await reasonOf(namesIn(store, byName))).toBe('shape_not_ready');
    expect(await namesIn(store, ofPort)).toEqual(['Fram', 'Gjøa']);
    if (how === 'hidden') await hide(false);
    else await foreign.collection('boats').createIndex({ name: 1, _id: 1 }, { name: 'name,id' });
    await eventually('it is served again', async () => (await reasonOf(namesIn(store, byName))) === undefined);
  });

  test('from a collection of those that Tombolo owns is put back', async () => {
    const database = await openControlledDatabase();
    disposals.push(() => database.remove());
    const store = await openStore(database.uri);
    await database.foreign.collection('boats').dropIndex('name,id');
    expect(await reasonOf(namesIn(store, byName))).toBe('shape_not_ready');
    await eventually('it is served again', async () => (await reasonOf(namesIn(store, byName))) === undefined);
  });
});
