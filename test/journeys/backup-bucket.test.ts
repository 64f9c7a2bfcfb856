/** `npm run backup -- --to s3://…` and `npm run restore -- s3://…` as people run them, before a server that speaks S3. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, expect } from 'bun:test';
import { existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { peopleFileName } from '../../origin/people/file.ts';
import { inTime, put, textOf } from '../suites/store/harness.ts';
import { openSqlitePlace, type SqlitePlace } from '../suites/store/sqlite-place.ts';
import { open as things } from '../suites/store/things.ts';
import { testThat } from '../support/needs.ts';
import { Program } from '../support/program.ts';
import { S3Server, s3 } from '../support/s3-server.ts';

const project = join(import.meta.dir, '../..');
const s3Test = testThat(s3);

let place: SqlitePlace;
let server: S3Server;
let there: string;
beforeEach(async () => {
  if (!s3.met) return;
  server = new S3Server();
  there = `s3://${server.bucket}/shop/nightly`;
  [place] = await Promise.all([openSqlitePlace({ resources: [things] }), server.start()]);
});
afterEach(async () => {
  if (!s3.met) return;
  await Promise.all([place.remove(), server[Symbol.asyncDispose]()]);
});

function start(command: 'backup' | 'restore', options: readonly string[], more: Readonly<Record<string, string>> = {}): Program {
  const env = { ...process.env, MONGODB_URI: '', TOMBOLO_DATA_DIR: place.dataDir, ...server.variables, ...more };
  return new Program([process.execPath, `origin/database/${command}.ts`, ...options], { cwd: project, env });
}

async function run(...given: Parameters<typeof start>): Promise<{ readonly code: number; readonly text: string }> {
  const child = start(...given);
  const { code } = await child.ended(60_000);
  expect(child.output).not.toContain(server.variables['AWS_SECRET_ACCESS_KEY'] ?? '');
  return { code, text: child.output };
}

async function backedUp(text: string, ...options: readonly string[]) {
  await place.store.write([put(things, 'a', { text })], inTime());
  const { code, text: said } = await run('backup', ['--to', there, '--json', ...options]);
  expect([code, said]).toEqual([0, expect.stringContaining(there)]);
  return JSON.parse(said.split('\n').at(-2) ?? '') as { readonly path: string; readonly removed: readonly string[] };
}

/** Stops the store meanwhile, as a restore demands. */
async function restored(...given: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  await place.store.close();
  const done = await run('restore', given);
  await place.reopen();
  return done;
}

const objects = () => readdirSync(server.pathOf('shop/nightly')).sort();
const isTidy = () => !readdirSync(place.dataDir).some((name) => /restored|on-its-way|backup/.test(name));

s3Test('in a bucket come back by their address, or as the newest that is whole, with people, and nothing of them stays here', async () => {
  using people = new Database(join(place.dataDir, peopleFileName), { create: true });
  people.run('CREATE TABLE user (id TEXT)');
  people.run("INSERT INTO user VALUES ('ada')");
  // Its indexes have the text too: it is put there in parts of 5 MB.
  await place.store.write(Array.from({ length: 2 }, (_, n) => put(things, `id${n}`, { text: 'x'.repeat(1_000_000) })), inTime());
  const { path: first } = await backedUp('first');
  people.run('CREATE TABLE departed (id TEXT PRIMARY KEY, subject TEXT UNIQUE, expiresAt TEXT)');
  people.run("INSERT INTO departed VALUES ('1', 'ada', '2099-01-01T00:00:00.000Z')");
  people.close();
  await backedUp('second');
  await place.store.write([put(things, 'a', { text: 'lost' })], inTime());
  expect(await run('restore', [there])).toMatchObject({ code: 78, text: expect.stringContaining('an origin runs on it') });
  // Begun, and never whole.
  writeFileSync(server.pathOf('shop/nightly/tombolo-2999-01-01T00-00-00-000Z.sqlite'), 'half');
  expect(await restored(`${there}/`)).toMatchObject({ code: 0, text: expect.stringContaining('accounts of people 1') });
  expect(await textOf(place.store, things, 'a')).toContain('second');
  rmSync(join(place.dataDir, peopleFileName));
  const { code, text } = await restored(first);
  expect([code, text]).toEqual([0, expect.stringContaining(`restored ${first} (`)]);
  // As the second tells, for nobody here does.
  expect(text).toContain('1 of the accounts were deleted since');
  expect(await textOf(place.store, things, 'a')).toContain('first');
  expect(objects()).toHaveLength(7);
  expect(isTidy()).toBe(true);
});

