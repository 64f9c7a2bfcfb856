/**
 * `npm run rebuild -- NAME`: has a read model made anew from nothing, and waits until it is. What it has is served until all
 * rows are made again; an origin that runs does it, or else the next one that starts. The database is the MongoDB that
 * `MONGODB_URI` names, else the embedded SQLite.
 */
import { Database } from 'bun:sqlite';
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readModels } from '../hooks/all.ts';
import { progress } from '../read-models/progress.ts';
import { givenOrExit, placesOf } from '../given.ts';
import { withTarget } from '../store/mongo/planning.ts';
import { StoreNotReady } from '../store/not-ready.ts';
import { databaseName } from '../store/sqlite/connection/database.ts';
import { storedForTeam } from '../stored-for-team.ts';
import { exitConfiguration, exitUsage } from '../exit-codes.ts';
import { answerHelp } from '../usage.ts';

/** How often it is looked whether the rows are made. */
const lookMs = 200;
/** No origin takes it up in this time: none runs. */
const untakenMsMax = 15_000;
/** The wait for whoever else writes the file. */
const lockedMsMax = 10_000;

/** The records of how far models are, in a database. */
interface Records {
  remove(name: string): Promise<unknown>;
  /** `undefined`: nobody has begun. */
  stage(name: string): Promise<unknown>;
}

answerHelp('npm run rebuild -- NAME: makes the rows of the read model of that name anew, from nothing, and waits until they are');

const name = parsed();

function parsed(): string {
  try {
    const { positionals: [given, ...others] } = parseArgs({ allowPositionals: true });
    if (given !== undefined && others.length === 0 && readModels.some((model) => model.name === given)) return given;
  } catch {
    // An option is no name of a model.
  }
  const names = readModels.map((model) => model.name).join(', ') || 'there are none';
  process.stderr.write(`tombolo rebuild: after rebuild stands the name of a read model: ${names}. Nothing was done\n`);
  return process.exit(exitUsage);
}

async function rebuild(records: Records): Promise<void> {
  await records.remove(name);
  const begunAtMs = performance.now();
  for (;;) {
    const stage = await records.stage(name);
    if (stage === 'complete') return void process.stdout.write(`${name} is rebuilt\n`);
    if (stage === undefined && performance.now() - begunAtMs > untakenMsMax) break;
    await Bun.sleep(lookMs);
  }
  process.stdout.write(`${name} is rebuilt by the next origin that starts: none runs\n`);
}

async function inFile(dataDir: string): Promise<void> {
  const path = join(dataDir, databaseName);
  if (!existsSync(path)) return void process.stdout.write('MONGODB_URI is not set, and the embedded SQLite is not made yet\n');
  const database = new Database(path, { readwrite: true });
  try {
    database.run(`PRAGMA busy_timeout = ${lockedMsMax}`);
    await rebuild({
      remove: async (id) => database.query(`DELETE FROM "${progress.collection}" WHERE id = ?`).run(id),
      stage: async (id) => {
        const select = `SELECT doc ->> 'stage' AS stage FROM "${progress.collection}" WHERE id = ?`;
        return database.query<{ stage: string }, [string]>(select).get(id)?.stage;
      },
    });
  } finally {
    database.close();
  }
}

async function inMongo(uri: string): Promise<void> {
  await withTarget({ uri, resources: storedForTeam, isWritten: true }, async ({ database }) => {
    const records = database.collection<{ readonly _id: string; readonly stage: string }>(progress.collection);
    await rebuild({
      remove: (id) => records.deleteOne({ _id: id }),
      stage: async (id) => (await records.findOne({ _id: id }))?.stage,
    });
  });
}

try {
  const { uri, dataDir } = placesOf(givenOrExit('tombolo rebuild'));
  await (uri === '' ? inFile(dataDir) : inMongo(uri));
} catch (cause) {
  if (!(cause instanceof StoreNotReady)) throw cause;
  process.stderr.write(`tombolo rebuild: ${cause.message}\n`);
  process.exit(exitConfiguration);
}
