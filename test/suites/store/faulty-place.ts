/** Stores on a test server that breaks when it is told to. */
import type { Db } from 'mongodb';
import { type MongoStoreOptions, openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import type { Store } from '../../../origin/store/store.ts';
import type { MongodOptions, Server } from '../../mongod/mongod.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';

export interface FaultyPlace extends AsyncDisposable {
  readonly server: Server;
  readonly uri: string;
  readonly foreign: Db;
  readonly store: Store;
  /** One more origin on the same database, the same unless said. */
  open(changed?: Partial<MongoStoreOptions>): Promise<Store>;
}

export type FaultyOptions = Omit<MongoStoreOptions, 'uri'> & { readonly mongod?: MongodOptions };

export async function openFaultyPlace({ mongod = {}, ...options }: FaultyOptions): Promise<FaultyPlace> {
  const { server, uri, foreign, remove } = await openControlledDatabase(mongod);
  const stores: Store[] = [];
  const open = async (changed: Partial<MongoStoreOptions> = {}) => {
    const store = await openMongoStore({ uri, ...options, ...changed });
    stores.push(store);
    return store;
  };
  return {
    server,
    uri,
    foreign,
    store: await open(),
    open,
    async [Symbol.asyncDispose]() {
      await Promise.all(stores.map((store) => store.close()));
      await remove();
    },
  };
}

/** The primary as by `kill -9`, and another in its place; the dead one comes back as a follower. */
export async function replacePrimary(server: Server): Promise<void> {
  const dead = server.memberOf(undefined).index;
  await server.kill(dead);
  const next = server.set.electable(null);
  if (next === null) throw new Error('nobody can be elected');
  server.elect(next.index);
  server.restart(dead);
}
