/** A database that another program made, and everything in it by which it would notice a change. */
import type { Db, Document } from 'mongodb';

/** Everything of a database that another program could notice, as bytes. */
export async function wholeOf(database: Db): Promise<string> {
  const infos = await database.listCollections<Document & { name: string }>().toArray();
  const collections = await Promise.all(infos.sort((a, b) => a.name.localeCompare(b.name)).map(async (info) => ({
    info,
    indexes: await database.collection(info.name).listIndexes().toArray(),
    documents: (await database.collection(info.name).find({}, { raw: true, sort: { _id: 1 } }).toArray())
      .map((bytes) => Buffer.from(bytes as unknown as Uint8Array).toString('hex')),
  })));
  return JSON.stringify(collections, undefined, 1);
}

/** As a shop's own program keeps them, with nothing that the sample declares but a few ids. */
export async function fillShop(foreign: Db): Promise<void> {
  const validator = { $jsonSchema: { bsonType: 'object', required: ['customer'], properties: { _id: { bsonType: ['int', 'string'] } } } };
  await foreign.createCollection('orders', { validator, validationLevel: 'strict' });
  const orders = foreign.collection<Document & { _id: number | string }>('orders');
  await orders.createIndex({ customer: 1 }, { unique: true, name: 'one each' });
  await orders.insertMany([
    { _id: 1, customer: 'a', total: 9.5, status: 'new' }, { _id: 2, customer: 'b', id: 7, createdAt: 'yesterday' },
    { _id: '0198f2aa-0000-7000-8000-00000000000a', customer: 'c' },
  ]);
  await foreign.createCollection('reviews', { validationAction: 'warn', changeStreamPreAndPostImages: { enabled: true } });
  const reviews = foreign.collection<Document & { _id?: string }>('reviews');
  await reviews.insertMany([{ stars: 5 }, { _id: '0198f2aa-0000-7000-8000-00000000000b', stars: 4 }]);
  await foreign.collection('ledger').insertOne({ balance: 1 });
}
