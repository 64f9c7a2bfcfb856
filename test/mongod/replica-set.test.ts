import { afterEach, expect, test } from 'bun:test';
import { MongoClient, type Collection, type Document } from 'mongodb';
import { type MongodOptions, type Server, startMongod } from './server.ts';

const open: { close(): Promise<unknown> }[] = [];
afterEach(async () => { for (const thing of open.splice(0).reverse()) await thing.close(); });

async function start(options: MongodOptions = {}, extra = ''): Promise<{ server: Server; client: MongoClient; films: Collection<Document & { _id: number }> }> {
  const server = await startMongod({ members: 3, ...options });
  open.push(server);
  const client = new MongoClient(server.uri + extra, { serverSelectionTimeoutMS: 5000 });
  open.push(client);
  return { server, client, films: client.db('test').collection('films') };
}

const direct = (server: Server, index: number): MongoClient => {
  const client = new MongoClient(`mongodb://${server.members[index]?.host}/?directConnection=true`);
  open.push(client);
  return client;
};

test('a write that only the old primary has is rolled back when it hears of the new one', async () => {
  const { server, films } = await start();
  await films.insertOne({ _id: 1, kept: true });
  await server.settled();
  server.partition([0], [1, 2]);
  const cut = direct(server, 0).db('test').collection<{ _id: number }>('films');
  await cut.insertOne({ _id: 2 }, { writeConcern: { w: 1 } });
  expect(await cut.findOne({ _id: 2 })).not.toBeNull();
  expect(await cut.findOne({ _id: 2 }, { readConcern: { level: 'majority' } })).toBeNull();
  server.elect(1);
  await direct(server, 1).db('test').collection<{ _id: number }>('films').insertOne({ _id: 3 });
  server.heal();
  await server.settled();
  expect((await films.find().sort({ _id: 1 }).toArray()).map(({ _id }) => _id)).toEqual([1, 3]);
  expect(server.members[0]?.store.get('test', 'films')?.count).toBe(2);
  expect(server.set.rolledBack.map(({ member, entries }) => [member, entries.length])).toEqual([[0, 1]]);
  expect(server.errors).toEqual([]);
});

test('a majority write that no majority hears is not acknowledged', async () => {
  const { server } = await start();
  await server.settled();
  server.partition([0], [1, 2]);
  const cut = direct(server, 0).db('test').collection<{ _id: number }>('films');
  const error = await cut.insertOne({ _id: 1 }, { writeConcern: { w: 'majority', wtimeoutMS: 50 } }).catch((caught: unknown) => caught);
  expect((error as { code: number }).code).toBe(64);
});

test('a retried write is applied once although the primary changed in between', async () => {
  const { server, client } = await start();
  const films = client.db('test').collection<{ _id: number; n: number }>('films');
  await films.insertOne({ _id: 1, n: 0 });
  await server.settled();
  server.failPoint('onPrimaryTransactionalWrite', { times: 1 }, {}, 0);
  const oplog = server.memberOf(0).oplog;
  const leave = oplog.onChange(() => { leave(); queueMicrotask(() => server.stepDown()); });
  await films.updateOne({ _id: 1 }, { $inc: { n: 1 } });
  expect((await films.findOne({ _id: 1 }))?.n).toBe(1);
});

test('a step-down ends open transactions, and withTransaction runs again on the new primary', async () => {
  const { server, client, films } = await start();
  await films.insertOne({ _id: 1 });
  let attempts = 0;
  await client.withSession(session => session.withTransaction(async () => {
    attempts++;
    await films.insertOne({ _id: 2 }, { session });
    if (attempts === 1) server.stepDown();
  }));
  expect(attempts).toBe(2);
  expect(await films.countDocuments()).toBe(2);
});

test('a killed member loses what was not journaled and catches up after its restart', async () => {
  const { server, films } = await start();
  await films.insertOne({ _id: 1 });
  await server.kill(2);
  await films.insertOne({ _id: 2 });
  server.restart(2);
  await server.settled();
  expect(server.members[2]?.store.get('test', 'films')?.count).toBe(2);
});

