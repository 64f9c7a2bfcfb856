/** What a store on MongoDB needs of its server, and what it makes of a database that others began. */
import { afterEach, expect, test } from 'bun:test';
import * as z from 'zod';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import type { Mutation } from '../../../origin/store/store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant, integer } from '../../../shared/contract/types.ts';
import { MongoClient } from 'mongodb';
import { JumpingClock, startMongod } from '../../mongod/mongod.ts';
import { eventually } from '../../support/eventually.ts';
import { read } from './read-changes.ts';
import { inTime, put, textOf, withoutId } from './harness.ts';
import { type MongoPlace, openMongoPlace, startWithRoles } from './mongo-place.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';

const boats = resource({
  name: 'boats', id: 'objectId',
  schema: z.object({ name: z.string(), masts: integer().optional(), built: instant().optional(), log: z.unknown().optional() }),
  rules: { read: anyone, write: anyone },
  shapes: { byName: { range: 'name', sort: ['name'] } },
});
const ships = resource({
  name: 'ships',
  id: 'objectId',
  schema: z.object({ name: z.string() }),
  rules: { read: anyone, write: anyone },
  shapes: { byName: { range: 'name', sort: ['name'] } },
});
const id = (n: number) => n.toString(16).padStart(24, '0');

let place: MongoPlace | undefined;
afterEach(async () => {
  await place?.remove();
  place = undefined;
});
const open = async () => (place = await openMongoPlace({ resources: [boats] }));

test('a server that nobody reaches is named as such', async () => {
  await expect(openMongoStore({ uri: 'mongodb://127.0.0.1:1/shop', resources: [boats] })).rejects.toThrow('no primary answered');
});

/** The lines of a refusal, one for each thing that is missing: what, why it matters, and the command that mends it. */
async function refusalOf(opening: Promise<unknown>): Promise<readonly string[]> {
  const message = await opening.then(() => 'opened', (error: Error) => error.message);
  return message.split('\n').slice(1).map((line) => line.trim());
}

test('an old version, a wrong clock and missing rights are told at once, each with what mends it, and nothing is written', async () => {
  const clock = new JumpingClock();
  clock.jump(90_000);
  const { server, uri } = await startWithRoles(['read'], { version: '6.0.14', clock });
  const lines = await refusalOf(openMongoStore({ uri, resources: [boats] }));
  expect(lines.map((line) => line.replace(/is (89|90|91) s from/, 'is 90 s from'))).toEqual([
    '- the server is MongoDB 6.0.14; the change feed needs 7.0 or newer (events over 16 MB, images); install it member by member, ' +
      'then run db.adminCommand({ setFeatureCompatibilityVersion: "7.0", confirm: true })',
    "- the server's clock is 90 s from ours, so one-use nonces would expire at the wrong time; let NTP set both: timedatectl set-ntp true",
    '- the user ada may not insert, update, remove, createCollection, createIndex, collMod on shop, ' +
      'and Tombolo could not store, index or hear of changes there; run db.getSiblingDB("admin")' +
      '.grantRolesToUser("ada", [{ role: "readWrite", db: "shop" }, { role: "dbAdmin", db: "shop" }])',
  ]);
  expect(['create', 'insert', 'update', 'createIndexes', 'collMod'].flatMap((name) => server.history.commands(name))).toEqual([]);
  await server.close();
  expect(server.errors).toEqual([]);
});

test('with the roles that the refusal asks for, the store opens and writes', async () => {
  const { server, uri } = await startWithRoles(['readWrite', 'dbAdmin']);
  const store = await openMongoStore({ uri, resources: [boats] });
  expect((await store.write([put(boats, id(1), { name: 'Fram' })], inTime())).outcomes[0]?.kind).toBe('written');
  await store.close();
  await server.close();
  expect(server.errors).toEqual([]);
});

