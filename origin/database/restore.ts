/**
 * `npm run restore -- FILE`: a backup in the place of the embedded SQLite; of a folder, or of `s3://bucket/prefix`, the newest that
 * is whole. It refuses while an origin runs on it, reads the backup whole first, keeps what was there aside, and begins a new epoch,
 * so that no cache, feed or cursor answers from before. `--at MOMENT` takes the documents back to a moment before the backup, by the
 * change log that is in it; of a folder or a bucket it takes the first backup of after that moment. `--without-manifest` takes a copy
 * that another program made. Accounts that were deleted since end again at the next start, as the people who are there now tell, the
 * newest backup beside it, and those of `--departed LATER.sqlite.people`.
 *
 * With `MONGODB_URI`, after mongorestore and without a FILE, `npm run restore` begins the new epoch there.
 */
import { existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { basename, dirname, join } from 'node:path';
import { parseArgs } from 'node:util';
import * as z from 'zod';
import { SettingsError } from '../../shared/settings/reader.ts';
import { givenOrExit, placesOf } from '../given.ts';
import { beginEpochAfterRestore } from '../store/mongo/after-restore.ts';
import { withTarget } from '../store/mongo/planning.ts';
import { StoreNotReady } from '../store/not-ready.ts';
import { peoplePath, UnsoundBackup } from '../store/sqlite/backup/manifest.ts';
import { troubleOfDisk } from '../store/sqlite/connection/errors.ts';
import { firstAfter, isBackup, wholeBackups } from '../store/sqlite/backup/names.ts';
import { putBack } from '../store/sqlite/backup/put-back.ts';
import { storedForTeam } from '../stored-for-team.ts';
import { exitConfiguration, exitData, exitUnavailable, exitUsage } from '../exit-codes.ts';
import { answerHelp, whyWrong } from '../usage.ts';
import { Bucket, BucketFault, isBucketAddress } from './bucket.ts';
import { toCounted } from './counted.ts';
import { fetchBackup, fetchNewestPeople, makeWayFolder, newestOf } from './ship.ts';

answerHelp(`npm run restore -- FROM [options]
  FROM                   a backup, a folder of them, s3://bucket/prefix, or one below that; of several the newest that is whole
  --at MOMENT            the documents as of then, such as 2026-11-30T14:02:59Z, from the first backup of after it
  --without-manifest     takes a copy that another program made
  --departed FILE        people of a later backup, whose deleted accounts end again; may be given several times
with MONGODB_URI, after mongorestore: npm run restore, without FROM`);

function refuse(exitCode: number, detail: string): never {
  const more = exitCode === exitUsage ? '; npm run restore -- --help' : '';
  process.stderr.write(`tombolo restore: ${detail}${more}. Nothing was done\n`);
  process.exit(exitCode);
}

function parsed() {
  try {
    const options = {
      'without-manifest': { type: 'boolean', default: false }, departed: { type: 'string', multiple: true }, at: { type: 'string' },
    } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    if (positionals.length > 1) throw new Error('one backup is restored');
    return {
      place: positionals[0], needsNoManifest: values['without-manifest'], departed: values.departed,
      at: values.at === undefined ? undefined : mustMoment(values.at),
    };
  } catch (cause) {
    return refuse(exitUsage, whyWrong(cause));
  }
}

/** RFC 3339 §5.6, with its offset: a moment without one would be another on another machine. */
function mustMoment(text: string): Date {
  const { data } = z.iso.datetime({ offset: true }).safeParse(text);
  const moment = new Date(data ?? NaN);
  if (!(moment.getTime() <= Date.now())) throw new Error(`--at ${text} is no moment of the past such as 2026-11-30T14:02:59.000Z`);
  return moment;
}

async function restoreFrom(place: string, needsNoManifest: boolean): Promise<string> {
  if (isBucketAddress(place)) return restoreFromBucket(place);
  const isFolder = statSync(place, { throwIfNoEntry: false })?.isDirectory() === true;
  const folder = isFolder ? place : dirname(place);
  const names = existsSync(folder) ? readdirSync(folder) : [];
  const from = isFolder ? join(place, backupOf(place, names)) : place;
  const newest = wholeBackups(names).at(-1);
  return restoreFile({ from, needsNoManifest, newestPeople: newest === undefined ? undefined : peoplePath(join(folder, newest)) });
}

async function restoreFromBucket(place: string): Promise<string> {
  const isOne = isBackup(basename(place));
  const bucket = new Bucket(isOne ? dirname(place) : place, given);
  const names = await bucket.names();
  const name = isOne ? basename(place) : backupOf(place, names);
  const way = makeWayFolder(dataDir, new Date());
  try {
    const from = await fetchBackup(bucket, name, way);
    const newestPeople = await fetchNewestPeople(bucket, names, way);
    return await restoreFile({ from, needsNoManifest: false, newestPeople, told: bucket.addressOf(name) });
  } finally {
    rmSync(way, { recursive: true, force: true });
  }
}

function backupOf(place: string, names: readonly string[]): string {
  if (at === undefined) return newestOf(place, names);
  const found = firstAfter(names, at);
  if (found === undefined) throw new UnsoundBackup(place, `has none of after ${at.toISOString()}: npm run backup takes one of now`);
  return found;
}

interface RestoringFile {
  readonly from: string;
  readonly needsNoManifest: boolean;
  /** Of the newest backup beside it, which may know of accounts deleted since. */
  readonly newestPeople: string | undefined;
  /** What it is called; as its path unless said. */
  readonly told?: string;
}

async function restoreFile({ told, ...restoring }: RestoringFile): Promise<string> {
  const back = at === undefined ? undefined : { to: at, tables: new Map(storedForTeam.map(({ name, collection }) => [name, collection])) };
  const { aside, documents, accounts, departing, undone } = await putBack({ dataDir, now: new Date(), departed, at: back, ...restoring });
  const people = accounts === undefined ? 'people as they were, for it has none' : `accounts of people ${accounts}`;
  const counted = [...toCounted(documents), people].join(', ');
  const before = aside === undefined ? 'nothing was there before' : `what was there is in ${aside}`;
  const ends = departing === 0 ? '' : `; ${departing} of the accounts were deleted since, and end at the next start`;
  const asOf = at === undefined ? '' : `, as of ${at.toISOString()}, with ${undone} changes of after it undone`;
  return `restored ${told ?? restoring.from} (${counted})${asOf}, in a new epoch; ${before}${ends}`;
}

async function begunAnew(uri: string): Promise<string> {
  const epoch = await withTarget({ uri, resources: storedForTeam, isWritten: true }, beginEpochAfterRestore);
  return epoch === undefined
    ? 'Tombolo keeps nothing in this database, and tells by the collections themselves that they were put back'
    : `epoch ${epoch} begins: nothing that was cached or followed before is believed; start the origins, and look at npm run plan`;
}

const { place, needsNoManifest, departed = [], at } = parsed();
const given = givenOrExit('tombolo restore');
const { uri, dataDir } = placesOf(given);
if (uri !== '' && place !== undefined) {
  refuse(exitUsage, 'MONGODB_URI is set, and a MongoDB is restored by mongorestore; npm run restore without a FILE follows it');
}
if (uri !== '' && at !== undefined) {
  refuse(exitUsage, 'MONGODB_URI is set, and --at is of the embedded SQLite: a MongoDB is taken back by mongorestore --oplogLimit');
}
if (uri === '' && place === undefined) refuse(exitUsage, 'after restore stands the backup: npm run restore -- FILE');
try {
  process.stdout.write(`${place === undefined ? await begunAnew(uri) : await restoreFrom(place, needsNoManifest)}\n`);
} catch (cause) {
  if (cause instanceof StoreNotReady || cause instanceof SettingsError) refuse(exitConfiguration, cause.message);
  if (cause instanceof UnsoundBackup) refuse(exitData, cause.message);
  if (cause instanceof BucketFault) refuse(exitUnavailable, cause.message);
  const trouble = troubleOfDisk(cause);
  if (trouble !== undefined) refuse(exitUnavailable, trouble);
  throw cause;
}
