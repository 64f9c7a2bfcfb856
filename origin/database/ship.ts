/**
 * Backups in a bucket, of the same names as in a folder. Each copy is read back and compared with the manifest, which is put there
 * last, so that what has one is whole.
 */
import { existsSync, mkdirSync, mkdtempSync } from 'node:fs';
import { basename, join } from 'node:path';
import { type Manifest, manifestPath, mustManifest, peoplePath, UnsoundBackup } from '../store/sqlite/backup/manifest.ts';
import { isBackup, outlived, wholeBackups } from '../store/sqlite/backup/names.ts';
import { sha256Of } from '../store/sqlite/backup/examine.ts';
import { type Backup, removeLeftovers } from '../store/sqlite/backup/take.ts';
import { type Bucket, BucketFault } from './bucket.ts';

/** Returns its address there. Throws a `BucketFault`, and then there is no backup of this name. */
export async function ship({ path, manifest }: Backup, bucket: Bucket): Promise<string> {
  const name = basename(path);
  await putSoundly(bucket, name, path, manifest);
  if (manifest.people != null) await putSoundly(bucket, peoplePath(name), peoplePath(path), manifest.people);
  const beside = manifestPath(path);
  await putSoundly(bucket, manifestPath(name), beside, { bytes: Bun.file(beside).size, sha256: await sha256Of(beside) });
  return bucket.addressOf(name);
}

type Put = Pick<Manifest, 'bytes' | 'sha256'>;

async function putSoundly(bucket: Bucket, name: string, path: string, { bytes, sha256 }: Put): Promise<void> {
  await bucket.put(name, path);
  if ((await bucket.sha256Of(name, bytes)) !== sha256) throw new BucketFault(bucket.addressOf(name), 'comes back as another file');
}

/** Removes all but the newest `keep` that are whole; says which went. */
export async function pruneBucket(bucket: Bucket, keep: number): Promise<readonly string[]> {
  const old = outlived(await bucket.names(), keep);
  for (const name of old) await bucket.remove(name);
  return old.filter(isBackup).map((name) => bucket.addressOf(name));
}

/** A folder for what is on its way, in the data directory; the caller removes it. */
export function makeWayFolder(dataDir: string, now: Date): string {
  mkdirSync(dataDir, { recursive: true, mode: 0o700 });
  removeLeftovers(dataDir, wayPrefix, now);
  return mkdtempSync(join(dataDir, wayPrefix));
}

const wayPrefix = 'on-its-way-';

/** Of a place the newest that is whole. Throws an `UnsoundBackup` where there is none. */
export function newestOf(place: string, names: readonly string[]): string {
  const newest = wholeBackups(names).at(-1);
  if (newest === undefined) throw new UnsoundBackup(place, 'has no backup that is whole');
  return newest;
}

/** Its files, as they were put there; whether they are sound is for the restore to find. Returns the copy's path. */
export async function fetchBackup(bucket: Bucket, name: string, into: string): Promise<string> {
  const path = join(into, name);
  await bucket.fetch(manifestPath(name), manifestPath(path));
  const { people } = mustManifest(path);
  await bucket.fetch(name, path);
  if (people != null) await bucket.fetch(peoplePath(name), peoplePath(path));
  return path;
}

/** The people's file of the newest backup, or `undefined` where it has none. */
export async function fetchNewestPeople(bucket: Bucket, names: readonly string[], into: string): Promise<string | undefined> {
  const newest = wholeBackups(names).at(-1);
  if (newest === undefined || !names.includes(peoplePath(newest))) return undefined;
  const path = join(into, peoplePath(newest));
  if (!existsSync(path)) await bucket.fetch(peoplePath(newest), path);
  return path;
}
