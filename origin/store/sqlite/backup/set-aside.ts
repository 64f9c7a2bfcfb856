/** What was there before a restore, kept in a folder. */
import { Database } from 'bun:sqlite';
import { existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { StoreNotReady } from '../../not-ready.ts';
import { isBusy } from '../connection/errors.ts';
import { syncToDisk } from './durable.ts';

const asidePrefix = 'before-restore-';

/** Where a restore of that moment keeps what was there. */
export function asideOf(dataDir: string, now: Date): string {
  return join(dataDir, `${asidePrefix}${now.toISOString().replaceAll(/[:.]/g, '-')}`);
}

/** Where a file of that name is, if it is there, as each restore found it. */
export function setAsideBefore(dataDir: string, name: string): readonly string[] {
  return readdirSync(dataDir).filter((folder) => folder.startsWith(asidePrefix)).map((folder) => join(dataDir, folder, name));
}

/**
 * Links first, so that the folder is complete before a name goes; then the names go in the order of `paths`.
 * Returns the folder; `undefined`: nothing was there. Throws a `StoreNotReady` where another program has one open.
 */
export function setAside(paths: readonly string[], dir: string): string | undefined {
  const there = paths.filter((path) => existsSync(path));
  if (there.length === 0) return undefined;
  for (const path of there) closeWholly(path);
  mkdirSync(dir, { mode: 0o700 });
  const files = there.flatMap((path) => ['', '-wal', '-shm'].map((suffix) => `${path}${suffix}`)).filter((path) => existsSync(path));
  for (const path of files) linkSync(path, join(dir, basename(path)));
  syncToDisk(dir);
  for (const path of there) {
    removeFiles(path);
    syncToDisk(dirname(path));
  }
  return dir;
}

/**
 * Makes one file of the database where it is sound. Leaving WAL needs the file for oneself, so other programs that have
 * it open are found: what they wrote from then on would be lost.
 */
function closeWholly(path: string): void {
  const database = new Database(path, { readwrite: true });
  try {
    database.run('PRAGMA journal_mode = DELETE');
  } catch (error) {
    if (isBusy(error)) throw new StoreNotReady(path, ['another program has it open; stop that first']);
    // It is damaged, or its disk is full: it is kept as it is, with what lies beside it.
  } finally {
    database.close();
  }
}

export function removeFiles(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
}
