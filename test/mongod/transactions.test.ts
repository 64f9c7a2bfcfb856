import { afterEach, beforeEach, expect, test } from 'bun:test';
import { type Collection, type Db, type Document, MongoClient, ReadConcern } from 'mongodb';
import { seededRandom } from './faults.ts';
import { type MongodOptions, type Server, startMongod } from './server.ts';

type Account = { _id: number; balance: number };

let server: Server;
let client: MongoClient;
let db: Db;
let accounts: Collection<Account>;

async function open(options: MongodOptions = {}): Promise<void> {
  server = await startMongod(options);
  client = new MongoClient(server.uri);
  db = client.db('test');
  accounts = db.collection<Account>('accounts');
}

beforeEach(() => open());
afterEach(async () => {
  await client.close();
  await server.close();
  expect(server.errors).toEqual([]);
});

const errorOf = async (work: Promise<unknown>): Promise<Document> => work.then(() => { throw new Error('no error'); }, (error: Document) => error);
const total = (all: Account[]): number => all.reduce((sum, { balance }) => sum + balance, 0);

// Transfers between ten accounts in lanes; a reader sums up in snapshots all the while.
async function transferAll(rounds: number, disturb: (round: number) => void): Promise<void> {
  await accounts.insertMany(Array.from({ length: 10 }, (_, _id) => ({ _id, balance: 100 })));
  let running = true;
  const sums: number[] = [];
  const reading = (async () => {
    while (running) {
      await client.withSession(session => session.withTransaction(async () => { sums.push(total(await accounts.find({}, { session }).toArray())); }, { readConcern: ReadConcern.fromOptions({ level: 'snapshot' }) as ReadConcern }));
      await Bun.sleep(1);
    }
  })();
  await Promise.all(Array.from({ length: 4 }, async (_, lane) => {
    const random = seededRandom(lane + 1);
    for (let round = 0; round < rounds; round++) {
      if (lane === 0) disturb(round);
      const [from, to, amount] = [Math.floor(random() * 10), Math.floor(random() * 10), Math.floor(random() * 20)];
      await client.withSession(session => session.withTransaction(async () => {
        const held = await accounts.findOne({ _id: from }, { session });
        if (!held || held.balance < amount) return;
        await accounts.updateOne({ _id: from }, { $inc: { balance: -amount } }, { session });
        await accounts.updateOne({ _id: to }, { $inc: { balance: amount } }, { session });
      }));
    }
  }));
  running = false;
  await reading;
  const all = await accounts.find().toArray();
  expect(total(all)).toBe(1000);
  expect(all.every(({ balance }) => balance >= 0)).toBe(true);
  expect(new Set(sums)).toEqual(new Set([1000]));
}

test('money is neither made nor lost by transfers at once, and every snapshot sees all of it', () => transferAll(30, () => undefined), 60_000);

test('a document that is written twice in one transaction stands in an index once', async () => {
  await accounts.createIndex({ balance: 1 });
  const listed = () => accounts.find({}, { hint: { balance: 1 } }).map(({ _id, balance }) => [_id, balance]).toArray();
  await client.withSession(session => session.withTransaction(async () => {
    await accounts.insertOne({ _id: 1, balance: 10 }, { session });
    await accounts.deleteOne({ _id: 1 }, { session });
    await accounts.insertOne({ _id: 1, balance: 20 }, { session });
    await accounts.insertOne({ _id: 2, balance: 5 }, { session });
    await accounts.updateOne({ _id: 2 }, { $inc: { balance: 1 } }, { session });
    await accounts.updateOne({ _id: 2 }, { $inc: { balance: 1 } }, { session });
  }));
  expect(await listed()).toEqual([[2, 7], [1, 20]]);
});

test('nor when the primary steps down in the middle', async () => {
  await client.close();
  await server.close();
  await open({ members: 3 });
  await transferAll(12, round => { if (round === 4 || round === 8) server.stepDown(); });
  await server.settled();
  for (const member of server.members) expect(total([...member.store.get('test', 'accounts')?.records.values() ?? []].map(record => record.head?.doc as Account))).toBe(1000);
}, 60_000);

