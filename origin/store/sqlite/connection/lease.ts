/**
 * One process writes. The lease is an exclusive lock on a small SQLite file beside the data, held for the
 * life of the process and freed by the operating system however that ends.
 */
import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { Fault } from '../../../../shared/wire/fault.ts';
import { makePrivate } from './database.ts';
import { isBusy, toStartError } from './errors.ts';

export interface Lease {
  release(): void;
}

function opened(path: string, dataDir: string): Database {
  try {
    makePrivate(path);
    return new Database(path, { create: true, readwrite: true });
  } catch (error) {
    throw toStartError(error, dataDir);
  }
}

/** Throws a Fault where another process has it, and a `StoreNotReady` where nothing can be written there. */
export function acquireLease(dataDir: string): Lease {
  const path = join(dataDir, 'writer.lock');
  const database = opened(path, dataDir);
  try {
    database.run('BEGIN EXCLUSIVE');
  } catch (error) {
    database.close();
    if (!isBusy(error)) throw error;
    throw new Fault('store_unavailable', {
      detail: 'another process already writes to this data directory',
      cause: error,
      facts: { path },
    });
  }
  return {
    release() {
      database.run('ROLLBACK');
      database.close();
    },
  };
}
