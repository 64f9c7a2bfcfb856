import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import { type Collection, type Db, Decimal128, type Document, Double, Long, MaxKey, MinKey, MongoClient, ObjectId } from 'mongodb';
import { type Server, startMongod } from './server.ts';

type Film = Document & { _id: number };

let server: Server;
let client: MongoClient;
let db: Db;
let films: Collection<Film>;

beforeAll(async () => {
  server = await startMongod({ members: 1, seed: 7 });
  client = new MongoClient(server.uri);
  db = client.db('test');
  films = db.collection<Film>('films');
});
beforeEach(() => db.dropDatabase());
afterAll(async () => {
  await client.close();
  await server.close();
  expect(server.errors).toEqual([]);
});

const errorOf = async (work: Promise<unknown>): Promise<Document> => work.then(() => { throw new Error('no error'); }, (error: Document) => error);
const ids = (docs: { _id: number }[]): number[] => docs.map(({ _id }) => _id);

async function stats(filter: Document, sort: Document = {}, hint?: string | Document, limit = 0): Promise<{ stages: string[]; keys: number; docs: number; returned: number }> {
  const cursor = films.find(filter).sort(sort as Record<string, 1 | -1>).limit(limit);
  if (hint) cursor.hint(hint as string);
  const { executionStats } = await cursor.explain('executionStats') as Document;
  const names = (stage: Document): string[] => [stage['stage'] as string, ...[...(stage['inputStages'] ?? []), ...(stage['inputStage'] ? [stage['inputStage']] : [])].flatMap(names)];
  return { stages: names(executionStats.executionStages), keys: executionStats.totalKeysExamined, docs: executionStats.totalDocsExamined, returned: executionStats.nReturned };
}

test('every plan gives what a walk over the whole collection gives, in the same order', async () => {
  const random = server.random;
  const value = (): unknown => { const values = [null, 1, 2, 3, new Double(2), Long.fromNumber(3), 'a', 'b', 'B', [1, 2], ['a', 3], [], { x: 1 }, true, new Date(5), undefined]; return values[Math.floor(random() * values.length)]; };
  const plain = (): unknown => { const v = value(); return Array.isArray(v) ? null : v; }; // no two arrays in one index
  await films.insertMany(Array.from({ length: 200 }, (_, _id) => ({ _id, a: value(), b: plain(), c: [{ d: value() }, { d: value() }] })), { ignoreUndefined: true });
  const pairs = Array.from({ length: 150 }, () => {
    const test = (): unknown => { const v = value() ?? null; const kind = Math.floor(random() * 7); return kind === 0 ? { $gt: v } : kind === 1 ? { $lte: v } : kind === 2 ? { $in: [v, value() ?? null, 2] } : kind === 3 ? { $gte: 1, $lt: 3 } : kind === 4 ? { $exists: true } : v; };
    const filter: Document = random() < 0.3 ? { $or: [{ a: test() }, { b: test() }] } : { a: test(), ...(random() < 0.5 ? { b: test() } : {}), ...(random() < 0.3 ? { 'c.d': test() } : {}) };
    const sort: Document = random() < 0.6 ? { [random() < 0.5 ? 'a' : 'b']: random() < 0.5 ? 1 : -1, _id: 1 } : { _id: random() < 0.5 ? 1 : -1 };
    return { filter, sort };
  });
  const run = (): Promise<number[][]> => Promise.all(pairs.map(async ({ filter, sort }) => ids(await films.find(filter).sort(sort as Record<string, 1>).toArray())));
  const walked = await run();
  for (const keys of [{ a: 1 }, { b: -1 }, { a: 1, b: 1, _id: 1 }, { b: -1, a: 1, _id: 1 }, { 'c.d': 1 }] as Document[]) await films.createIndex(keys as Record<string, 1>);
  const indexed = await run();
  pairs.forEach((pair, i) => expect({ pair, ids: indexed[i] }).toEqual({ pair, ids: walked[i] as number[] }));
}, 60_000);