test('indexes that cannot be built are told at once, each with the command that shows what is in the way', async () => {
  const server = await startMongod();
  const client = new MongoClient(server.uri);
  const foreign = client.db('shop');
  const uri = server.uri.replace('/?', '/shop?');
  const common = { rules: { read: anyone }, id: { kind: 'string', format: z.string() } } as const;
  const crews = resource({
    ...common,
    name: 'crews',
    schema: z.object({ rank: z.number(), ship: z.string() }),
    shapes: { ofShip: { equal: ['ship'], sort: ['rank'] } },
  });
  const ships = resource({ ...common, name: 'ships', schema: z.object({ name: z.string() }), shapes: { byName: { sort: ['name'] } } });
  const without = [boats, crews, ships].map(({ name, schema, id: kind }) => resource({ ...common, name, schema, id: kind, shapes: {} }));
  await (await openMongoStore({ uri, resources: without })).close();
  const odd = { _id: 'a', rank: [1], ship: ['x'] } as { readonly _id: string };
  await foreign.collection<{ _id: string }>('crews').insertOne(odd, { bypassDocumentValidation: true });
  // Indexes of ours are not unique; a server that says so all the same does it after two of the boats and two of the crews.
  server.failPoint('failCommand', { skip: 4 }, { failCommands: ['createIndexes'], appName: 'tombolo', errorCode: 11_000 });
  const lines = await refusalOf(openMongoStore({ uri, resources: [boats, crews, ships] }));
  expect(lines).toEqual([
    '- crews: index ship+rank,id cannot be built, and lists that walk it would read everything: ' +
      'documents hold arrays in two of its fields, which no index can; db.getCollection("crews")' +
      '.find({"$or":[{"ship":{"$type":"array"}},{"rank":{"$type":"array"}},{"_id":{"$type":"array"}}]}) lists them: mend those',
    '- ships: index name,id cannot be built, and lists that walk it would read everything: ' +
      'documents have the same value where it has to be unique; db.getCollection("ships")' +
      '.aggregate([{ $group: { _id: {"name":"$name","_id":"$_id"}, ids: { $push: "$_id" }, count: { $sum: 1 } } }, ' +
      '{ $match: { count: { $gt: 1 } } }]) lists them: remove all but one of each',
    expect.stringContaining('- ships: index tombolo_odd cannot be built'),
  ]);
  await client.close();
  await server.close();
});

test.each([
  ['create', 215, 'the drop of the database'],
  ['collMod', 12_587, 'an index'],
] as const)('a start waits for what others have begun: %s is refused with %d until %s is done', async (command, errorCode) => {
  const { server, uri, foreign, remove } = await openControlledDatabase();
  try {
    if (command === 'collMod') {
      await (await openMongoStore({ uri, resources: [boats] })).close();
      await foreign.command({ collMod: 'boats', validator: {} });
    }
    server.failPoint('failCommand', { times: 3 }, { failCommands: [command], errorCode });
    await (await openMongoStore({ uri, resources: [boats] })).close();
    expect(await foreign.listCollections({ name: 'boats' }).next()).toHaveProperty('options.validator');
  } finally {
    await remove();
  }
});

test('two origins may start at once, and again', async () => {
  const { uri, store } = await open();
  const twins = await Promise.all([openMongoStore({ uri, resources: [boats] }), openMongoStore({ uri, resources: [boats] })]);
  expect(new Set((await Promise.all([store, ...twins].map((each) => each.head()))).map(({ epoch }) => epoch)).size).toBe(1);
  await Promise.all(twins.map((twin) => twin.close()));
});

test('two origins that race on one document lose nothing', async () => {
  const { uri, store } = await open();
  const twin = await openMongoStore({ uri, resources: [boats] });
  const add = {
    resource: boats,
    id: id(1),
    decide: (before: { readonly value: Readonly<Record<string, unknown>> } | undefined) => ({
      kind: 'put' as const,
      document: { name: 'Twin', masts: Number(before?.value['masts'] ?? 0) + 1 },
    }),
  };
  await Promise.all(Array.from({ length: 30 }, async (_, n) => (n % 2 === 0 ? store : twin).write([add], inTime(15_000))));
  expect(JSON.parse((await textOf(store, boats, id(1))) ?? '{}')).toMatchObject({ masts: 30 });
  await twin.close();
});

test('the database refuses a type that is not declared, whoever writes, and says where', async () => {
  const { foreign } = await open();
  await expect(foreign.collection('boats').insertOne({ name: 7 })).rejects.toMatchObject({ code: 121 });
  await foreign.collection('boats').insertOne({ name: 'Fram', built: new Date(0) });
});

test('a unique index of others refuses its own mutation alone, and names the field', async () => {
  const { store, foreign } = await open();
  await foreign.collection('boats').createIndex({ name: 1 }, { unique: true, name: 'theirs' });
  const { outcomes } = await store.write(
    [put(boats, id(1), { name: 'Fram' }), put(boats, id(2), { name: 'Fram' }), put(boats, id(3), { name: 'Gjøa' })],
    inTime(),
  );
  expect(
    outcomes.map((outcome) => (outcome.kind === 'refused' ? [outcome.fault.reason, outcome.fault.errors[0]?.at] : outcome.kind)),
  ).toEqual(['written', ['document_conflict', '/name'], 'written']);
});

