/** The embedded database as another program has it: written behind Tombolo's back, copied, put back. */
import { Database, type SQLQueryBindings } from 'bun:sqlite';
import { copyFileSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { databaseName } from '../../origin/store/sqlite/sqlite-store.ts';

export class StoreFile {
  readonly #path: string;

  constructor(dataDir: string) {
    this.#path = join(dataDir, databaseName);
  }

  /** One statement by another connection of another process, which knows nothing of Tombolo. */
  write(sql: string, ...values: SQLQueryBindings[]): void {
    this.#with((database) => database.prepare(sql).run(...values));
  }

  /** A backup taken while everything runs, as `sqlite3 … "VACUUM INTO"` makes one. */
  copyTo(path: string): void {
    rmSync(path, { force: true });
    this.#with((database) => database.prepare('VACUUM INTO ?').run(path));
  }

  /** Only while no process has it open. */
  replaceBy(copy: string): void {
    for (const suffix of ['', '-wal', '-shm']) rmSync(`${this.#path}${suffix}`, { force: true });
    copyFileSync(copy, this.#path);
  }

  #with(work: (database: Database) => void): void {
    const database = new Database(this.#path, { readwrite: true });
    try {
      database.run('PRAGMA busy_timeout = 2000');
      work(database);
    } finally {
      database.close();
    }
  }
}
