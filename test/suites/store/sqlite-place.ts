/** A store on SQLite in a directory of its own, and what tests do to the file behind its back. */
import { Database } from 'bun:sqlite';
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { SqliteStoreOptions } from '../../../origin/store/sqlite/options.ts';
import { databaseName } from '../../../origin/store/sqlite/connection/database.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { toStoredText } from '../../../origin/store/sqlite/read/member-names.ts';
import { quote } from '../../../origin/store/sqlite/install/ddl.ts';
import type { Store } from '../../../origin/store/store.ts';
import type { OpenOptions, Place } from './harness.ts';

export interface SqlitePlace extends Place {
  readonly dataDir: string;
  readonly path: string;
  /** A connection of another program. Closed with the place. */
  foreign(): Database;
}

type SqliteOpenOptions = OpenOptions & Pick<SqliteStoreOptions, 'onWarning' | 'onFatal' | 'logBytesMax'>;

export async function openSqlitePlace({ seed = [], ...options }: SqliteOpenOptions): Promise<SqlitePlace> {
  const dataDir = makeTempDir();
  const path = join(dataDir, databaseName);
  if (seed.length > 0) plant(path, seed);
  let store: Store = await openSqliteStore({ dataDir, ...options });
  const connections: Database[] = [];
  return {
    get store() {
      return store;
    },
    dataDir,
    path,
    foreign() {
      const connection = new Database(path, { readwrite: true });
      connection.run('PRAGMA busy_timeout = 2000');
      connections.push(connection);
      return connection;
    },
    async reopen() {
      await store.close();
      store = await openSqliteStore({ dataDir, ...options });
      return store;
    },
    async remove() {
      await store.close();
      for (const connection of connections) connection.close();
      rmSync(dataDir, { recursive: true, force: true });
    },
  };
}

export function makeTempDir(): string {
  return mkdtempSync(join(tmpdir(), 'tombolo-store-'));
}

/** What another program sees and does in the file of a store, open or not. */
export function inDatabase<T>(dataDir: string, use: (database: Database) => T): T {
  using database = new Database(join(dataDir, databaseName));
  return use(database);
}

/** A table that others made and filled, as it is found when Tombolo comes to it. */
function plant(path: string, seed: NonNullable<OpenOptions['seed']>): void {
  mkdirSync(join(path, '..'), { recursive: true });
  const database = new Database(path, { create: true });
  for (const { resource } of seed) {
    const idType = resource.idKind === 'integer' ? 'INTEGER' : 'TEXT';
    const columns = `n INTEGER PRIMARY KEY, id ${idType} NOT NULL UNIQUE, doc TEXT NOT NULL`;
    database.run(`CREATE TABLE IF NOT EXISTS ${quote(resource.collection)} (${columns})`);
  }
  database.run('BEGIN');
  for (const { resource, id, document } of seed) {
    const insert = database.prepare(`INSERT OR REPLACE INTO ${quote(resource.collection)} (id, doc) VALUES (?, ?)`);
    insert.run(id, toStoredText(resource, JSON.stringify(document)));
  }
  database.run('COMMIT');
  database.close();
}
