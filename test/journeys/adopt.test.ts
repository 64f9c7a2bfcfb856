/** `npm run adopt` as people run it, over a database of another program. */
import { resourceMistakes } from '../../shared/checks/resource-mistakes.ts';
import { afterEach, expect, test } from 'bun:test';
import { existsSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Document } from 'mongodb';
import { foreignCollections } from '../support/foreign-collections.ts';
import { wholeOf } from '../support/foreign-shop.ts';
import { loadResource } from '../support/load-resource.ts';
import { type MongoDatabase, openMongoDatabase } from '../support/mongo-database.ts';
import { Program } from '../support/program.ts';

const project = join(import.meta.dir, '../..');
/** Of this test alone: a run beside it has others. */
const name = `adopted-${crypto.randomUUID().slice(0, 8)}`;
const file = join(project, 'shared/resources', `${name}.ts`);

let database: MongoDatabase | undefined;
afterEach(async () => {
  rmSync(file, { force: true });
  await database?.remove();
  database = undefined;
});

async function openRestaurants(): Promise<MongoDatabase> {
  const { documents, indexes, collection } = foreignCollections[2];
  const opened = (database = await openMongoDatabase());
  await opened.foreign.collection(collection).insertMany([...documents] as Document[]);
  for (const index of indexes) await opened.foreign.collection(collection).createIndex(index);
  return opened;
}

async function run(uri: string, ...options: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  const child = new Program([process.execPath, 'run', '--silent', 'adopt', ...options], {
    cwd: project, env: { ...process.env, MONGODB_URI: uri },
  });
  const { code } = await child.ended();
  return { code, text: child.output };
}

test('it writes a file that loads, closed to everybody but a role, says what to do next, and changes nothing in the database', async () => {
  const { uri, foreign } = await openRestaurants();
  const before = await wholeOf(foreign);
  const { code, text } = await run('', '--uri', uri, '--collection', 'restaurants', '--name', name, '--sample', '30');
  expect([code, text]).toEqual([0, expect.stringContaining('30 of 40 documents, taken at random')]);
  for (const said of [`wrote shared/resources/${name}.ts`, 'contract(…)', 'npm run plan']) expect(text).toContain(said);
  expect(await wholeOf(foreign)).toBe(before);
  const resource = await loadResource(readFileSync(file, 'utf8'));
  expect(resourceMistakes(resource)).toEqual([]);
  expect(resource.rules).toMatchObject({ read: { kind: 'role', role: 'admin' }, create: { kind: 'nobody' }, remove: { kind: 'nobody' } });
});

test('a file that is there is written over only by force', async () => {
  const { uri } = await openRestaurants();
  writeFileSync(file, '// mine\n');
  const refused = { code: 73, text: expect.stringContaining('--force') };
  expect(await run(uri, '--collection', 'restaurants', '--name', name)).toMatchObject(refused);
  expect(readFileSync(file, 'utf8')).toBe('// mine\n');
  expect((await run(uri, '--collection', 'restaurants', '--name', name, '--force')).code).toBe(0);
  expect(readFileSync(file, 'utf8')).toContain(`name: '${name}'`);
});

test('it prints instead, and writes no file', async () => {
  const { uri } = await openRestaurants();
  const { code, text } = await run(uri, '--collection', 'restaurants', '--print');
  expect([code, text]).toEqual([0, expect.stringContaining("export const restaurants = resource({\n  name: 'restaurants',")]);
  expect(existsSync(join(project, 'shared/resources/restaurants.ts'))).toBe(false);
});

test('what it cannot do, it says with what to do', async () => {
  const { uri } = await openRestaurants();
  const refused = async (code: number, said: string, ...options: readonly string[]) =>
    expect(await run(uri, ...options)).toEqual({ code, text: expect.stringContaining(said) });
  await refused(64, '--collection is missing');
  await refused(64, '--sample must be a whole number from 1 to', '--collection', 'restaurants', '--sample', '0');
  await refused(64, 'say another with --name', '--collection', 'restaurants', '--name', 'all');
  await refused(64, 'say one with --name', '--collection', '2024');
  await refused(64, "is of Tombolo's own", '--collection', 'tombolo_meta');
  await refused(64, 'usage: npm run adopt', '--collection', 'restaurants', '--quietly');
  await refused(78, 'there is no collection restaurant; there are restaurants', '--collection', 'restaurant', '--name', name);
  expect(existsSync(file)).toBe(false);
  expect((await run('', '--collection', 'restaurants')).text).toContain('neither --uri nor MONGODB_URI');
});
