/**
 * A backup: one committed state of the file, copied while others write (`VACUUM INTO` reads one snapshot), read whole,
 * and named only when it is complete and on disk; its manifest comes last, so that a copy with one is whole. The people's
 * file is copied beside it, a moment before.
 */
import { Database } from 'bun:sqlite';
import { existsSync, mkdirSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { storeLimits } from '../../limits.ts';
import { peopleFileName } from '../../../people/file.ts';
import { databaseName, makePrivate } from '../connection/database.ts';
import { renameDurably, writeDurably } from './durable.ts';
import { mustExamine, mustExaminePeople } from './examine.ts';
import { type Manifest, manifestPath, peoplePath } from './manifest.ts';
import { backupNameAt, isBackup, outlived } from './names.ts';
import { removeFiles } from './set-aside.ts';

export interface Backup {
  readonly path: string;
  readonly manifest: Manifest;
}

interface Taking {
  readonly dataDir: string;
  /** Where backups are kept. */
  readonly into: string;
  readonly now: Date;
}

const partialName = 'backup.partial';
const leftoverMsMin = 86_400_000;

/** Throws an `UnsoundBackup` where the copy, and so the database, is damaged; SQLite's and the system's errors as they are. */
export async function takeBackup({ dataDir, into, now }: Taking): Promise<Backup> {
  mkdirSync(into, { recursive: true, mode: 0o700 });
  removeLeftovers(into, partialName, now);
  const path = join(into, backupNameAt(now));
  const partial = join(into, `${partialName}-${process.pid}`);
  const [people, partialPeople] = [join(dataDir, peopleFileName), peoplePath(partial)];
  const hasPeople = existsSync(people);
  try {
    // First: an account ends after the database holds the job that ends what else is theirs (SEMANTICS §20). The other way
    // round, an account could be gone with its keys alive.
    if (hasPeople) copyCommitted(people, partialPeople);
    copyCommitted(join(dataDir, databaseName), partial);
    const held = await mustExamine(partial, now);
    const manifest = { ...held, people: hasPeople ? await mustExaminePeople(partialPeople) : null };
    if (hasPeople) renameDurably(partialPeople, peoplePath(path));
    renameDurably(partial, path);
    writeDurably(manifestPath(path), `${JSON.stringify(manifest, undefined, 2)}\n`);
    return { path, manifest };
  } finally {
    for (const left of [partial, partialPeople]) removeFiles(left);
  }
}

function copyCommitted(from: string, to: string): void {
  makePrivate(to);
  const database = new Database(from, { readonly: true });
  try {
    database.run(`PRAGMA busy_timeout = ${storeLimits.backupLockedMsMax}`);
    database.run('VACUUM INTO ?', [to]);
  } finally {
    database.close();
  }
}

/** Removes all but the newest `keep` that are whole; says which went. */
export function pruneBackups(dir: string, keep: number): readonly string[] {
  const old = outlived(readdirSync(dir), keep);
  for (const name of old) rmSync(join(dir, name));
  return old.filter(isBackup).map((name) => join(dir, name));
}

/** What one that was killed has left of names that begin so: a day later nothing of it is being written. */
export function removeLeftovers(dir: string, prefix: string, now: Date): void {
  for (const path of readdirSync(dir).filter((name) => name.startsWith(prefix)).map((name) => join(dir, name))) {
    const writtenAt = statSync(path, { throwIfNoEntry: false })?.mtimeMs ?? Infinity;
    if (writtenAt < now.getTime() - leftoverMsMin) rmSync(path, { recursive: true, force: true });
  }
}
