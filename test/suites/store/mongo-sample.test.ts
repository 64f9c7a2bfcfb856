/** What `npm run adopt` reads of a database of others: so much and no more, and nothing is written (SEMANTICS §15). */
import { describe, expect, test } from 'bun:test';
import { readSample, sampleLimits } from '../../../origin/database/adopting/read-sample.ts';
import { withTarget } from '../../../origin/store/mongo/planning.ts';
import { startMongod } from '../../mongod/mongod.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { wholeOf } from '../../support/foreign-shop.ts';
import { type MongoDatabase, openControlledDatabase, openMongoDatabase } from '../../support/mongo-database.ts';

const disposals = disposedAfterEach();

async function openDatabase(): Promise<MongoDatabase> {
  const database = await openMongoDatabase();
  disposals.push(() => database.remove());
  return database;
}

const read = (uri: string, collection: string, documentsMax: number = sampleLimits.documentsDefault) =>
  withTarget({ uri, resources: [], isWritten: false }, ({ database }) => readSample(database, { collection, documentsMax }));
const refusalOf = (reading: Promise<unknown>) => reading.then(() => 'read', (error: Error) => `${error.name}: ${error.message}`);

describe('a sample', () => {
  test('of a large collection is as many documents as were asked for, taken at random, and nothing is written', async () => {
    const { uri, foreign, server, remove } = await openControlledDatabase();
    disposals.push(remove);
    await foreign.collection('steps').insertMany(Array.from({ length: 3_000 }, (_, index) => ({ index })));
    await foreign.collection('steps').createIndex({ index: 1 });
    const before = await wholeOf(foreign);
    const writing = ['insert', 'update', 'delete', 'create', 'createIndexes', 'collMod'];
    const writes = () => writing.map((name) => server.history.commands(name).length);
    const written = writes();
    const sample = await read(uri, 'steps', 50);
    expect([sample.documents.length, sample.total, sample.reading, sample.indexes.length]).toEqual([50, 3_000, 'random', 2]);
    expect(sample.documents.some(({ index }) => Number(index) > 200)).toBe(true);
    expect(await wholeOf(foreign)).toBe(before);
    expect(writes()).toEqual(written);
  });

  test('of a small one is all of it', async () => {
    const { uri, foreign } = await openDatabase();
    await foreign.collection('steps').insertMany([{ index: 1 }, { index: 2 }]);
    expect(await read(uri, 'steps', 2)).toMatchObject({ documents: [{}, {}], total: 2, reading: 'all' });
  });

  test('of large documents ends at the bound of bytes', async () => {
    const { uri, foreign } = await openDatabase();
    const text = 'x'.repeat(15_000_000);
    for (let index = 0; index < 6; index++) await foreign.collection('tomes').insertOne({ text });
    const { documents, total, reading } = await read(uri, 'tomes');
    expect([documents.length, total, reading]).toEqual([4, 6, 'cut']);
  });
});

describe('what a person meets first', () => {
  test('no such collection, an empty one, a view, no database', async () => {
    const { uri, foreign } = await openDatabase();
    await foreign.createCollection('boats');
    await foreign.createCollection('rafts', { viewOn: 'boats', pipeline: [] });
    expect(await refusalOf(read(uri, 'boat'))).toMatch(/^StoreNotReady: .*\n.*no collection boat; there are boats, rafts$/);
    expect(await refusalOf(read(uri, 'boats'))).toContain('boats: is empty');
    expect(await refusalOf(read(uri, 'rafts'))).toContain('rafts: is a view');
    const elsewhere = uri.replace(foreign.databaseName, `${foreign.databaseName}_x`);
    expect(await refusalOf(read(elsewhere, 'boats'))).toContain('does the path of the connection string name the right one?');
  });

  test('a wrong password, and none', async () => {
    const server = await startMongod({ auth: { user: 'ada', password: 'secret' } });
    disposals.push(() => server.close());
    const uri = server.uri.replace('/?', '/shop?authSource=admin&');
    const refusal = (given: string) => refusalOf(read(given, 'boats'));
    expect(await refusal(uri.replace('secret', 'sesame'))).toMatch(/^StoreNotReady: .*\n.*refuses the user or the password/);
    expect(await refusal(uri.replace('ada:secret@', ''))).toMatch(/^StoreNotReady: .*\n.*names no user/);
  });

  test('a user who may not read there; one who may do nothing else is enough', async () => {
    const server = await startMongod({ auth: { user: 'ada', password: 'secret', roles: [{ role: 'read', db: 'shop' }] } });
    disposals.push(() => server.close());
    const on = (name: string) => server.uri.replace('/?', `/${name}?authSource=admin&`);
    const refusal = await refusalOf(read(on('bank'), 'boats'));
    expect(refusal).toMatch(/^StoreNotReady: .*\n.*the user ada may not find, .*grantRolesToUser\("ada"/);
    expect(await refusalOf(read(on('shop'), 'boats'))).toContain('there is no collection boats');
  });
});
