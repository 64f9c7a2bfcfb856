/**
 * Where people are kept: on SQLite in a file beside the store's, on MongoDB in collections of the store's database that are
 * named for it. Both are made when people are switched on, and somebody asks, and never before (SEMANTICS §15).
 */
import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import type { BetterAuthOptions, DBAdapter } from 'better-auth';
import { toClient, toDatabaseName } from '../store/mongo/connection/client.ts';
import { makePrivate } from '../store/sqlite/connection/database.ts';
import { toStartError } from '../store/sqlite/connection/errors.ts';
import { peopleFileName } from './file.ts';
import { inTurn, SharedFileDriver } from './shared-file.ts';
import { sayingUnavailable } from './unavailable.ts';

/** Before each collection's name, so that a database's other guests see whose they are. */
const collectionsPrefix = 'tombolo_people_';

export interface PeopleDatabase {
  /** What better-auth keeps its models by. */
  adapter(options: BetterAuthOptions): DBAdapter;
  /** Makes tables, collections and indexes that are missing. */
  install(options: BetterAuthOptions): Promise<void>;
  close(): Promise<void>;
}

/** Looked up by these, which better-auth leaves without an index; a pair is unique where a second one would be another's account. */
const indexes = [
  { model: 'account', fields: ['providerId', 'accountId'], unique: true },
  { model: 'session', fields: ['expiresAt'], unique: false },
  { model: 'verification', fields: ['expiresAt'], unique: false },
  { model: 'refresh', fields: ['sessionId'], unique: false },
  { model: 'refresh', fields: ['expiresAt'], unique: false },
  { model: 'attempt', fields: ['expiresAt'], unique: false },
  { model: 'departed', fields: ['subject'], unique: true },
  { model: 'departed', fields: ['expiresAt'], unique: false },
  { model: 'member', fields: ['userId', 'organizationId'], unique: true },
  { model: 'member', fields: ['organizationId'], unique: false },
  { model: 'invitation', fields: ['organizationId'], unique: false },
  { model: 'invitation', fields: ['email'], unique: false },
  { model: 'invitation', fields: ['expiresAt'], unique: false },
  { model: 'invitation', fields: ['status'], unique: false },
] as const;

const pragmas = ['journal_mode = WAL', 'synchronous = FULL', 'foreign_keys = ON'] as const;

export async function openPeopleSqlite(dataDir: string): Promise<PeopleDatabase> {
  const [{ kyselyAdapter }, { getMigrations }, { Kysely, SqliteAdapter, SqliteIntrospector, SqliteQueryCompiler }] = await Promise.all([
    import('@better-auth/kysely-adapter'), import('better-auth/db/migration'), import('kysely'),
  ]);
  const path = join(dataDir, peopleFileName);
  const file = await mustOpen(path);
  const kysely = new Kysely<Record<string, Record<string, unknown>>>({
    dialect: {
      createAdapter: () => new SqliteAdapter(), createDriver: () => new SharedFileDriver(file),
      createIntrospector: (database) => new SqliteIntrospector(database), createQueryCompiler: () => new SqliteQueryCompiler(),
    },
  });
  return {
    adapter: (options) => sayingUnavailable(kyselyAdapter(kysely, { type: 'sqlite', transaction: true })(options)),
    async install(options) {
      // Of several processes that share the file one installs, and the others find all there.
      await inTurn(() => file.run('BEGIN IMMEDIATE'));
      try {
        await (await getMigrations({ ...options, database: file })).runMigrations();
        for (const { model, fields, unique } of indexes) {
          const kind = unique ? 'UNIQUE INDEX' : 'INDEX';
          file.run(`CREATE ${kind} IF NOT EXISTS tombolo_${model}_${fields.join('_')} ON ${model} (${fields.join(', ')})`);
        }
        file.run('COMMIT');
      } catch (cause) {
        if (file.inTransaction) file.run('ROLLBACK');
        throw cause;
      }
    },
    close: async () => file.close(),
  };
}

/** Throws a `StoreNotReady` where the file is damaged, or its disk lets nothing be written. */
async function mustOpen(path: string): Promise<Database> {
  try {
    makePrivate(path);
    const file = new Database(path, { create: true });
    for (const pragma of pragmas) await inTurn(() => file.run(`PRAGMA ${pragma}`));
    return file;
  } catch (error) {
    throw toStartError(error, path);
  }
}

export async function openPeopleMongo(uri: string): Promise<PeopleDatabase> {
  const { mongodbAdapter } = await import('better-auth/adapters/mongodb');
  const client = toClient(uri);
  await client.connect();
  const database = client.db(toDatabaseName(uri));
  const own: typeof database = Object.create(database, {
    collection: { value: (name: string) => database.collection(collectionsPrefix + name) },
  });
  const { setName, msg } = await database.command({ hello: 1 });
  const hasTransactions = setName !== undefined || msg === 'isdbgrid';
  return {
    adapter: (options) => mongodbAdapter(own, { client, transaction: hasTransactions })(options),
    async install() {
      for (const { model, fields, unique } of indexes) {
        await own.collection(model).createIndex(Object.fromEntries(fields.map((field) => [field, 1])), { unique });
      }
    },
    close: () => client.close(),
  };
}
