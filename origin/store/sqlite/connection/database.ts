/**
 * Connections. One writes, one reads (it sees the last committed snapshot and cannot write by mistake), both
 * on the same thread. `transaction()` of drizzle is not passed on: an async callback in it does not roll back.
 */
import { closeSync, openSync } from 'node:fs';
import { Database, type SQLQueryBindings, type Statement } from 'bun:sqlite';
import { drizzle } from 'drizzle-orm/bun-sqlite';
import { storeLimits } from '../../limits.ts';
import { troubleOf } from './errors.ts';

/** The file in the data directory; tools open it beside us: backups, other programs' writes. */
export const databaseName = 'tombolo.sqlite';

/**
 * The end of a statement whose limit is bound. What is bound to a bare `LIMIT ?` SQLite looks into when it chooses a plan, and so
 * prepares the statement again whenever something else is bound, which is dearer than to run it.
 */
export const limitBound = 'LIMIT ? + 0';

export type Queries = Pick<ReturnType<typeof drizzle>, 'select' | 'insert' | 'update' | 'delete'>;

export interface Connection {
  readonly database: StoreDatabase;
  readonly queries: Queries;
}

/** `close` ends the connection: with a statement left, SQLite would keep file and locks until it is collected. */
export class StoreDatabase extends Database {
  readonly #prepared = new Set<Statement>();

  override prepare<Row, Parameters extends SQLQueryBindings | SQLQueryBindings[]>(sql: string, parameters?: Parameters) {
    const statement = super.prepare<Row, Parameters>(sql, parameters);
    this.#prepared.add(statement);
    return statement;
  }

  finalize(statement: Statement): void {
    this.#prepared.delete(statement);
    statement.finalize();
  }

  override close(): void {
    for (const statement of this.#prepared) statement.finalize();
    this.#prepared.clear();
    super.close(true);
  }
}

export function openWriter(path: string): Connection {
  makePrivate(path);
  const database = new StoreDatabase(path, { create: true, readwrite: true });
  // The wait for a lock comes first: changing to WAL needs one already.
  database.run(`PRAGMA busy_timeout = ${storeLimits.lockedMsMax}`);
  database.run('PRAGMA journal_mode = WAL');
  database.run('PRAGMA synchronous = FULL');
  database.run('PRAGMA journal_size_limit = 67108864');
  // 16 MB instead of 4: a page that many commits change is copied into the database once. An import gains a fifth.
  database.run('PRAGMA wal_autocheckpoint = 4000');
  return tuned(database);
}

/**
 * Makes the file for its owner's eyes alone, whatever the directory allows; SQLite gives `-wal` and `-shm` the same
 * mode. One that is there keeps its own: other programs may have been let in on purpose.
 */
export function makePrivate(path: string): void {
  closeSync(openSync(path, 'a', 0o600));
}

/** What has no room in the database file, or cannot be written there, stays in the log beside it, which the next start reads. */
export function closeWriter({ database }: Connection): void {
  try {
    database.run('PRAGMA wal_checkpoint(TRUNCATE)');
  } catch (error) {
    if (troubleOf(error) === undefined) throw error;
  } finally {
    database.close();
  }
}

/** The file is in WAL mode already, which lets it be read while others write. */
export function openReader(path: string): Connection {
  const database = new StoreDatabase(path, { readonly: true });
  database.run(`PRAGMA busy_timeout = ${storeLimits.lockedMsMax}`);
  return tuned(database);
}

function tuned(database: StoreDatabase): Connection {
  // 16 MB: half of that made no write of a file of 100 MB dearer, nor did twice as much make one cheaper.
  database.run('PRAGMA cache_size = -16384');
  // Statements with triggers and savepoints keep old pages aside: in a file that doubles the cost of an insert.
  database.run('PRAGMA temp_store = MEMORY');
  return { database, queries: drizzle(database) };
}
