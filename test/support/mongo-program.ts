/** A MongoDB database as a plain driver of another program has it, on the project's test server in this process. */
import { type Collection, type Db, MongoClient } from 'mongodb';
import type { JsonObject } from '../../shared/contract/values.ts';
import { type Server, startMongod } from '../mongod/server.ts';
import type { ForeignProgram } from './foreign-program.ts';

interface Named {
  readonly _id: string;
  readonly [field: string]: unknown;
}

export class MongoProgram implements ForeignProgram {
  readonly uri: string;
  readonly server: Server;
  readonly #client: MongoClient;
  readonly #database: Db;

  static async start(): Promise<MongoProgram> {
    return new MongoProgram(await startMongod());
  }

  private constructor(server: Server) {
    this.server = server;
    this.uri = server.uri.replace('/?', '/shop?');
    this.#client = new MongoClient(this.uri);
    this.#database = this.#client.db();
  }

  async insert(name: string, id: string, document: JsonObject): Promise<void> {
    await this.#collection(name).insertOne({ _id: id, ...toStored(document) });
  }

  async set(name: string, id: string, fields: JsonObject): Promise<void> {
    await this.#collection(name).updateOne({ _id: id }, { $set: toStored(fields) });
  }

  async replace(name: string, id: string, document: JsonObject): Promise<void> {
    await this.#collection(name).replaceOne({ _id: id }, toStored(document), { upsert: true });
  }

  async remove(name: string, id: string): Promise<void> {
    await this.#collection(name).deleteOne({ _id: id });
  }

  /** As mongodump and `mongorestore --drop` do it for a collection. */
  async backup(): Promise<() => Promise<void>> {
    const collections = await this.#database.listCollections({ name: /^(?!tombolo_|system\.)/ }).toArray();
    const copies = await Promise.all(collections.map(async ({ name }) => ({ name, documents: await this.#collection(name).find().toArray() })));
    return async () => {
      for (const { name, documents } of copies) {
        await this.#collection(name).drop();
        if (documents.length > 0) await this.#collection(name).insertMany(documents);
      }
    };
  }

  async close(): Promise<void> {
    await this.#client.close();
    await this.server.close();
    if (this.server.errors.length > 0) throw new AggregateError(this.server.errors, 'the test server has a bug');
  }

  #collection(name: string): Collection<Named> {
    return this.#database.collection<Named>(name);
  }
}

/** Instants as programs with a driver store them. */
function toStored(document: JsonObject): Record<string, unknown> {
  return Object.fromEntries(Object.entries(document).map(([name, value]) => [name, name === 'createdAt' || name === 'updatedAt' ? new Date(String(value)) : value]));
}
