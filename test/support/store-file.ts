/** The embedded database as another program has it: written behind Tombolo's back, copied, put back. */
import { Database, type SQLQueryBindings } from 'bun:sqlite';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { databaseName } from '../../origin/store/sqlite/connection/database.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { ForeignProgram } from './foreign-program.ts';

export class StoreFile implements ForeignProgram {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, databaseName);
  }

  async insert(table: string, id: string, document: JsonObject): Promise<void> {
    this.#write(`INSERT INTO "${table}" (id, doc) VALUES (?, ?)`, id, JSON.stringify(document));
  }

  async set(table: string, id: string, fields: JsonObject): Promise<void> {
    this.#write(`UPDATE "${table}" SET doc = json_patch(doc, ?) WHERE id = ?`, JSON.stringify(fields), id);
  }

  async replace(table: string, id: string, document: JsonObject): Promise<void> {
    this.#write(`INSERT OR REPLACE INTO "${table}" (id, doc) VALUES (?, ?)`, id, JSON.stringify(document));
  }

  async remove(table: string, id: string): Promise<void> {
    this.#write(`DELETE FROM "${table}" WHERE id = ?`, id);
  }

  /** Copies the database as `sqlite3 … "VACUUM INTO"` does. */
  async backup(): Promise<() => Promise<void>> {
    const copy = `${this.#path}.backup`;
    rmSync(copy, { force: true });
    withDatabase(this.#path, (database) => database.prepare('VACUUM INTO ?').run(copy));
    return async () => {
      for (const suffix of ['', '-wal', '-shm']) rmSync(`${this.#path}${suffix}`, { force: true });
      copyFileSync(copy, this.#path);
    };
  }

  async close(): Promise<void> {}

  #write(sql: string, ...values: SQLQueryBindings[]): void {
    withDatabase(this.#path, (database) => database.prepare(sql).run(...values));
  }
}

/** A connection of another program, for as long as `work` takes. */
export function withDatabase(path: string, work: (database: Database) => void): void {
  const database = new Database(path, { readwrite: true });
  try {
    database.run('PRAGMA busy_timeout = 2000');
    work(database);
  } finally {
    database.close();
  }
}
