import { expect, test } from 'bun:test';
import { connect } from 'node:net';
import { Binary, deserialize, serialize } from 'bson';
import { MongoClient } from 'mongodb';
import { startMongod } from './server.ts';
import { crc32c } from './wire/crc32c.ts';

// One raw exchange: sends the bytes in pieces, gives back what came until the reply is whole or the server hangs up.
function exchange(port: number, pieces: Buffer[]): Promise<Buffer> {
  return new Promise(resolve => {
    const socket = connect(port, '127.0.0.1');
    let got = Buffer.alloc(0);
    socket.on('data', chunk => { got = Buffer.concat([got, chunk as Buffer]); if (got.length >= 4 && got.length >= got.readInt32LE(0)) { socket.destroy(); resolve(got); } });
    socket.on('close', () => resolve(got));
    socket.on('error', () => resolve(got)); // hung up
    void (async () => { for (const piece of pieces) { socket.write(piece); await Bun.sleep(5); } })();
  });
}

function message(body: Record<string, unknown>, { checksum = false, spoiled = false, flags = 0 } = {}): Buffer {
  const bytes = serialize(body);
  const out = Buffer.alloc(21 + bytes.length + (checksum ? 4 : 0));
  out.writeInt32LE(out.length, 0);
  out.writeInt32LE(77, 4);
  out.writeInt32LE(2013, 12);
  out.writeUInt32LE(flags | (checksum ? 1 : 0), 16);
  out.set(bytes, 21);
  if (checksum) out.writeUInt32LE((crc32c(out.subarray(0, out.length - 4)) ^ (spoiled ? 1 : 0)) >>> 0, out.length - 4);
  return out;
}

const portOf = (uri: string): number => Number(/:(\d+)\//.exec(uri)?.[1]);

test('a checksum is checked and answered with one; a wrong one ends the connection', async () => {
  const server = await startMongod();
  const ping = { ping: 1, $db: 'admin' };
  const reply = await exchange(portOf(server.uri), [message(ping, { checksum: true })]);
  expect(reply.readUInt32LE(16) & 1).toBe(1);
  expect(reply.readUInt32LE(reply.length - 4)).toBe(crc32c(reply.subarray(0, reply.length - 4)));
  expect(reply.readInt32LE(8)).toBe(77);
  expect(await exchange(portOf(server.uri), [message(ping, { checksum: true, spoiled: true })])).toHaveLength(0);
  expect(crc32c(Buffer.from('123456789'))).toBe(0xe3069283);
  await server.close();
});

test('a message that comes byte by byte is one message, and one that asks for no answer gets none', async () => {
  const server = await startMongod();
  const insert = message({ insert: 'films', documents: [{ _id: 1 }], $db: 'test', writeConcern: { w: 0 } }, { flags: 2 });
  const count = message({ count: 'films', $db: 'test' });
  const both = Buffer.concat([insert, count]);
  const reply = await exchange(portOf(server.uri), [both.subarray(0, 2), both.subarray(2, 3), both.subarray(3, 40), both.subarray(40)]);
  expect(deserialize(reply.subarray(21))['n']).toBe(1);
  await server.close();
});

test('sixteen megabytes come back as they went, and a byte more is refused', async () => {
  const server = await startMongod();
  const client = new MongoClient(server.uri);
  const films = client.db('test').collection<{ _id: number; data: Uint8Array }>('films');
  const data = Buffer.from(Array.from({ length: 1 << 16 }, (_, i) => (i * 31) & 255));
  const large = Buffer.concat(Array.from({ length: 200 }, () => data));
  await films.insertOne({ _id: 1, data: large });
  const found = await films.findOne({ _id: 1 }, { promoteBuffers: true });
  expect(Buffer.compare(Buffer.from(found?.data ?? []), large)).toBe(0);
  const code = await films.insertOne({ _id: 2, data: Buffer.alloc(16 * 1024 * 1024) }).then(() => 0, (error: { code?: number; name: string }) => error.code ?? error.name);
  expect(code).not.toBe(0);
  expect(await films.countDocuments()).toBe(1);
  await client.close();
  await server.close();
});

test('a standalone has no transactions, no change streams and no linearizable reads, and says so', async () => {
  const server = await startMongod({ standalone: true });
  const client = new MongoClient(server.uri);
  const films = client.db('test').collection<{ _id: number }>('films');
  await films.insertOne({ _id: 1 });
  const codeOf = (work: Promise<unknown>): Promise<unknown> => work.then(() => 0, (error: { code: number }) => error.code);
  expect(await codeOf(films.watch().next())).toBe(40573);
  expect(await codeOf(films.findOne({}, { readConcern: 'linearizable' }))).toBe(123);
  expect(await codeOf(films.findOne({}, { readConcern: 'majority' }))).toBe(0);
  const session = client.startSession();
  session.startTransaction();
  expect(await codeOf(films.insertOne({ _id: 2 }, { session }))).not.toBe(0);
  await session.abortTransaction().catch(() => undefined);
  await session.endSession();
  expect(await films.countDocuments()).toBe(1);
  await client.close();
  await server.close();
});

test('bytes of the old subtype, which say their length twice, come back as they went', async () => {
  const server = await startMongod();
  const client = new MongoClient(server.uri);
  const v = new Binary(Buffer.from([1, 2, 255]), Binary.SUBTYPE_BYTE_ARRAY);
  await client.db('t').collection('c').insertOne({ v });
  const [found] = await client.db('t').collection('c').find({ v }, { promoteValues: false }).toArray();
  expect(Buffer.from(found!['v'].value()).toString('hex')).toBe('0102ff');
  await client.close();
  await server.close();
});