test('explain tells the plan that ran and what it touched', async () => {
  await films.insertMany(Array.from({ length: 100 }, (_, _id) => ({ _id, year: 1950 + (_id % 10), title: `t${_id}`, genre: _id % 2 ? 'x' : 'y' })));
  expect(await stats({ year: 1951 })).toEqual({ stages: ['COLLSCAN'], keys: 0, docs: 100, returned: 10 });
  await films.createIndex({ genre: 1, year: -1, title: 1 });
  expect(await stats({ genre: 'x', year: 1951 }, { title: 1 })).toEqual({ stages: ['FETCH', 'IXSCAN'], keys: 10, docs: 10, returned: 10 });
  expect((await stats({ genre: 'x' }, { title: 1 })).stages).toEqual(['SORT', 'FETCH', 'IXSCAN']);
  expect(await stats({ genre: { $in: ['x', 'y'] } }, { year: -1, title: 1 }, undefined, 5)).toMatchObject({ stages: ['LIMIT', 'FETCH', 'SORT_MERGE', 'IXSCAN', 'IXSCAN'], returned: 5 });
  expect((await stats({ genre: 'x' }, { year: 1 }, undefined, 3)).docs).toBe(3);
  expect((await stats({ _id: 5 })).stages).toEqual(['IDHACK']);
  expect((await stats({ $or: [{ _id: 1 }, { genre: 'x', year: 1951 }] })).stages).toEqual(['FETCH', 'OR', 'IXSCAN', 'IXSCAN']);
});

type Executed = { scanned: number; scannedObjects: number; collectionScans: { nonTailable: number } };

test('serverStatus adds up what all queries have touched', async () => {
  await films.insertMany(Array.from({ length: 100 }, (_, _id) => ({ _id, year: 1950 + (_id % 10) })));
  await films.createIndex({ year: 1 });
  const examined = async () => (await db.admin().serverStatus())['metrics'].queryExecutor as Executed;
  const before = await examined();
  await films.find({ year: 1951 }).batchSize(3).toArray();
  await films.find({ title: 'Ran' }).toArray();
  await films.findOne({ _id: 5 });
  await films.findOne({ _id: 500 });
  await films.aggregate([{ $match: { year: 1952 } }, { $group: { _id: '$year' } }]).toArray();
  const after = await examined();
  expect([after.scanned - before.scanned, after.scannedObjects - before.scannedObjects]).toEqual([10 + 1 + 10, 10 + 100 + 1 + 10]);
  expect(after.collectionScans.nonTailable - before.collectionScans.nonTailable).toBe(1);
});

test('a page behind a position examines little more than it gives, also under a union', async () => {
  await films.insertMany(Array.from({ length: 500 }, (_, _id) => ({ _id, owner: _id % 2 ? 'me' : 'you', year: _id >> 2 })));
  await films.createIndex({ owner: 1, year: 1, _id: 1 });
  const page = await stats({ owner: 'me', $or: [{ year: { $gt: 60 } }, { year: 60, _id: { $gt: 241 } }] }, { year: 1, _id: 1 }, undefined, 10);
  expect(page).toMatchObject({ stages: ['LIMIT', 'FETCH', 'SORT_MERGE', 'IXSCAN', 'IXSCAN'], returned: 10 });
  expect(page.docs).toBeLessThanOrEqual(12);
  const rule = await stats({ $or: [{ owner: 'me' }, { owner: 'you' }] }, { year: -1, _id: -1 }, undefined, 10);
  expect(rule.docs).toBeLessThanOrEqual(12);
});

test('an index takes its collection\'s collation', async () => {
  await db.createCollection('films', { collation: { locale: 'en', strength: 2 } });
  await films.createIndex({ t: 1 }, { unique: true });
  await films.insertOne({ _id: 1, t: 'Ran' });
  expect((await errorOf(films.insertOne({ _id: 2, t: 'RAN' })))['code']).toBe(11000);
  expect(await stats({ t: 'rAN' })).toMatchObject({ stages: ['FETCH', 'IXSCAN'], returned: 1 });
});

test('names that every object inherits are names like others', async () => {
  await films.createIndex({ constructor: 1 });
  await films.insertMany([{ _id: 1 }, { _id: 2, constructor: 'b', toString: 1 }, { _id: 3, constructor: 'a' }]);
  expect(ids(await films.find().sort({ constructor: 1 } as never).toArray())).toEqual([1, 3, 2]);
  expect(ids(await films.find().sort({ toString: -1, _id: 1 } as never).toArray())).toEqual([2, 1, 3]);
  expect(ids(await films.find({ constructor: null }).toArray())).toEqual([1]);
});

