/**
 * A store on MongoDB in a database of its own: on the project's test server inside this process, or on the
 * deployment that `MONGODB_URI` names.
 */
import { type Db, MongoClient } from 'mongodb';
import { openMongoStore, type MongoStoreOptions } from '../../origin/store/mongo/mongo-store.ts';
import { mustStored } from '../../origin/store/mongo/documents.ts';
import type { Store } from '../../origin/store/store.ts';
import { type MongodOptions, type Server, startMongod } from '../mongod/server.ts';
import type { OpenOptions, Place } from './harness.ts';

export interface MongoPlace extends Place {
  readonly uri: string;
  /** The database as a plain driver of another program has it. */
  readonly foreign: Db;
  /** Absent on a deployment that is not ours. */
  readonly server: Server | undefined;
}

export type MongoOpenOptions = OpenOptions & Pick<MongoStoreOptions, 'onWarning' | 'onFatal'> & { readonly mongod?: MongodOptions };

export async function openMongoPlace({ seed = [], mongod = {}, ...options }: MongoOpenOptions): Promise<MongoPlace> {
  const given = process.env['MONGODB_URI'] || undefined;
  const server = given === undefined ? await startMongod(mongod) : undefined;
  const uri = withDatabase(given ?? server?.uri ?? '', `tombolo_test_${crypto.randomUUID().slice(0, 8)}`);
  const client = new MongoClient(uri);
  const foreign = client.db();
  for (const [name, documents] of Map.groupBy(seed, ({ resource }) => resource.name))
    await foreign.collection(name).bulkWrite(documents.map(({ resource, id, document }) => toUpsert(mustStored(resource, id, document, undefined))));
  let store: Store = await openMongoStore({ uri, ...options });
  return {
    uri,
    foreign,
    server,
    get store() {
      return store;
    },
    async reopen() {
      await store.close();
      store = await openMongoStore({ uri, ...options });
      return store;
    },
    async remove() {
      await store.close();
      if (server === undefined) await foreign.dropDatabase();
      await client.close();
      await server?.close();
      if (server !== undefined && server.errors.length > 0) throw new AggregateError(server.errors, 'the test server has a bug');
    },
  };
}

/** The last of equal ids stays. */
function toUpsert(stored: ReturnType<typeof mustStored>) {
  return { replaceOne: { filter: { _id: asAnyId(stored._id) }, replacement: stored, upsert: true } };
}

/** The driver's default type of `_id`; the database takes every type. */
function asAnyId(id: unknown): never {
  return id as never;
}

function withDatabase(uri: string, name: string): string {
  return uri.replace(/^(mongodb(?:\+srv)?:\/\/[^/]+)\/[^?]*/, `$1/${name}`);
}