test('rules of others about what is not declared refuse without a name', async () => {
  const { store, foreign } = await open();
  const answerTo = async (mutation: Mutation) => {
    const [outcome] = (await store.write([mutation], inTime())).outcomes;
    return outcome?.kind === 'refused' ? [outcome.fault.detail, outcome.fault.errors.map(({ at }) => at)] : outcome?.kind;
  };
  await foreign.collection('boats').createIndex({ name: 1, 'owner.secret': 1 }, { unique: true });
  await foreign.collection('boats').createIndex({ legacyKey: 1 }, { unique: true });
  expect(await answerTo(put(boats, id(1), { name: 'Maud' }))).toBe('written');
  expect(await answerTo(put(boats, id(2), { name: 'Maud' }))).toEqual(['another document has this name', ['/name']]);
  await foreign.collection('boats').dropIndex('name_1_owner.secret_1');
  expect(await answerTo(put(boats, id(2), { name: 'Maud' }))).toEqual(['another document has this unique value', []]);
  await foreign.command({ collMod: 'boats', validator: { $jsonSchema: { required: ['iban'] } }, validationLevel: 'strict' });
  expect(await answerTo(put(boats, id(3), { name: 'Fram' }))).toEqual(['document: the database refuses this document', ['']]);
});

test('a patch leaves the types of what it does not name', async () => {
  const { store, foreign } = await open();
  await foreign.collection('boats').insertOne({ name: 'Fram', log: { at: new Date(5), kept: [new Date(6)] } });
  const key = String((await foreign.collection('boats').findOne())?._id);
  await store.write(
    [{ resource: boats, id: key, decide: (before) => ({ kind: 'put', document: { ...withoutId(before?.value), name: 'Maud' } }) }],
    inTime(),
  );
  expect(await foreign.collection<object>('boats').findOne({}, { projection: { _id: 0 } })).toEqual<object | null>({
    name: 'Maud',
    log: { at: new Date(5), kept: [new Date(6)] },
  });
});

test('a dropped database begins a new epoch, and its readers are told', async () => {
  const { store, foreign } = await open();
  const from = await store.head();
  const batches = store.watch(from, new AbortController().signal)[Symbol.asyncIterator]();
  await batches.next();
  await foreign.dropDatabase();
  for (;;) {
    const { value } = await batches.next();
    if (value === undefined) throw new Error('the feed ended');
    if (!('lost' in value)) continue;
    expect(value.head.epoch).not.toBe(from.epoch);
    break;
  }
  await store.write([put(boats, id(1), { name: 'Again' })], inTime());
  expect(await foreign.listCollections({ name: 'boats' }).next()).toHaveProperty('options.validator');
});

test('a dropped collection touches its whole resource, and is put back', async () => {
  const { store, foreign } = await open();
  const batches = store.watch(await store.head(), new AbortController().signal)[Symbol.asyncIterator]();
  await batches.next();
  await foreign.collection('boats').drop();
  for (;;) {
    const { value } = await batches.next();
    if (value === undefined || 'lost' in value) throw new Error('the feed ended');
    if (value.changes.length === 0) continue;
    expect(value.changes).toMatchObject([{ kind: 'resource', resource: 'boats' }]);
    break;
  }
});

test.each([
  ['before it is looked at', [boats, ships]],
  ['when it was looked at', [ships, boats]],
] as const)('a collection that is dropped while another is put back, %s, is put back too', async (_when, resources) => {
  const fatal: Error[] = [];
  const controlled = await openMongoPlace({ resources, onFatal: (error) => fatal.push(error), mongod: {} });
  place = controlled;
  const { store, foreign, server } = controlled;
  const creations = () => server.history.events.filter(({ name }) => name === 'create').length;
  const before = creations();
  const reader = read(store, await store.head());
  await reader.next();
  server.failPoint('failCommand', { times: 6 }, { failCommands: ['create'], errorCode: 215 });
  await foreign.collection('boats').drop();
  await reader.nextChanges();
  await eventually('the first is being put back', () => creations() > before);
  await foreign.collection('ships').drop();
  await reader.nextChanges();
  await eventually(
    'both are back',
    async () =>
      (await foreign.listCollections({ name: { $in: ['boats', 'ships'] }, 'options.validator': { $exists: true } }).toArray()).length === 2,
  );
  expect(fatal).toEqual([]);
  await reader.stop();
});
