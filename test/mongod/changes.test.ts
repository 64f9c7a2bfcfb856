import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type ChangeStream, type ChangeStreamDocument, type ChangeStreamOptions, type Collection, type Db, type Document, MongoClient } from 'mongodb';
import { type MongodOptions, type Server, startMongod } from './server.ts';

type Film = Document & { _id: number };

let server: Server;
let client: MongoClient;
let db: Db;
let films: Collection<Film>;
const streams: ChangeStream[] = [];

async function open(options: MongodOptions = {}): Promise<void> {
  server = await startMongod(options);
  client = new MongoClient(server.uri);
  db = client.db('test');
  films = db.collection<Film>('films');
}

beforeEach(() => open());
afterEach(async () => {
  for (const stream of streams.splice(0)) await stream.close().catch(() => undefined);
  await client.close();
  await server.close();
  expect(server.errors).toEqual([]);
});

// A stream that stands where it was opened: the aggregate has run.
async function watch(target: { watch(pipeline?: Document[], options?: ChangeStreamOptions): ChangeStream<never> }, pipeline: Document[] = [], options: ChangeStreamOptions = {}): Promise<ChangeStream> {
  const stream = target.watch(pipeline, { maxAwaitTimeMS: 20, ...options }) as unknown as ChangeStream;
  streams.push(stream);
  if (!('resumeAfter' in options || 'startAfter' in options || 'startAtOperationTime' in options)) await stream.tryNext();
  return stream;
}

async function take(stream: ChangeStream, count: number): Promise<Document[]> {
  const out: ChangeStreamDocument[] = [];
  while (out.length < count) out.push(await stream.next());
  return out;
}

const codeOf = async (work: Promise<unknown>): Promise<unknown> => work.then(() => 'no error', (error: { code?: number; message: string }) => error.code ?? error.message);

test('nothing of a transaction is seen before its commit, and nothing of an aborted one ever', async () => {
  await films.insertOne({ _id: 0 });
  const stream = await watch(films);
  const session = client.startSession();
  session.startTransaction();
  await films.insertOne({ _id: 1 }, { session });
  await films.updateOne({ _id: 1 }, { $set: { a: 1 } }, { session });
  expect(await stream.tryNext()).toBeNull();
  await session.commitTransaction();
  const [insert, update] = await take(stream, 2);
  expect([insert?.['operationType'], update?.['operationType']]).toEqual(['insert', 'update']);
  expect(insert?.['clusterTime']).toEqual(update?.['clusterTime']);
  expect(insert?.['txnNumber']).toBeDefined();
  session.startTransaction();
  await films.insertOne({ _id: 2 }, { session });
  await session.abortTransaction();
  await films.insertOne({ _id: 3 });
  expect((await take(stream, 1))[0]?.['documentKey']).toEqual({ _id: 3 });
  await session.endSession();
});

test('a resume in the middle of a transaction goes on with its next operation', async () => {
  await films.insertOne({ _id: 0 });
  const stream = await watch(films);
  await client.withSession(session => session.withTransaction(async () => { for (const _id of [1, 2, 3]) await films.insertOne({ _id }, { session }); }));
  const [first] = await take(stream, 1);
  const again = await watch(films, [], { resumeAfter: first?.['_id'] });
  expect((await take(again, 2)).map(event => event['documentKey']._id)).toEqual([2, 3]);
});

test('an update tells what it changed, also of arrays cut short', async () => {
  await films.insertOne({ _id: 1, a: { b: 1, c: 2 }, list: [1, 2, 3, 4], gone: true, tags: ['x'] });
  const stream = await watch(films);
  await films.updateOne({ _id: 1 }, { $set: { 'a.b': 5, 'n.m': 1 }, $unset: { gone: '' }, $push: { tags: 'y' as never } });
  await films.updateOne({ _id: 1 }, [{ $set: { list: { $slice: ['$list', 2] }, note: 'n'.repeat(50) } }]);
  await films.updateOne({ _id: 1 }, { $set: { 'a.b': 5 } }); // changes nothing
  await films.replaceOne({ _id: 1 }, { z: 1 });
  const [operators, pipeline, replacement] = await take(stream, 3);
  expect(operators?.['updateDescription']).toEqual({ updatedFields: { 'a.b': 5, n: { m: 1 }, 'tags.1': 'y' }, removedFields: ['gone'], truncatedArrays: [] });
  expect(pipeline?.['updateDescription']).toEqual({ updatedFields: { note: 'n'.repeat(50) }, removedFields: [], truncatedArrays: [{ field: 'list', newSize: 2 }] });
  expect(replacement?.['operationType']).toBe('replace');
  expect(replacement?.['fullDocument']).toEqual({ _id: 1, z: 1 });
});

test('images are given where the collection keeps them, and `required` fails where it does not', async () => {
  await db.createCollection('films', { changeStreamPreAndPostImages: { enabled: true } });
  const stream = await watch(films, [], { fullDocument: 'required', fullDocumentBeforeChange: 'required' });
  await films.insertOne({ _id: 1, n: 1 });
  await films.updateOne({ _id: 1 }, { $set: { n: 2 } });
  await films.updateOne({ _id: 1 }, { $set: { n: 3 } });
  await films.deleteOne({ _id: 1 });
  const [, first, second, last] = await take(stream, 4);
  expect([first?.['fullDocumentBeforeChange'], first?.['fullDocument']]).toEqual([{ _id: 1, n: 1 }, { _id: 1, n: 2 }]);
  expect([second?.['fullDocumentBeforeChange'], second?.['fullDocument']]).toEqual([{ _id: 1, n: 2 }, { _id: 1, n: 3 }]);
  expect(last?.['fullDocumentBeforeChange']).toEqual({ _id: 1, n: 3 });
  await db.command({ collMod: 'films', changeStreamPreAndPostImages: { enabled: false } });
  await films.insertOne({ _id: 2 });
  await take(stream, 1);
  await films.updateOne({ _id: 2 }, { $set: { n: 1 } });
  expect(await codeOf(take(stream, 1))).toBe(47);
  const lenient = await watch(films, [], { fullDocument: 'whenAvailable', fullDocumentBeforeChange: 'whenAvailable' });
  await films.updateOne({ _id: 2 }, { $set: { n: 2 } });
  const [event] = await take(lenient, 1);
  expect([event?.['fullDocument'], event?.['fullDocumentBeforeChange']]).toEqual([null, null]);
});

