/** `npm run origin -- --processes N` on one SQLite file: replaced under load, by another declaration, and who else may have the file. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { ProcessFleet } from '../support/process-fleet.ts';
import { Program } from '../support/program.ts';
import { makeRelease } from '../support/release.ts';
import { expectReplacedUnderLoad } from '../support/rolled-under-load.ts';
import { testKeys } from '../support/scripted-origin.ts';
import { send, signHop } from '../support/signed-hop.ts';

const project = join(import.meta.dir, '../..');
const release = makeRelease([]);
let fleet: ProcessFleet;
beforeAll(async () => void (fleet = await ProcessFleet.start('sqlite', 2, { releaseDir: release.dir })), 60_000);
afterAll(async () => {
  await fleet[Symbol.asyncDispose]();
  release.remove();
});

const films = (query: string) => send(signHop(testKeys, { url: `${fleet.url}/v2/films?${query}` }));

test('questions of clients that never retry are answered while each process is replaced', async () => {
  await expectReplacedUnderLoad(fleet, { wanted: 1_500, rollsMin: 1 });
}, 240_000);

test.each([
  ['an origin by itself', 'origin/main.ts', [], /another process already writes to this data directory/],
  ['a restore', 'origin/database/restore.ts', ['package.json'], /an origin runs on it; stop that first/],
])('%s does not take the file that they share', async (_who, script, parameters, why) => {
  const program = new Program([process.execPath, join(project, script), ...parameters], {
    cwd: project,
    env: {
      ...process.env, MONGODB_URI: '', TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: fleet.dataDir, TOMBOLO_ORIGIN_PORT: '0',
      TOMBOLO_EDGE_URLS: 'http://127.0.0.1:9',
    },
  });
  expect((await program.ended(30_000)).code).not.toBe(0);
  expect(program.output).toMatch(why);
}, 40_000);

test('those that declare another shape begin once all of the last declaration have left', async () => {
  expect((await films('href=none')).status).toBe(400);
  const [file, pids] = [join(release.dir, 'shared/resources/films.ts'), (await fleet.processes()).map(({ pid }) => pid)];
  const shape = `    byAddress: { equal: ['href'], sort: ['title'] },\n`;
  writeFileSync(file, readFileSync(file, 'utf8').replace('    all: {},\n', `    all: {},\n${shape}`));
  await fleet.roll();
  expect(fleet.program.output).toContain('the database is declared otherwise now');
  expect((await films('href=none')).status).toBe(200);
  const serving = (await fleet.processes()).filter(({ serves }) => serves);
  expect([serving.length, serving.some(({ pid }) => pids.includes(pid))]).toEqual([2, false]);
}, 60_000);