test('a hint is followed, and refused when there is no such index', async () => {
  await films.insertMany([{ _id: 1, a: 1 }, { _id: 2, a: 2 }]);
  await films.createIndex({ a: 1 });
  expect((await stats({ _id: { $gt: 0 } }, {}, 'a_1')).stages).toEqual(['FETCH', 'IXSCAN']);
  expect((await stats({ a: 1 }, {}, { $natural: 1 })).stages).toEqual(['COLLSCAN']);
  expect((await errorOf(films.find().hint('nope').toArray()))['code']).toBe(2);
  expect((await errorOf(films.updateOne({ _id: 1 }, { $set: { a: 1 } }, { hint: { nope: 1 } })))['code']).toBe(2);
});

test('duplicates name the index and its values; partial and sparse uniqueness hold only where they reach', async () => {
  await films.createIndex({ a: 1, b: -1 }, { unique: true });
  await films.insertOne({ _id: 1, a: 'x', b: 2 });
  const error = await errorOf(films.insertOne({ _id: 2, a: 'x', b: 2 }));
  expect([error['code'], error['keyPattern'], error['keyValue']]).toEqual([11000, { a: 1, b: -1 }, { a: 'x', b: 2 }]);
  await films.createIndex({ mail: 1 }, { unique: true, partialFilterExpression: { active: true } });
  await films.insertMany([{ _id: 3, a: 3, mail: 'm', active: true }, { _id: 4, a: 4, mail: 'm', active: false }]);
  expect((await errorOf(films.insertOne({ _id: 5, a: 5, mail: 'm', active: true })))['code']).toBe(11000);
  expect((await errorOf(films.updateOne({ _id: 4 }, { $set: { active: true } })))['code']).toBe(11000);
  expect((await stats({ mail: 'm' })).stages).toEqual(['COLLSCAN']);
  expect((await stats({ mail: 'm', active: true })).stages).toEqual(['FETCH', 'IXSCAN']);
  await films.createIndex({ tags: 1 }, { unique: true, sparse: true });
  await films.insertMany([{ _id: 6, a: 6, tags: ['p', 'q'] }, { _id: 7, a: 7, tags: ['r'] }]);
  expect((await errorOf(films.updateOne({ _id: 7 }, { $push: { tags: 'q' as never } })))['code']).toBe(11000);
  expect((await films.findOne({ _id: 7 }))?.['tags']).toEqual(['r']);
});

test('types keep MongoDB\'s order, and numbers compare across their types', async () => {
  const values = [new MinKey(), null, -5, Long.fromString('9007199254740992'), Long.fromString('9007199254740993'), Decimal128.fromString('9007199254740993.5'), 'B', 'a', '\u{ffff}', '\u{1f600}', { a: 1 }, { a: 2 }, [9], new ObjectId('000000000000000000000001'), false, true, new Date(0), new MaxKey()];
  await films.insertMany(values.map((v, i) => ({ _id: (i * 7) % values.length, v: Array.isArray(v) ? [v] : v })));
  expect(ids(await films.find().sort({ v: 1 }).toArray())).toEqual(values.map((_, i) => (i * 7) % values.length));
  await films.createIndex({ v: -1 });
  expect(ids(await films.find().sort({ v: 1 }).hint('v_-1').toArray())).toEqual(values.map((_, i) => (i * 7) % values.length));
  await films.insertMany([{ _id: 100, n: 1 }, { _id: 101, n: new Double(1) }, { _id: 102, n: Long.fromNumber(1) }, { _id: 103, n: Decimal128.fromString('1.0') }]);
  expect(await films.countDocuments({ n: 1 })).toBe(4);
});

test('a validator refuses with 121 and says why; moderate lets the old be; collMod changes it', async () => {
  await films.insertOne({ _id: 1, year: 'old' });
  await db.command({ collMod: 'films', validator: { $jsonSchema: { required: ['year'], properties: { year: { bsonType: 'int', description: 'a year' } } } }, validationLevel: 'moderate' });
  const error = await errorOf(films.insertOne({ _id: 2, year: 'new' }));
  expect(error['code']).toBe(121);
  expect(error['errInfo'] ?? error['result']?.getWriteErrorAt?.(0)?.errInfo ?? error['errorResponse']?.writeErrors?.[0]?.errInfo).toMatchObject({ failingDocumentId: 2, details: { operatorName: '$jsonSchema', schemaRulesNotSatisfied: [{ operatorName: 'properties', propertiesNotSatisfied: [{ propertyName: 'year', description: 'a year' }] }] } });
  await films.updateOne({ _id: 1 }, { $set: { note: 'still old' } });
  await db.command({ collMod: 'films', validationLevel: 'strict' });
  expect((await errorOf(films.updateOne({ _id: 1 }, { $set: { note: 'x' } })))['code']).toBe(121);
  await films.insertOne({ _id: 3, year: 'x' }, { bypassDocumentValidation: true });
  await db.command({ collMod: 'films', validationAction: 'warn' });
  await films.insertOne({ _id: 4 });
  const [listed] = await db.listCollections({ name: 'films' }).toArray() as Document[];
  expect(listed?.['options']).toMatchObject({ validationLevel: 'strict', validationAction: 'warn' });
});