test('a killed lone primary keeps what was acknowledged with j and loses what was not', async () => {
  const { server, films } = await start({ members: 1 });
  await films.insertOne({ _id: 1 }, { writeConcern: { w: 1, j: true } });
  await films.insertOne({ _id: 2 }, { writeConcern: { w: 1 } });
  const lost = await server.kill(0);
  server.restart(0);
  expect(lost.length).toBe(1);
  expect((await films.find().toArray()).map(({ _id }) => _id)).toEqual([1]);
});

test('a change stream resumes on the new primary without a gap or a repetition', async () => {
  const { server, films } = await start();
  await films.insertOne({ _id: 0 });
  const stream = films.watch();
  const seen: number[] = [];
  const reading = (async () => { for await (const change of stream) { if (change.operationType === 'insert') seen.push(change.documentKey._id); if (seen.length === 6) break; } })();
  await new Promise(resolve => setTimeout(resolve, 50));
  for (let i = 1; i <= 6; i++) { await films.insertOne({ _id: i }); if (i === 3) server.stepDown(); }
  await reading;
  expect(seen).toEqual([1, 2, 3, 4, 5, 6]);
});

test('a change stream never gives what a majority does not have', async () => {
  const { server } = await start();
  await server.settled();
  server.pauseReplication(1);
  server.pauseReplication(2);
  const films = direct(server, 0).db('test').collection<{ _id: number }>('films');
  const stream = films.watch();
  expect(await stream.tryNext()).toBeNull();
  await films.insertOne({ _id: 1 }, { writeConcern: { w: 1 } });
  expect(await stream.tryNext()).toBeNull();
  server.resumeReplication(1);
  expect((await stream.next()).operationType).toBe('insert');
  await stream.close();
});

test('a secondary that lags answers a causally consistent read only when it has caught up', async () => {
  const { server, client, films } = await start();
  await films.insertOne({ _id: 0 });
  await server.settled();
  server.delay(1, 150);
  server.delay(2, 150);
  await client.withSession({ causalConsistency: true }, async session => {
    await films.insertOne({ _id: 1 }, { session, writeConcern: { w: 1 } });
    const from = Date.now();
    expect(await films.findOne({ _id: 1 }, { session, readPreference: 'secondary' })).toEqual({ _id: 1 });
    expect(Date.now() - from).toBeGreaterThan(50);
  });
});

test('no member without a majority can be elected', async () => {
  const { server } = await start();
  await server.settled();
  server.partition([0, 1], [2]);
  expect(() => server.elect(2)).toThrow();
  expect(server.set.primary?.index).toBe(0);
});

test('a primary killed with a tail of its own gives it up when it comes back', async () => {
  const { server, films } = await start();
  await films.insertOne({ _id: 1 });
  await server.settled();
  server.pauseReplication(1);
  server.pauseReplication(2);
  await direct(server, 0).db('test').collection<{ _id: number }>('films').insertOne({ _id: 2 }, { writeConcern: { w: 1, j: true } });
  expect(await server.kill(0)).toEqual([]); // journaled, yet only here
  server.resumeReplication(1);
  server.resumeReplication(2);
  server.elect(2);
  await direct(server, 2).db('test').collection<{ _id: number }>('films').insertOne({ _id: 3 });
  server.restart(0);
  await server.settled();
  expect([...server.members[0]?.store.get('test', 'films')?.records.values() ?? []].map(record => record.head?.doc?.['_id'])).toEqual([1, 3]);
  expect(server.set.rolledBack.map(({ member }) => member)).toEqual([0]);
});

test('a rolled back index and collection are gone with the writes that made them', async () => {
  const { server, films } = await start();
  await films.insertOne({ _id: 1, a: 1 });
  await server.settled();
  server.partition([0], [1, 2]);
  const cut = direct(server, 0).db('test');
  await cut.collection('made').insertOne({ a: 1 }, { writeConcern: { w: 1 } });
  await cut.command({ createIndexes: 'films', indexes: [{ key: { a: 1 }, name: 'a_1' }], writeConcern: { w: 1 } });
  server.elect(1);
  server.heal();
  await server.settled();
  const store = server.members[0]?.store;
  expect(store?.get('test', 'made')).toBeNull();
  expect([...store?.get('test', 'films')?.indexes.keys() ?? []]).toEqual(['_id_']);
  expect(store?.get('test', 'films')?.count).toBe(1);
});
