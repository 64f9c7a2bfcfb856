import { afterEach, expect, test } from 'bun:test';
import { mkdtemp, rm, truncate, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Decimal128, Double, Long, MongoClient, Timestamp } from 'mongodb';
import { startMongod } from './server.ts';

const folders: string[] = [];
afterEach(async () => { for (const folder of folders.splice(0)) await rm(folder, { recursive: true, force: true }); });

async function folder(): Promise<string> {
  const made = await mkdtemp(join(tmpdir(), 'mongod-'));
  folders.push(made);
  return made;
}

async function startProcess(data: string): Promise<{ uri: string; child: ReturnType<typeof Bun.spawn> }> {
  const child = Bun.spawn([process.execPath, join(import.meta.dir, 'main.ts'), '--data', data], { stdout: 'pipe', stderr: 'inherit' });
  const reader = child.stdout.getReader();
  const { value } = await reader.read();
  reader.releaseLock();
  return { uri: new TextDecoder().decode(value).trim(), child };
}

test('every acknowledged journaled write is there after kill -9', async () => {
  const data = await folder();
  const first = await startProcess(data);
  const client = new MongoClient(first.uri);
  const films = client.db('test').collection<{ _id: number }>('films');
  const acknowledged: number[] = [];
  const writing = Promise.all(Array.from({ length: 8 }, async (_, lane) => {
    for (let i = lane; ; i += 8) { await films.insertOne({ _id: i }, { writeConcern: { w: 1, j: true } }); acknowledged.push(i); }
  })).catch(() => undefined);
  while (acknowledged.length < 200) await Bun.sleep(5);
  first.child.kill('SIGKILL');
  await first.child.exited;
  const kept = [...acknowledged];
  await client.close();
  await writing;

  const second = await startProcess(data);
  const reader = new MongoClient(second.uri);
  const found = new Set((await reader.db('test').collection<{ _id: number }>('films').find().toArray()).map(({ _id }) => _id));
  expect(kept.filter(id => !found.has(id))).toEqual([]);
  await reader.close();
  second.child.kill('SIGKILL');
});

test('a restart keeps types, indexes and options; a torn tail is cut off', async () => {
  const data = await folder();
  const server = await startMongod({ dataDir: data });
  const client = new MongoClient(server.uri);
  const db = client.db('test');
  await db.createCollection('films', { validator: { year: { $type: 'int' } }, changeStreamPreAndPostImages: { enabled: true } });
  const films = db.collection('films');
  await films.createIndex({ title: 1 }, { unique: true });
  const film = { _id: 1 as never, title: 'Ran', year: 1985, score: new Double(8), votes: Long.fromString('9007199254740993'), price: Decimal128.fromString('1.10'), at: new Timestamp({ t: 1, i: 2 }) };
  await films.insertOne(film);
  await films.updateOne({ _id: film._id }, { $set: { year: 1986 } });
  await client.close();
  await server.close();
  const path = join(data, 'member-0.log');
  await truncate(path, (await stat(path)).size - 3);

  const again = await startMongod({ dataDir: data });
  const second = new MongoClient(again.uri);
  const found = await second.db('test').collection('films').findOne({}, { promoteValues: false, promoteLongs: false });
  expect(found?.['score']).toBeInstanceOf(Double);
  expect(found?.['votes']?.toString()).toBe('9007199254740993');
  expect(found?.['price']?.toString()).toBe('1.10');
  expect(Number(found?.['year'])).toBe(1985); // the torn entry was the update
  expect(await second.db('test').collection('films').insertOne({ title: 'Ran', year: 1 }).catch((error: { code: number }) => error.code)).toBe(11000);
  expect(await second.db('test').collection('films').insertOne({ title: 'x', year: 'no' }).catch((error: { code: number }) => error.code)).toBe(121);
  await second.close();
  await again.close();
});

test('a set of three that was killed as one keeps every majority write and elects whoever has it', async () => {
  const data = await folder();
  const server = await startMongod({ members: 3, dataDir: data });
  const client = new MongoClient(server.uri);
  const films = client.db('test').collection<{ _id: number }>('films');
  await films.insertOne({ _id: 1 });
  await server.settled();
  server.pauseReplication(0);
  server.stepDown();
  await new MongoClient(`mongodb://${server.memberOf(undefined).host}/?directConnection=true`).db('test').collection<{ _id: number }>('films').insertOne({ _id: 2 });
  expect(server.members[0]?.store.get('test', 'films')?.count).toBe(1);
  await client.close();
  await server.close();

  const again = await startMongod({ members: 3, dataDir: data });
  await again.settled();
  expect(again.set.primary?.index).not.toBe(0);
  expect(again.members.map(member => member.store.get('test', 'films')?.count)).toEqual([2, 2, 2]);
  expect(again.errors).toEqual([]);
  await again.close();
});

test('only who proves the password gets in', async () => {
  const server = await startMongod({ auth: { user: 'a,b=c', password: 'sécret' } });
  const anonymous = new MongoClient(server.uri.replace(/\/\/.*@/, '//'));
  expect(await anonymous.db('test').collection('films').findOne().catch((error: { code: number }) => error.code)).toBe(13);
  const wrong = new MongoClient(server.uri.replace('s%C3%A9cret', 'secret'));
  expect(await wrong.db('test').collection('films').findOne().catch((error: { code: number }) => error.code)).toBe(18);
  const right = new MongoClient(server.uri);
  expect(await right.db('test').collection('films').findOne()).toBeNull();
  for (const client of [anonymous, wrong, right]) await client.close();
  await server.close();
});
