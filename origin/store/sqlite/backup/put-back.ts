/**
 * A restore: a backup in the place of the database, in a new epoch, so that nothing which edges, feeds and cursors
 * knew of the state before is taken for true; and the people of then in the place of the people.
 *
 *   lease ─▶ copied beside ─▶ read whole, compared with its manifest ─▶ taken back to the moment ─▶ new epoch ─▶ what was there
 *   set aside ─▶ named
 *
 * Until the last two steps nothing is touched. The database loses its name first and gets it last: cut short between,
 * a start refuses (`mustBeWhole`) rather than to make an empty one, or to serve the database of one time with the people of
 * another; what was there is complete in its folder by then.
 */
import { copyFileSync, existsSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { peopleFileName } from '../../../people/file.ts';
import { StoreNotReady } from '../../not-ready.ts';
import { randomHex } from '../../surroundings.ts';
import { databaseName, makePrivate, openWriter } from '../connection/database.ts';
import { acquireLease, type Lease } from '../connection/lease.ts';
import { beginEpoch } from '../install/prepare-file.ts';
import { keepDeparted } from './departed.ts';
import { renameDurably, syncToDisk } from './durable.ts';
import { mustExamine, mustExaminePeople, sha256Of } from './examine.ts';
import { type Manifest, mustManifest, peoplePath, UnsoundBackup } from './manifest.ts';
import { rewind, type Rewinding } from './rewind.ts';
import { asideOf, removeFiles, setAside, setAsideBefore } from './set-aside.ts';
import { restoredOf } from './whole.ts';

interface PuttingBack {
  readonly dataDir: string;
  readonly from: string;
  readonly now: Date;
  /** Whether a copy without a manifest is taken too: one that another program made. */
  readonly needsNoManifest: boolean;
  /** People's files that must tell of accounts deleted since; what is in the place of the people tells, too. */
  readonly departed?: readonly string[];
  /** The people's file of the newest backup of the same place, which tells if it can. */
  readonly newestPeople?: string | undefined;
  /** The moment to which the documents are taken back; that of the backup unless said. */
  readonly at?: Omit<Rewinding, 'path' | 'told'> | undefined;
}

export interface Restored {
  /** Where what was there is kept; `undefined`: nothing was there. */
  readonly aside: string | undefined;
  readonly documents: Manifest['documents'];
  /** How many accounts are back; `undefined`: the backup does not tell of people, and they are left as they are. */
  readonly accounts: number | undefined;
  /** Of these, how many were deleted since, and end at the next start. */
  readonly departing: number;
  /** Changes of after the moment that was asked for. */
  readonly undone: number;
}

/** Throws an `UnsoundBackup` or a `StoreNotReady`, and then nothing has changed. */
export async function putBack({ dataDir, from, now, needsNoManifest, departed = [], newestPeople, at }: PuttingBack): Promise<Restored> {
  if (!existsSync(from)) throw new UnsoundBackup(from, 'is not there');
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  const lease = mustLease(dataDir);
  const [path, people] = [join(dataDir, databaseName), join(dataDir, peopleFileName)];
  const [restored, restoredPeople] = [restoredOf(path), restoredOf(people)];
  /** Where no database has its name, a start refuses for as long as what is to get it is there, so that stays. */
  let isReplacing = !existsSync(path) && existsSync(restored);
  try {
    removeFiles(restoredPeople);
    const told = needsNoManifest ? undefined : mustManifest(from);
    const copied = await copySoundly({ from, to: restored, sha256: told?.sha256 }, mustExamineDocuments);
    if (told !== undefined && !Bun.deepEquals(copied, told.documents)) {
      const [held, said] = [JSON.stringify(copied), JSON.stringify(told.documents)];
      throw new UnsoundBackup(from, `holds ${held} documents, and its manifest says ${said}`);
    }
    if (at !== undefined && told !== undefined && at.to > new Date(told.takenAt)) throw new UnsoundBackup(from, `is of ${told.takenAt}`);
    const undone = at === undefined ? 0 : rewind({ path: restored, told: from, ...at });
    const documents = at === undefined ? copied : await mustExamineDocuments(restored);
    let departing = 0;
    if (told?.people != null) {
      await copySoundly({ from: peoplePath(from), to: restoredPeople, sha256: told.people.sha256 }, mustExaminePeople);
      // One that was cut short may have set aside the people who tell.
      const known = [people, ...setAsideBefore(dataDir, peopleFileName), ...(newestPeople === undefined ? [] : [newestPeople])];
      departing = keepDeparted({ copy: restoredPeople, known, named: departed, since: at?.to });
      syncToDisk(restoredPeople);
    }
    renew(restored);
    for (const each of [restored, dataDir]) syncToDisk(each);
    isReplacing = true;
    const replaced = told?.people === undefined ? [path] : [path, people];
    const aside = setAside(replaced, asideOf(dataDir, now));
    if (told?.people != null) renameDurably(restoredPeople, people);
    renameDurably(restored, path);
    return { aside, documents, accounts: told?.people === null ? 0 : told?.people?.accounts, departing, undone };
  } catch (error) {
    if (!isReplacing || existsSync(path)) for (const each of [restored, restoredPeople]) removeFiles(each);
    throw error;
  } finally {
    lease.release();
  }
}

function mustLease(dataDir: string): Lease {
  try {
    return acquireLease(dataDir);
  } catch (error) {
    if (!(error instanceof StoreNotReady && error.isOthers)) throw error;
    throw new StoreNotReady(join(dataDir, databaseName), ['an origin runs on it; stop that first']);
  }
}

interface Copying {
  readonly from: string;
  readonly to: string;
  /** What its manifest says, in hex; `undefined`: it has none. */
  readonly sha256: string | undefined;
}

/** The copy is what is examined, since it is what will be served. */
async function copySoundly<Held>({ from, to, sha256 }: Copying, examine: (path: string) => Promise<Held>): Promise<Held> {
  if (!existsSync(from)) throw new UnsoundBackup(from, 'is not there');
  removeFiles(to);
  makePrivate(to);
  copyFileSync(from, to);
  if (sha256 !== undefined && (await sha256Of(to)) !== sha256) {
    throw new UnsoundBackup(from, 'is not the file that its manifest was written for: its SHA-256 differs');
  }
  return examine(to);
}

async function mustExamineDocuments(path: string): Promise<Manifest['documents']> {
  return (await mustExamine(path, new Date())).documents;
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
