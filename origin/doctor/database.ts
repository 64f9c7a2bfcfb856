/** Whether the database can be served from, what is still to be done in it, and whether its clock is ours. */
import { accessSync, constants, existsSync, statfsSync } from 'node:fs';
import { join } from 'node:path';
import { Database } from 'bun:sqlite';
import { mongoPlanner } from '../store/mongo/planner.ts';
import { withTarget } from '../store/mongo/planning.ts';
import { mustBeWhole } from '../store/sqlite/backup/whole.ts';
import { databaseName } from '../store/sqlite/connection/database.ts';
import { storedForTeam } from '../stored-for-team.ts';
import { type Finding, right, skipped, wrong } from './finding.ts';
import { ofClocks } from './clocks.ts';
import type { Read } from './patient.ts';
import { messageOf } from '../../shared/message-of.ts';

/** A change log of the default size, and a write-ahead log beside it, no longer fit. */
const freeBytesMin = 268_435_456;

export async function databaseFindings(read: Read): Promise<readonly Finding[]> {
  const { mongodbUri, dataDir } = read.settings;
  return mongodbUri === undefined ? ofFile(dataDir) : ofMongo(mongodbUri, read.clock);
}

function ofFile(dataDir: string): readonly Finding[] {
  if (!existsSync(dataDir)) return [skipped('store', `${dataDir} is made at the first start`)];
  const path = join(dataDir, databaseName);
  const { bavail, bsize } = statfsSync(dataDir);
  const free = bavail * bsize;
  const disk = free >= freeBytesMin ? right('disk', `${Math.floor(free / 1_048_576)} MB free`) : wrong('disk', {
    found: `${Math.floor(free / 1_048_576)} MB free where ${dataDir} is`,
    matters: 'a write that has no room is 503 store_unavailable; what was written stays',
    mend: `df -h ${dataDir}; remove what is not needed, or lower TOMBOLO_LOG_BYTES_MAX`,
  });
  try {
    mustBeWhole(path);
    if (!existsSync(path)) return [skipped('store', 'made at the first start'), disk];
    for (const each of [dataDir, path]) accessSync(each, constants.R_OK | constants.W_OK);
    mustBeSound(path);
    return [right('store', `SQLite in ${path}, undamaged; npm run plan examines its documents`), disk];
  } catch (cause) {
    return [wrong('store', {
      found: messageOf(cause), matters: 'the origin cannot start on it, or cannot write',
      mend: `ls -l ${dataDir}; npm run restore -- FILE puts the last backup in its place`,
    }), disk];
  }
}

function mustBeSound(path: string): void {
  const database = new Database(path, { readonly: true });
  try {
    const found = database.query<{ quick_check: string }, []>('PRAGMA quick_check(1)').get()?.quick_check;
    if (found !== 'ok') throw new Error(`${path} is damaged: ${found ?? 'no answer'}`);
  } finally {
    database.close();
  }
}

async function ofMongo(uri: string, clock: () => number): Promise<readonly Finding[]> {
  try {
    return await withTarget({ uri, resources: storedForTeam, isWritten: false }, async (target) => {
      const planner = mongoPlanner(target);
      const steps = await planner.steps();
      const askedAt = clock();
      const { localTime } = await target.database.command({ hello: 1 });
      const answeredAt = clock();
      return [
        steps.length === 0 ? right('store', `${planner.place}, with all that the declaration asks for`) : wrong('store', {
          found: `${planner.place} lacks ${steps.length} steps`,
          matters: 'a shape without its index is 503 shape_not_ready; on collections of its own an origin does them at its start',
          mend: 'npm run plan shows them, npm run apply does them',
        }),
        ofClocks('clock of the database', { theirs: Number(localTime), askedAt, answeredAt }),
      ];
    });
  } catch (cause) {
    return [wrong('store', {
      found: messageOf(cause), matters: 'the origin does not start without it', mend: 'mongosh "$MONGODB_URI" --eval "db.hello()"',
    })];
  }
}
