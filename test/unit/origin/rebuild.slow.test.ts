/** `npm run rebuild`: a model's rows are made anew by the origin that runs, and what is no model's name is refused. */
import { expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { readModels } from '../../../origin/hooks/all.ts';
import { progress } from '../../../origin/read-models/progress.ts';
import { served } from '../../../shared/resources/all.ts';
import { filmRatings } from '../../../shared/resources/film-ratings.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { eventually } from '../../support/eventually.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import { engines } from '../../support/whole-world.ts';

const command = join(import.meta.dir, '../../../origin/database/rebuild.ts');

async function rebuild(variables: Readonly<Record<string, string>>, ...args: readonly string[]) {
  const env = { PATH: process.env['PATH'] ?? '', ...variables };
  const child = Bun.spawn([process.execPath, command, ...args], { env, stdin: 'ignore', stdout: 'pipe', stderr: 'pipe' });
  const [out, err, code] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text(), child.exited]);
  return { code, said: (out + err).trim() };
}

test.each([...engines])('on %s a row that nothing leads to is gone when the command ends', async (engine) => {
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-rebuild-'));
  const mongo = engine === 'mongodb' ? await openMongoDatabase() : undefined;
  const variables = mongo === undefined ? { TOMBOLO_DATA_DIR: dataDir } : { MONGODB_URI: mongo.uri };
  try {
    await using origin = await DirectOrigin.open(variables, served, { readModels });
    const run = async () => (await origin.stored(progress, 'film-ratings'))?.['run'];
    const isComplete = async () => (await origin.stored(progress, 'film-ratings'))?.['stage'] === 'complete';
    await eventually('the model is made', isComplete);
    const before = await run();
    const id = '0198c0de-0000-7000-8000-0000000000aa';
    await origin.put(filmRatings, id, { reviews: 7, meanRating: 1 });
    expect(await rebuild(variables, 'film-ratings')).toEqual({ code: 0, said: 'film-ratings is rebuilt' });
    expect(await origin.stored(filmRatings, id)).toBeUndefined();
    expect(await run()).not.toBe(before);
  } finally {
    await mongo?.remove();
    rmSync(dataDir, { recursive: true, force: true });
  }
}, 60_000);

test('a name that is no model\'s is refused, and where nothing is stored there is nothing to do', async () => {
  const nowhere = join(tmpdir(), `tombolo-rebuild-${crypto.randomUUID()}`);
  const refused = await rebuild({ TOMBOLO_DATA_DIR: nowhere }, 'film-rating');
  expect([refused.code, refused.said]).toEqual([64, expect.stringContaining('film-ratings. Nothing was done')]);
  expect(await rebuild({ TOMBOLO_DATA_DIR: nowhere }, 'film-ratings')).toEqual({
    code: 0, said: 'MONGODB_URI is not set, and the embedded SQLite is not made yet',
  });
}, 60_000);
