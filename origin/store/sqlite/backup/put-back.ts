/**
 * A restore: a backup in the place of the database, in a new epoch, so that nothing which edges, feeds and cursors
 * knew of the state before is taken for true.
 *
 *   lease ─▶ copied beside ─▶ read whole, compared with its manifest ─▶ new epoch ─▶ what was there set aside ─▶ named
 *
 * Until the last two steps nothing is touched. Cut short between them, no database has the name, and a start refuses
 * (`mustBeWhole`) rather than to make an empty one; what was there is complete in its folder by then.
 */
import { Database } from 'bun:sqlite';
import { copyFileSync, existsSync, linkSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { Fault } from '../../../../shared/wire/fault.ts';
import { StoreNotReady } from '../../not-ready.ts';
import { randomHex } from '../../surroundings.ts';
import { databaseName, makePrivate, openWriter } from '../connection/database.ts';
import { isBusy } from '../connection/errors.ts';
import { acquireLease, type Lease } from '../connection/lease.ts';
import { beginEpoch } from '../install/prepare-file.ts';
import { renameDurably, syncToDisk } from './durable.ts';
import { type Manifest, mustExamine, mustManifest, sha256Of, UnsoundBackup } from './manifest.ts';
import { restoredName } from './whole.ts';

interface PuttingBack {
  readonly dataDir: string;
  readonly from: string;
  readonly now: Date;
  /** Whether a copy without a manifest is taken too: one that another program made. */
  readonly needsNoManifest: boolean;
}

export interface Restored {
  /** Where what was there is kept; `undefined`: nothing was there. */
  readonly aside: string | undefined;
  readonly documents: Manifest['documents'];
}

/** Throws an `UnsoundBackup` or a `StoreNotReady`, and then nothing has changed. */
export async function putBack({ dataDir, from, now, needsNoManifest }: PuttingBack): Promise<Restored> {
  if (!existsSync(from)) throw new UnsoundBackup(from, 'is not there');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lease = mustLease(dataDir);
  const [path, restored] = [join(dataDir, databaseName), join(dataDir, restoredName)];
  try {
    removeFiles(restored);
    makePrivate(restored);
    copyFileSync(from, restored);
    const documents = await mustBeSound(from, restored, needsNoManifest);
    renew(restored);
    syncToDisk(restored);
    syncToDisk(dataDir);
    const aside = setAside(path, join(dataDir, `before-restore-${now.toISOString().replaceAll(/[:.]/g, '-')}`));
    renameDurably(restored, path);
    return { aside, documents };
  } catch (error) {
    if (existsSync(path)) removeFiles(restored);
    throw error;
  } finally {
    lease.release();
  }
}

function mustLease(dataDir: string): Lease {
  try {
    return acquireLease(dataDir);
  } catch (error) {
    if (!(error instanceof Fault)) throw error;
    throw new StoreNotReady(join(dataDir, databaseName), ['an origin runs on it; stop that first']);
  }
}

/** The copy is what is examined, since it is what will be served. */
async function mustBeSound(from: string, copy: string, needsNoManifest: boolean): Promise<Manifest['documents']> {
  const told = needsNoManifest ? undefined : mustManifest(from);
  if (told !== undefined && (await sha256Of(copy)) !== told.sha256) {
    throw new UnsoundBackup(from, 'is not the file that its manifest was written for: its SHA-256 differs');
  }
  const { documents } = await mustExamine(copy, new Date());
  if (told !== undefined && !Bun.deepEquals(documents, told.documents)) {
    throw new UnsoundBackup(from, `holds ${JSON.stringify(documents)} documents, and its manifest says ${JSON.stringify(told.documents)}`);
  }
  return documents;
}

function renew(path: string): void {
  const writer = openWriter(path);
  try {
    writer.database.run('BEGIN IMMEDIATE');
    beginEpoch({ writer, clock: Date.now, random: randomHex });
    writer.database.run('COMMIT');
  } finally {
    // The last connection to close leaves one file.
    writer.database.close();
  }
}

/** Links first, so that the folder is complete before a name goes. */
function setAside(path: string, dir: string): string | undefined {
  if (!existsSync(path)) return undefined;
  closeWholly(path);
  const files = ['', '-wal', '-shm'].filter((suffix) => existsSync(`${path}${suffix}`));
  mkdirSync(dir, { mode: 0o700 });
  for (const suffix of files) linkSync(`${path}${suffix}`, join(dir, `${databaseName}${suffix}`));
  syncToDisk(dir);
  removeFiles(path);
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

function removeFiles(path: string): void {
  for (const suffix of ['', '-wal', '-shm', '-journal']) rmSync(`${path}${suffix}`, { force: true });
}
