/**
 * Who has the files: one process alone (an origin by itself, a restore), or several that share them. Each holds a lock of
 * SQLite's own on a small file beside the data, which the operating system frees however a process ends.
 *
 *   nobody has them ──▶ alone ── share ──▶ shared      others share them ──▶ shared
 */
import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { StoreNotReady } from '../../not-ready.ts';
import { makePrivate } from './database.ts';
import { isBusy, toStartError, toStoreFault } from './errors.ts';
import { unlocked, type Until } from './unlocked.ts';

export interface Lease {
  /** Nobody else has the files while it is held. */
  readonly isAlone: boolean;
  /** Lets others in that share them; throws what SQLite throws while somebody who took them in that moment has them alone. */
  share(): void;
  release(): void;
}

const files = { files: 'writer.lock', tidying: 'tidy.lock' } as const;

/** Throws a `StoreNotReady` where another process has them (`isOthers`), or where nothing can be written there. */
export function acquireLease(dataDir: string, of: keyof typeof files = 'files'): Lease {
  try {
    return take(dataDir, of, 'alone');
  } catch (cause) {
    if (!isBusy(cause)) throw toStartError(cause, dataDir);
    throw othersHave(dataDir);
  }
}

/** The same beside others that share them, and alone where there are none; waits for whoever has them alone, who may share them soon. */
export async function joinLease(dataDir: string, until: Until): Promise<Lease> {
  try {
    return await unlocked(() => joinNow(dataDir), until);
  } catch (error) {
    throw isBusy(error) ? othersHave(dataDir) : toStoreFault(error);
  }
}

function othersHave(dataDir: string): StoreNotReady {
  const why = 'another process already writes to this data directory; stop that one, or name another by TOMBOLO_DATA_DIR';
  return new StoreNotReady(dataDir, [why], { isOthers: true });
}

function joinNow(dataDir: string): Lease {
  try {
    return take(dataDir, 'files', 'alone');
  } catch (error) {
    if (!isBusy(error)) throw toStartError(error, dataDir);
    return take(dataDir, 'files', 'shared');
  }
}

function take(dataDir: string, of: keyof typeof files, how: 'alone' | 'shared'): Lease {
  const database = opened(join(dataDir, files[of]), dataDir);
  try {
    lock(database, how);
  } catch (error) {
    database.close();
    throw error;
  }
  return new HeldLease(database, how === 'alone');
}

class HeldLease implements Lease {
  readonly #database: Database;
  #isAlone: boolean;

  constructor(database: Database, isAlone: boolean) {
    this.#database = database;
    this.#isAlone = isAlone;
  }

  get isAlone(): boolean {
    return this.#isAlone;
  }

  share(): void {
    if (this.#database.inTransaction) this.#database.run('ROLLBACK');
    this.#isAlone = false;
    lock(this.#database, 'shared');
  }

  release(): void {
    if (this.#database.inTransaction) this.#database.run('ROLLBACK');
    this.#database.close();
  }
}

function opened(path: string, dataDir: string): Database {
  try {
    makePrivate(path);
    return new Database(path, { create: true, readwrite: true });
  } catch (error) {
    throw toStartError(error, dataDir);
  }
}

function lock(database: Database, how: 'alone' | 'shared'): void {
  database.run(how === 'alone' ? 'BEGIN EXCLUSIVE' : 'BEGIN');
  // A transaction takes the shared lock with what it reads first, and keeps it.
  if (how === 'shared') database.run('SELECT 1 FROM sqlite_schema LIMIT 1');
}
