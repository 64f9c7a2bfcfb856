/** A store on MongoDB in a database of its own, and other programs beside it. */
import type { Db, Document } from 'mongodb';
import { openMongoStore, type MongoStoreOptions } from '../../../origin/store/mongo/mongo-store.ts';
import { mustStored } from '../../../origin/store/mongo/read/documents.ts';
import { toStoredNames } from '../../../origin/store/mongo/read/member-names.ts';
import type { Store } from '../../../origin/store/store.ts';
import { type MongodOptions, type Server, startMongod } from '../../mongod/mongod.ts';
import { type MongoDatabase, openControlledDatabase, openMongoDatabase } from '../../support/mongo-database.ts';
import type { OpenOptions, Place } from './harness.ts';

export interface MongoPlace extends Place {
  readonly uri: string;
  readonly foreign: Db;
}

export interface ControlledPlace extends MongoPlace {
  readonly server: Server;
}

export type MongoOpenOptions = OpenOptions & Pick<MongoStoreOptions, 'onWarning' | 'onFatal'>;

/** A place on a test server that the test controls, where `mongod` says how the server is to be. */
export function openMongoPlace(options: MongoOpenOptions & { readonly mongod: MongodOptions }): Promise<ControlledPlace>;
export function openMongoPlace(options: MongoOpenOptions): Promise<MongoPlace>;
export async function openMongoPlace({ mongod, ...options }: MongoOpenOptions & { readonly mongod?: MongodOptions }): Promise<MongoPlace> {
  const database = await (mongod === undefined ? openMongoDatabase() : openControlledDatabase(mongod));
  try {
    return await openStoreIn(database, options);
  } catch (error) {
    await database.remove();
    throw error;
  }
}

async function openStoreIn(database: MongoDatabase, { seed = [], ...options }: MongoOpenOptions): Promise<MongoPlace> {
  const { uri, foreign } = database;
  // Tombolo makes the collections, so that they are its own; others then leave in them whatever they did before it checked.
  if (seed.length > 0) await (await openMongoStore({ uri, ...options })).close();
  for (const [name, documents] of Map.groupBy(seed, ({ resource }) => resource.collection)) {
    await foreign
      .collection(name)
      .bulkWrite(documents.map(({ resource, id, document }) => toUpsert(toStoredNames(resource, mustStored(resource, id, document)))), {
        bypassDocumentValidation: true,
      });
  }
  let store: Store = await openMongoStore({ uri, ...options });
  return {
    ...database,
    get store() {
      return store;
    },
    async reopen() {
      await store.close();
      store = await openMongoStore({ uri, ...options });
      return store;
    },
    async remove() {
      try {
        await store.close();
      } finally {
        await database.remove();
      }
    },
  };
}

type BuiltInRole = 'read' | 'readWrite' | 'dbAdmin';

/** A test server with a user who has these roles in the database `shop`, and the connection string of that user. */
export async function startWithRoles(roles: readonly BuiltInRole[], options: MongodOptions = {}): Promise<{ server: Server; uri: string }> {
  const auth = { user: 'ada', password: 'secret', roles: roles.map((role) => ({ role, db: 'shop' })) };
  const server = await startMongod({ ...options, auth });
  return { server, uri: server.uri.replace('/?', '/shop?authSource=admin&') };
}

/** The last of equal ids stays. */
function toUpsert(stored: Document) {
  return { replaceOne: { filter: { _id: asAnyId(stored['_id']) }, replacement: stored, upsert: true } };
}

/** The driver's default type of `_id`; the database takes every type. */
function asAnyId(id: unknown): never {
  return id as never;
}
