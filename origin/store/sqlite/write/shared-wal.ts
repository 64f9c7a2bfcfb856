/**
 * The write-ahead log of a file that processes share. SQLite begins it anew at a commit that finds no reader behind it, and of
 * several processes one nearly always reads: so past a size it is asked to, and holds up writers until each reader of that
 * moment has ended, which a snapshot does with its turn of the event loop. While a state is held for longer the log grows.
 */
import type { Database } from 'bun:sqlite';
import { statSync } from 'node:fs';
import { storeLimits } from '../../limits.ts';

export class SharedWal {
  readonly #database: Database;
  readonly #path: string;
  readonly #onBegin: () => void;

  /** `onBegin` ends the reads of this process; `path` is the database's. */
  constructor({ database, path, onBegin }: { readonly database: Database; readonly path: string; readonly onBegin: () => void }) {
    this.#database = database;
    this.#path = path;
    this.#onBegin = onBegin;
  }

  /** Outside a transaction. */
  keepSmall(): void {
    const { size } = statSync(`${this.#path}-wal`, { throwIfNoEntry: false }) ?? { size: 0 };
    if (size <= storeLimits.sharedWalBytesMax) return;
    this.#onBegin();
    this.#database.run(`PRAGMA busy_timeout = ${storeLimits.walRestartMsMax}`);
    try {
      this.#database.run('PRAGMA wal_checkpoint(TRUNCATE)');
    } finally {
      this.#database.run('PRAGMA busy_timeout = 0');
    }
  }
}
