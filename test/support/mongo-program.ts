/** A MongoDB database as a plain driver of another program has it. */
import type { Collection, Db } from 'mongodb';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { ForeignProgram } from './foreign-program.ts';
import { type MongoDatabase, openMongoDatabase } from './mongo-database.ts';

interface Named {
  readonly _id: string;
  readonly [field: string]: unknown;
}

export class MongoProgram implements ForeignProgram {
  readonly uri: string;
  readonly #place: MongoDatabase;
  readonly #database: Db;

  static async start(): Promise<MongoProgram> {
    return new MongoProgram(await openMongoDatabase());
  }

  private constructor(place: MongoDatabase) {
    this.#place = place;
    this.uri = place.uri;
    this.#database = place.foreign;
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

  /** Copies as mongodump does, and puts back as `mongorestore --drop` does, collection by collection. */
  async backup(): Promise<() => Promise<void>> {
    const collections = await this.#database.listCollections({ name: /^(?!tombolo_|system\.)/ }).toArray();
    const copies = await Promise.all(
      collections.map(async ({ name }) => ({ name, documents: await this.#collection(name).find().toArray() })),
    );
    return async () => {
      for (const { name, documents } of copies) {
        await this.#collection(name).drop();
        if (documents.length > 0) await this.#collection(name).insertMany(documents);
      }
    };
  }

  close(): Promise<void> {
    return this.#place.remove();
  }

  #collection(name: string): Collection<Named> {
    return this.#database.collection<Named>(name);
  }
}

/** Instants as programs with a driver store them. */
function toStored(document: JsonObject): Record<string, unknown> {
  return Object.fromEntries(
    Object.entries(document).map(([name, value]) => [name, name === 'createdAt' || name === 'updatedAt' ? new Date(String(value)) : value]),
  );
}
