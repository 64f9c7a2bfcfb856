import { expect, test } from 'bun:test';
import { MongoClient } from 'mongodb';
import { ManualClock } from './clock.ts';
import { seededFaults } from './faults.ts';
import { startMongod } from './server.ts';

test('a seed fixes each fault by connection and ordinal', () => {
  const draw = (seed: number): string => { const faults = seededFaults(seed, { rate: 0.3 }); return Array.from({ length: 200 }, (_, i) => faults.decide(i % 4, i >> 2, 'insert') ?? '-').join(); };
  expect(draw(5)).toBe(draw(5));
  expect(draw(5)).not.toBe(draw(6));
});

test('under lost connections, errors and delays every increment is applied once', async () => {
  const server = await startMongod({ members: 1, seed: 11, faults: { rate: 0.2, commands: ['update'], delayMs: 2 } });
  const client = new MongoClient(server.uri, { maxPoolSize: 4 });
  const counters = client.db('test').collection<{ _id: number; n: number }>('counters');
  await counters.insertOne({ _id: 1, n: 0 });
  let applied = 0;
  let unknown = 0;
  await Promise.all(Array.from({ length: 4 }, async () => {
    for (let i = 0; i < 40; i++) await counters.updateOne({ _id: 1 }, { $inc: { n: 1 } }).then(() => { applied++; }, () => { unknown++; });
  }));
  const n = (await counters.findOne({ _id: 1 }))?.n ?? 0;
  expect(n).toBeGreaterThanOrEqual(applied);
  expect(n).toBeLessThanOrEqual(applied + unknown);
  expect(applied).toBeGreaterThan(100);
  const kinds = new Set(server.history.events.filter(({ kind }) => kind === 'fault').map(({ detail }) => detail));
  expect([...kinds].sort()).toEqual(['closeAfter', 'closeBefore', 'delay', 'error']);
  await client.close();
  await server.close();
  expect(server.errors).toEqual([]);
}, 60_000);

test('time is the test\'s: cursors and transactions end when the clock says so', async () => {
  const clock = new ManualClock();
  const server = await startMongod({ clock });
  const client = new MongoClient(server.uri);
  const films = client.db('test').collection<{ _id: number }>('films');
  await films.insertMany(Array.from({ length: 10 }, (_, _id) => ({ _id })));
  const codeOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => null, (error: { code: number }) => error.code);
  const cursor = films.find({}, { batchSize: 2 });
  await cursor.next();
  await cursor.next();
  const session = client.startSession();
  session.startTransaction();
  await films.insertOne({ _id: 100 }, { session });
  clock.advance(11 * 60_000);
  await Bun.sleep(250); // the server looks at the clock ten times a second
  expect(await codeOf(cursor.next())).toBe(43);
  expect(await codeOf(films.insertOne({ _id: 101 }, { session }))).toBe(251);
  expect(await films.countDocuments()).toBe(10);
  await session.endSession();
  await client.close();
  await server.close();
});