test('a transaction sees its own writes through indexes, and nobody else does', async () => {
  await accounts.insertMany([{ _id: 1, balance: 10 }, { _id: 2, balance: 20 }]);
  await accounts.createIndex({ balance: 1 });
  const session = client.startSession();
  session.startTransaction();
  await accounts.updateOne({ _id: 1 }, { $set: { balance: 99 } }, { session });
  await accounts.deleteOne({ _id: 2 }, { session });
  await accounts.insertOne({ _id: 3, balance: 99 }, { session });
  const inside = await accounts.find({ balance: { $gt: 0 } }, { session }).sort({ balance: 1, _id: 1 }).toArray();
  const outside = await accounts.find({ balance: { $gt: 0 } }).sort({ balance: 1, _id: 1 }).toArray();
  expect(inside).toEqual([{ _id: 1, balance: 99 }, { _id: 3, balance: 99 }]);
  expect(outside).toEqual([{ _id: 1, balance: 10 }, { _id: 2, balance: 20 }]);
  await session.abortTransaction();
  expect(await accounts.find({ balance: { $gt: 0 } }).sort({ balance: 1 }).toArray()).toEqual(outside);
  expect(await accounts.countDocuments({ balance: 99 })).toBe(0);
  await session.endSession();
});

test('the first insert of a key makes its twin wait, and the twin then finds it taken', async () => {
  await db.createCollection('accounts');
  const session = client.startSession();
  session.startTransaction();
  await accounts.insertOne({ _id: 1, balance: 0 }, { session });
  let refused: Document | null = null;
  const twin = accounts.insertOne({ _id: 1, balance: 1 }).catch((error: Document) => { refused = error; });
  await Bun.sleep(30);
  expect(refused).toBeNull();
  await session.commitTransaction();
  await twin;
  expect((refused as Document | null)?.['code']).toBe(11000);
  expect(await accounts.findOne({ _id: 1 })).toEqual({ _id: 1, balance: 0 });
  await session.endSession();
});

test('a twin that waits longer than its time gives up with 50 and has written nothing', async () => {
  await db.createCollection('accounts');
  const session = client.startSession();
  session.startTransaction();
  await accounts.insertOne({ _id: 1, balance: 0 }, { session });
  expect((await errorOf(db.command({ insert: 'accounts', documents: [{ _id: 1, balance: 1 }], maxTimeMS: 50 })))['code']).toBe(50);
  await session.abortTransaction();
  expect(await accounts.countDocuments()).toBe(0);
  await session.endSession();
});

test('inside a transaction the twin of an open insert gets 112 and may run again', async () => {
  await db.createCollection('accounts');
  const [one, two] = [client.startSession(), client.startSession()];
  one.startTransaction();
  two.startTransaction();
  await accounts.insertOne({ _id: 1, balance: 0 }, { session: one });
  const conflict = await errorOf(accounts.insertOne({ _id: 1, balance: 1 }, { session: two }));
  expect([conflict['code'], conflict['errorLabelSet'].has('TransientTransactionError')]).toEqual([112, true]);
  await one.commitTransaction();
  expect((await errorOf(accounts.insertOne({ _id: 2, balance: 1 }, { session: two })))['code']).toBe(251);
  await one.endSession();
  await two.endSession();
});

test('a statement of a transaction that another has overtaken gets 112, although nobody holds the document any more', async () => {
  await accounts.insertOne({ _id: 1, balance: 0 });
  const session = client.startSession();
  session.startTransaction();
  expect((await accounts.findOne({ _id: 1 }, { session }))?.balance).toBe(0);
  await accounts.updateOne({ _id: 1 }, { $set: { balance: 5 } });
  expect((await accounts.findOne({ _id: 1 }, { session }))?.balance).toBe(0);
  expect((await errorOf(accounts.updateOne({ _id: 1 }, { $inc: { balance: 1 } }, { session })))['code']).toBe(112);
  await session.endSession();
  expect((await accounts.findOne({ _id: 1 }))?.balance).toBe(5);
});

test('a drop waits for the transaction that wrote to the collection', async () => {
  await accounts.insertOne({ _id: 1, balance: 0 });
  const session = client.startSession();
  session.startTransaction();
  await accounts.insertOne({ _id: 2, balance: 0 }, { session });
  let dropped = false;
  const drop = accounts.drop().then(() => { dropped = true; });
  await Bun.sleep(30);
  expect(dropped).toBe(false);
  await session.commitTransaction();
  await drop;
  expect(await accounts.countDocuments()).toBe(0);
  await session.endSession();
});
