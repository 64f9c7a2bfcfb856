/**
 * `npm run backup -- [DIR]`: a verified copy of the embedded SQLite, taken while it is written to, with a manifest beside it;
 * in `backups` of the data directory unless said. The people's file is copied with it. `--every 1h` takes one an hour until it is
 * told to stop, `--keep 24` removes older ones. `--to s3://bucket/prefix` puts it there, and leaves none here unless a DIR is named.
 * Restored by `npm run restore -- FILE` (restore.ts). A MongoDB is dumped by its own tools.
 */
import { existsSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { SettingsError } from '../../shared/settings/reader.ts';
import { givenOrExit, placesOf } from '../given.ts';
import { type Backup, pruneBackups, takeBackup } from '../store/sqlite/backup/take.ts';
import { databaseName } from '../store/sqlite/connection/database.ts';
import { exitConfiguration, exitUsage } from '../exit-codes.ts';
import { answerHelp, whyWrong } from '../usage.ts';
import { Bucket } from './bucket.ts';
import { toCounted } from './counted.ts';
import { intervalMsOf, intervalWords } from './interval.ts';
import { makeWayFolder, pruneBucket, ship } from './ship.ts';

answerHelp(`npm run backup -- [DIR] [options]
  DIR             where backups are put; backups in TOMBOLO_DATA_DIR unless said, and none here with --to
  --every 1h      one after another, until it is told to stop
  --keep N        the newest N stay, older ones are removed
  --to s3://B/P   puts each into the bucket B, below the prefix P
  --json          tells each as JSON`);

const given = givenOrExit('tombolo backup');
const { uri, dataDir } = placesOf(given);
const asked = parsed();

function parsed() {
  try {
    const text = { type: 'string' } as const;
    const options = { every: text, keep: text, to: text, json: { type: 'boolean', default: false } } as const;
    const { values, positionals } = parseArgs({ options, allowPositionals: true });
    const [named, ...more] = positionals;
    const into = named ?? (values.to === undefined ? join(dataDir, 'backups') : undefined);
    if (more.length > 0) throw new Error('one folder is enough');
    const everyMs = values.every === undefined ? undefined : intervalMsOf(values.every);
    if (values.every !== undefined && everyMs === undefined) throw new Error(`--every ${intervalWords}`);
    if (values.keep !== undefined && !/^[1-9]\d{0,5}$/.test(values.keep)) throw new Error('--keep takes how many backups stay, from 1 on');
    const bucket = values.to === undefined ? undefined : new Bucket(values.to, given);
    return { into, bucket, everyMs, keep: values.keep === undefined ? undefined : Number(values.keep), isJson: values.json };
  } catch (cause) {
    return refuse(cause instanceof SettingsError ? exitConfiguration : exitUsage, cause);
  }
}

function refuse(exitCode: number, cause: unknown): never {
  process.stderr.write(`tombolo backup: ${whyWrong(cause)}${exitCode === exitUsage ? '; npm run backup -- --help' : ''}\n`);
  process.exit(exitCode);
}

async function takeOne(): Promise<void> {
  const { into, bucket, keep } = asked;
  const now = new Date();
  if (into !== undefined) {
    const backup = await takeBackup({ dataDir, into, now });
    tell(backup.path, backup, keep === undefined ? [] : pruneBackups(into, keep));
    if (bucket !== undefined) await putInto(bucket, backup);
  } else if (bucket !== undefined) {
    const way = makeWayFolder(dataDir, now);
    try {
      await putInto(bucket, await takeBackup({ dataDir, into: way, now }));
    } finally {
      rmSync(way, { recursive: true, force: true });
    }
  }
}

async function putInto(bucket: Bucket, backup: Backup): Promise<void> {
  const path = await ship(backup, bucket);
  tell(path, backup, asked.keep === undefined ? [] : await pruneBucket(bucket, asked.keep));
}

function tell(path: string, { manifest }: Backup, removed: readonly string[]): void {
  const documents = toCounted(manifest.documents);
  const counted = [...documents, ...(manifest.people == null ? [] : [`accounts of people ${manifest.people.accounts}`])].join(', ');
  const said = asked.isJson
    ? JSON.stringify({ path, ...manifest, removed })
    : `${path}: ${manifest.bytes} bytes, whole (${counted})${removed.length === 0 ? '' : `; removed ${removed.length} older`}`;
  process.stdout.write(`${said}\n`);
}

/** One that fails is told, and the next has its turn: the disk may have room again. */
async function takeEvery(everyMs: number): Promise<never> {
  for (const signal of ['SIGTERM', 'SIGINT'] as const) process.once(signal, () => process.exit(0));
  for (;;) {
    const startedAt = performance.now();
    await takeOne().catch((cause: unknown) => process.stderr.write(`tombolo backup failed: ${String(cause)}\n`));
    await Bun.sleep(Math.max(0, everyMs - (performance.now() - startedAt)));
  }
}

if (uri !== '') {
  refuse(exitConfiguration, 'MONGODB_URI is set, and a MongoDB is dumped by its own tools, mongodump --oplog');
}
if (!existsSync(join(dataDir, databaseName))) {
  refuse(exitConfiguration, `there is no database in ${dataDir} yet; TOMBOLO_DATA_DIR says where`);
}
if (asked.everyMs !== undefined) await takeEvery(asked.everyMs);
await takeOne().catch((cause: unknown) => refuse(1, cause));