test('updateLookup gives the document as it is now, or null when it is gone', async () => {
  await films.insertOne({ _id: 1, n: 0 });
  const stream = await watch(films, [], { fullDocument: 'updateLookup' });
  await films.updateOne({ _id: 1 }, { $set: { n: 1 } });
  await films.updateOne({ _id: 1 }, { $set: { n: 2 } });
  expect((await take(stream, 1))[0]?.['fullDocument']).toEqual({ _id: 1, n: 2 });
  await films.deleteOne({ _id: 1 });
  const fresh = await watch(films, [], { fullDocument: 'updateLookup', startAtOperationTime: (await db.command({ ping: 1 }))['operationTime'] });
  expect((await take(fresh, 1))[0]?.['operationType']).toBe('delete');
});

test('a drop invalidates: resumeAfter refuses the token, startAfter goes on behind it', async () => {
  await films.insertOne({ _id: 1 });
  const stream = await watch(films);
  await films.drop();
  const [drop, invalidate] = await take(stream, 2);
  expect([drop?.['operationType'], invalidate?.['operationType']]).toEqual(['drop', 'invalidate']);
  expect(await codeOf(take(films.watch([], { resumeAfter: invalidate?.['_id'] }) as unknown as ChangeStream, 1))).toBe(260);
  const after = await watch(films, [], { startAfter: invalidate?.['_id'] });
  await films.insertOne({ _id: 2 });
  expect((await take(after, 1))[0]?.['documentKey']).toEqual({ _id: 2 });
});

test('streams of a database and of the deployment see all collections, renames and drops', async () => {
  const ofDb = await watch(db);
  const ofAll = await watch(client);
  await films.insertOne({ _id: 1 });
  await films.rename('movies');
  await client.db('other').collection<Film>('x').insertOne({ _id: 9 });
  await db.dropDatabase();
  expect((await take(ofDb, 5)).map(event => event['operationType'])).toEqual(['insert', 'rename', 'drop', 'dropDatabase', 'invalidate']);
  expect((await take(ofAll, 5)).map(event => event['operationType'])).toEqual(['insert', 'rename', 'insert', 'drop', 'dropDatabase']);
});

test('tokens that cannot be stood on are refused by their own codes', async () => {
  await films.insertOne({ _id: 1 });
  const other = await watch(db.collection('other'));
  await db.collection('other').insertOne({ _id: 1 as never });
  const [foreign] = await take(other, 1);
  expect(await codeOf(take(films.watch([], { resumeAfter: foreign?.['_id'] }) as unknown as ChangeStream, 1))).toBe(280);
  expect(await codeOf(take(films.watch([], { resumeAfter: { _data: '00ff' } }) as unknown as ChangeStream, 1))).toBe(260);
  const stripped = await watch(films, [{ $project: { _id: 0 } }]);
  await films.insertOne({ _id: 2 });
  expect(String(await codeOf(take(stripped, 1)))).toMatch(/280|resume token/);
});

test('a bounded log ends a stream that fell out of it', async () => {
  await client.close();
  await server.close();
  await open({ oplogEntriesMax: 20 });
  await films.insertOne({ _id: 0 });
  const stream = await watch(films);
  await films.insertOne({ _id: 1 });
  const [event] = await take(stream, 1);
  for (let i = 2; i < 60; i++) await films.insertOne({ _id: i });
  expect(await codeOf(take(films.watch([], { resumeAfter: event?.['_id'] }) as unknown as ChangeStream, 1))).toBe(286);
});

test('a quiet stream moves its token on, and a start at a time includes it', async () => {
  await films.insertOne({ _id: 0 });
  const stream = await watch(films, [{ $match: { operationType: 'delete' } }]);
  const before = stream.resumeToken as { _data: string };
  await films.insertOne({ _id: 1 });
  await stream.tryNext();
  const after = stream.resumeToken as { _data: string };
  expect(after._data > before._data).toBe(true);
  const { operationTime } = await db.command({ insert: 'films', documents: [{ _id: 2 }] });
  expect((await take(await watch(films, [], { startAtOperationTime: operationTime }), 1))[0]?.['documentKey']).toEqual({ _id: 2 });
});

test('an event too large for one document is split when asked for, and an error when not', async () => {
  await db.createCollection('films', { changeStreamPreAndPostImages: { enabled: true } });
  await films.insertOne({ _id: 1, text: 'a'.repeat(10_000_000) });
  const plain = await watch(films, [], { fullDocument: 'required', fullDocumentBeforeChange: 'required' });
  const split = await watch(films, [{ $changeStreamSplitLargeEvent: {} }], { fullDocument: 'required', fullDocumentBeforeChange: 'required' });
  await films.updateOne({ _id: 1 }, { $set: { text: 'b'.repeat(10_000_000) } });
  expect(await codeOf(take(plain, 1))).toBe(10334);
  const [first, second, third] = await take(split, 3);
  expect([first, second, third].map(part => part?.['splitEvent'])).toEqual([1, 2, 3].map(fragment => ({ fragment, of: 3 })));
});