test('a case-insensitive collation finds, sorts and is unique without case', async () => {
  const collation = { locale: 'en', strength: 2 };
  await films.insertMany([{ _id: 1, t: 'b' }, { _id: 2, t: 'A' }, { _id: 3, t: 'C' }]);
  expect(ids(await films.find({ t: 'a' }, { collation }).toArray())).toEqual([2]);
  expect(ids(await films.find().collation(collation).sort({ t: 1 }).toArray())).toEqual([2, 1, 3]);
  expect(ids(await films.find().sort({ t: 1 }).toArray())).toEqual([2, 3, 1]);
  await films.createIndex({ t: 1 }, { unique: true, collation });
  expect((await errorOf(films.insertOne({ _id: 4, t: 'B' })))['code']).toBe(11000);
  expect((await errorOf(films.find().collation({ locale: 'en', numericOrdering: true }).toArray()))['code']).toBe(238);
});

test('an operation past its time ends with 50, a cursor that is gone with 43', async () => {
  await films.insertMany(Array.from({ length: 5000 }, (_, _id) => ({ _id, a: 'x'.repeat(20) })));
  server.failPoint('maxTimeAlwaysTimeOut', { times: 1 });
  expect((await errorOf(films.find().maxTimeMS(1000).toArray()))['code']).toBe(50);
  const { cursor } = await db.command({ find: 'films', batchSize: 2 });
  await db.command({ killCursors: 'films', cursors: [cursor.id] });
  expect((await errorOf(db.command({ getMore: cursor.id, collection: 'films' })))['code']).toBe(43);
});

test('what has expired is deleted, what has no date is not', async () => {
  await films.createIndex({ at: 1 }, { expireAfterSeconds: 60 });
  await films.insertMany([{ _id: 1, at: new Date(Date.now() - 61_000) }, { _id: 2, at: new Date() }, { _id: 3 }, { _id: 4, at: 'x' }]);
  expect(server.expireNow()).toBe(1);
  expect(ids(await films.find().sort({ _id: 1 }).toArray())).toEqual([2, 3, 4]);
});

test('what is refused is an error and never an answer', async () => {
  await films.insertOne({ _id: 1, t: 'x' });
  expect((await errorOf(films.find({ $text: { $search: 'x' } }).toArray()))['code']).toBe(238);
  expect((await errorOf(films.find({ $where: 'true' }).toArray()))['code']).toBe(238);
  expect((await errorOf(films.createIndex({ t: 'text' })))['code']).toBe(238);
  expect((await errorOf(db.createCollection('capped', { capped: true, size: 100 })))['code']).toBe(238);
  expect((await errorOf(films.aggregate([{ $geoNear: { near: [0, 0], distanceField: 'd' } }]).toArray()))['code']).toBe(238);
  expect((await errorOf(db.command({ mapReduce: 'films', map: '', reduce: '', out: 'x' })))['code']).toBe(59);
});

test('a writer outside waits for a transaction that holds the document, one inside another gets 112', async () => {
  await films.insertOne({ _id: 1, n: 0 });
  const [one, two] = [client.startSession(), client.startSession()];
  one.startTransaction();
  two.startTransaction();
  await films.updateOne({ _id: 1 }, { $inc: { n: 1 } }, { session: one });
  const conflict = await errorOf(films.updateOne({ _id: 1 }, { $inc: { n: 10 } }, { session: two }));
  expect([conflict['code'], conflict['errorLabelSet']?.has('TransientTransactionError')]).toEqual([112, true]);
  let waited = false;
  const outside = films.updateOne({ _id: 1 }, { $inc: { n: 100 } }).then(() => { waited = true; });
  await Bun.sleep(30);
  expect(waited).toBe(false);
  expect((await films.findOne({ _id: 1 }))?.['n']).toBe(0);
  await one.commitTransaction();
  await outside;
  expect((await films.findOne({ _id: 1 }))?.['n']).toBe(101);
  await one.endSession();
  await two.endSession();
});