s3Test('in a bucket go when newer ones are enough, and what never became whole before them goes too', async () => {
  const names = [basename((await backedUp('1')).path), basename((await backedUp('2')).path)];
  rmSync(server.pathOf(`shop/nightly/${names[0]}.json`));
  writeFileSync(server.pathOf('shop/nightly/not-ours.sqlite'), '');
  const { removed, path } = await backedUp('3', '--keep', '1');
  expect(removed.toSorted()).toEqual(names.map((name) => `${there}/${name}`));
  expect(objects()).toEqual(['not-ours.sqlite', basename(path), `${basename(path)}.json`]);
});

s3Test('in a bucket that are not what was put there are not put back, and nothing changes', async () => {
  const { path } = await backedUp('old');
  await place.store.write([put(things, 'a', { text: 'new' })], inTime());
  const object = server.pathOf(`shop/nightly/${basename(path)}`);
  const bytes = readFileSync(object);
  bytes[5_000] = (bytes[5_000] ?? 0) ^ 1;
  writeFileSync(object, bytes);
  const refused = [
    [path, 65, 'SHA-256 differs'], [`s3://${server.bucket}/elsewhere`, 65, 'no backup that is whole'],
    [`${there}/tombolo-2000-01-01T00-00-00-000Z.sqlite`, 69, 'NoSuchKey'],
  ] as const;
  for (const [from, code, said] of refused) expect(await restored(from)).toMatchObject({ code, text: expect.stringContaining(said) });
  expect(await textOf(place.store, things, 'a')).toContain('new');
  expect(isTidy()).toBe(true);
});

s3Test('in a bucket are none where the bucket is away, or opened by another key, and the next is taken when it is back', async () => {
  await server.stop();
  const away = start('backup', ['--to', there, '--every', '1s']);
  await away.says(/tombolo backup failed: BucketFault: s3:\/\/.*ConnectionRefused/);
  await server.start();
  await away.says(/^s3:\/\/.*whole/m);
  away.signal('SIGTERM');
  expect((await away.ended()).code).toBe(0);
  const stranger = await run('backup', ['--to', there], { AWS_SECRET_ACCESS_KEY: 'guessed' });
  expect(stranger).toMatchObject({ code: 1, text: expect.stringContaining('SignatureDoesNotMatch') });
  expect(await run('backup', ['--to', 's3://Not_A_Bucket'], { AWS_ACCESS_KEY_ID: '' })).toMatchObject({
    code: 78, text: expect.stringMatching(/is no s3:\/\/bucket\/prefix; AWS_ACCESS_KEY_ID: is missing/),
  });
  expect(existsSync(join(place.dataDir, 'backups'))).toBe(false);
});

s3Test('in a bucket stay in a folder as well where one is named, and the key may stand in a file', async () => {
  const [folder, file] = [join(place.dataDir, 'kept'), join(place.dataDir, 'key')];
  writeFileSync(file, `${server.variables['AWS_SECRET_ACCESS_KEY']}\n`);
  const keyInFile = { AWS_SECRET_ACCESS_KEY: '', AWS_SECRET_ACCESS_KEY_FILE: file };
  await place.store.write([put(things, 'a', { text: 'old' })], inTime());
  expect((await run('backup', [folder, '--to', there], keyInFile)).code).toBe(0);
  expect(readdirSync(folder).sort()).toEqual(objects());
  await place.store.write([put(things, 'a', { text: 'new' })], inTime());
  expect((await restored(folder)).code).toBe(0);
  expect(await textOf(place.store, things, 'a')).toContain('old');
});
