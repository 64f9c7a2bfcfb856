/**
 * The SQLite of the edge's state in one process. What a restart must not forget is a file beside the data: charges and
 * tickets. What a restart may forget is in memory: generations, since the cache that they are about is forgotten with them.
 *
 * A commit is in the operating system's hands when it returns and so survives the end of this process; only the end of the
 * machine may lose the last seconds of it.
 */
import { Database } from 'bun:sqlite';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import type { Rows, SqlValue, Storage } from '../../edge/coordinator/sql.ts';
import { SettingsError } from '../../shared/settings/reader.ts';
import { makePrivate } from '../store/sqlite/connection/database.ts';
import { isBusy } from '../store/sqlite/connection/errors.ts';

/** Counters of two processes in one file would overwrite one another: the second is refused. */
export function openStateFile(dataDir: string): Database {
  mkdirSync(dataDir, { recursive: true });
  const path = join(dataDir, 'edge.sqlite');
  makePrivate(path);
  const database = new Database(path, { create: true, readwrite: true });
  try {
    database.run('PRAGMA locking_mode = EXCLUSIVE');
    database.run('PRAGMA journal_mode = WAL');
    database.run('PRAGMA synchronous = OFF');
    database.run('BEGIN EXCLUSIVE');
    database.run('COMMIT');
    return database;
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new SettingsError(['TOMBOLO_DATA_DIR: another process already keeps its state in this directory']);
  }
}

/** What a coordinator asks for, in memory. */
export function openMemoryStorage(): Storage {
  const database = new Database(':memory:');
  return {
    sql: {
      exec<Row extends Record<string, SqlValue>>(query: string, ...values: SqlValue[]): Rows<Row> {
        if (!/^\s*create /i.test(query)) return toRows(database.query<Row, SqlValue[]>(query).all(...values));
        // Tables are made by several statements in one text, of which `query` would carry out the first alone.
        database.run(query);
        return toRows<Row>([]);
      },
    },
    transactionSync(work) {
      database.run('BEGIN');
      try {
        const result = work();
        database.run('COMMIT');
        return result;
      } catch (thrown) {
        database.run('ROLLBACK');
        throw thrown;
      }
    },
  };
}

function toRows<Row>(rows: Row[]): Rows<Row> {
  return {
    [Symbol.iterator]: () => rows[Symbol.iterator](),
    one() {
      const [row] = rows;
      if (row === undefined || rows.length > 1) throw new Error(`${rows.length} rows where one was expected`);
      return row;
    },
  };
}
