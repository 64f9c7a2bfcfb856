/** README's "You have a MongoDB", run as printed on a copy of the sources: from a connection string to an endpoint, and out again. */
import { afterAll, expect } from 'bun:test';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import { eventually } from '../support/eventually.ts';
import { foreignCollections } from '../support/foreign-collections.ts';
import { wholeOf } from '../support/foreign-shop.ts';
import { freePort } from '../support/free-port.ts';
import { type MongoDatabase, openMongoDatabase } from '../support/mongo-database.ts';
import { onPath, testThat } from '../support/needs.ts';
import { blocksBelow } from '../support/printed.ts';
import { Program } from '../support/program.ts';
import { makeRelease, type Release } from '../support/release.ts';

const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-guest-readme-'));
const edgePort = freePort();
let database: MongoDatabase | undefined;
let release: Release | undefined;
let started: Program | undefined;
afterAll(async () => {
  await started?.kill();
  await database?.remove();
  release?.remove();
  rmSync(dataDir, { recursive: true, force: true });
});

testThat(onPath('npm'), onPath('curl'), onPath('bash'))('is looked at, planned, applied, served, and left as it was found', async () => {
  const { uri, foreign } = (database = await openMongoDatabase());
  const { dir } = (release = makeRelease([
    ['origin/hooks/all.ts', '= [filmRatingsOfReviews]', '= []'],
    ['origin/hooks/all.ts', "= [departing({ of: reviews, by: 'author', fate: 'remove' })]", '= []'],
  ]));
  const { documents, indexes } = foreignCollections[0];
  await foreign.collection('movies').insertMany([...documents] as Document[]);
  for (const index of indexes) await foreign.collection('movies').createIndex(index);
  const before = await wholeOf(foreign);
  const [adopt = '', plan = '', apply = '', serve = ''] = blocksBelow('## You have a MongoDB', 'sh');
  const [all = ''] = blocksBelow('## You have a MongoDB', 'ts');
  const ports = { TOMBOLO_EDGE_PORT: String(edgePort), TOMBOLO_ORIGIN_PORT: String(freePort()), TOMBOLO_METRICS_PORT: String(freePort()) };
  // Without the scripts before each, which bring packages: those of the project are linked.
  const env = {
    ...process.env, TOMBOLO_TEST_RUN: undefined, TOMBOLO_DATA_DIR: dataDir, MONGODB_URI: uri, ...ports,
    npm_config_ignore_scripts: 'true',
  };
  const begin = (script: string) => {
    const command = script.replaceAll('http://127.0.0.1:8787', `http://127.0.0.1:${edgePort}`);
    return new Program(['bash', '-ec', command], { cwd: dir, env });
  };
  const run = async (script: string): Promise<string> => {
    const program = begin(script);
    const { code } = await program.ended(30_000);
    expect([script, code, code === 0 ? '' : program.output]).toEqual([script, 0, '']);
    return program.output;
  };

  expect(await run(adopt.replace(/'mongodb:.*'/, `'${uri}'`))).toContain('wrote shared/resources/movies.ts');
  writeFileSync(join(dir, 'shared/resources/all.ts'), all);
  expect(await run(plan)).toContain('movies: images');
  expect(await wholeOf(foreign)).toBe(before);
  await run(apply);
  const [start = '', ...asked] = serve.trim().split('\n');
  started = begin(start);
  await started.says(/^tombolo ready:/m);
  const ask = () => run(asked.join('\n'));
  expect(await ask()).toMatch(/^HTTP\/1.1 200 OK[^]*"data":\[\{"id":/m);
  await eventually('the answer is a hit', async () => (await ask()).includes('cache-status: tombolo; hit'));
  started.signal('SIGTERM');
  await started.ended();
  await run('npm run apply -- --remove-all');
  expect(await wholeOf(foreign)).toBe(before);
}, 120_000);
