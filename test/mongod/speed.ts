// How fast the server is through the real driver, which shares its process and its core: bun test/mongod/speed.ts [--members 3]
import { MongoClient } from 'mongodb';
import { parseArgs } from 'node:util';
import { startMongod } from './server.ts';

const { values } = parseArgs({ options: { members: { type: 'string' }, external: { type: 'string' } } });
const startedAt = performance.now();
const server = values.external ? null : await startMongod({ members: Number(values.members ?? 1) });
const startMs = performance.now() - startedAt;
const client = new MongoClient(values.external ?? server?.uri ?? '', { maxPoolSize: 16 });
await client.connect();
const films = client.db('speed').collection('films');
await films.drop();
await films.createIndex({ year: 1, title: 1 });

const film = (i: number): Record<string, unknown> => ({ _id: i, title: `Film ${i}`, year: 1900 + (i % 120), genres: ['Drama', 'Comedy'], rating: (i % 100) / 10, note: 'x'.repeat(100) });

async function measure(what: string, count: number, run: () => Promise<unknown>): Promise<void> {
  const from = performance.now();
  const before = process.cpuUsage();
  await run();
  const { user, system } = process.cpuUsage(before); // of client and server together; steady where the machine is not
  console.log(`${what.padEnd(34)} ${Math.round(count / (performance.now() - from) * 1000).toLocaleString('en').padStart(7)} /s ${((user + system) / count).toFixed(0).padStart(6)} µs of CPU each`);
}

// `lanes` loops share the work, as a pool of connections would.
async function inLanes(count: number, work: (i: number) => Promise<unknown>, lanes = 16): Promise<void> {
  let next = 0;
  await Promise.all(Array.from({ length: lanes }, async () => { while (next < count) await work(next++); }));
}

console.log(`start${' '.repeat(30)}${startMs.toFixed(1)} ms`);
await measure('insertMany, batches of 1 000', 50_000, async () => {
  for (let at = 0; at < 50_000; at += 1000) await films.insertMany(Array.from({ length: 1000 }, (_, i) => film(at + i)) as never);
});
await measure('insertOne, 16 at once', 10_000, () => inLanes(10_000, i => films.insertOne(film(100_000 + i) as never)));
await measure('findOne by _id, 16 at once', 20_000, () => inLanes(20_000, i => films.findOne({ _id: i as never })));
await measure('findOne by _id, one after another', 3_000, () => inLanes(3_000, i => films.findOne({ _id: i as never }), 1));
await measure('find by index, 20 documents', 3_000, () => inLanes(3_000, i => films.find({ year: 1900 + (i % 120) }).sort({ title: 1 }).limit(20).toArray()));
await measure('updateOne by _id, 16 at once', 10_000, () => inLanes(10_000, i => films.updateOne({ _id: i as never }, { $inc: { rating: 1 } })));
await measure('export of all, documents', 60_000, () => films.find().toArray());
await client.close();
await server?.close();
