/**
 * Index builds that take longer than a socket may be silent and a server may be looked for. The bounds are those of the
 * connection string, a fifth of the build; `npm run soak -- --only builds` has a minute of it under Tombolo's own.
 */
import { join } from 'node:path';
import { afterEach, expect, test } from 'bun:test';
import * as z from 'zod';
import { applyPlan, planOf } from '../../../origin/store/mongo/install/plan.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { withTarget } from '../../../origin/store/mongo/planning.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { eventually } from '../../support/eventually.ts';
import { fillShop } from '../../support/foreign-shop.ts';
import { type ControlledDatabase, openControlledDatabase } from '../../support/mongo-database.ts';

const boats = resource({
  name: 'boats', id: 'objectId', schema: z.object({ name: z.string() }), rules: { read: anyone, write: anyone },
  shapes: { byName: { sort: ['name'] } },
});
const buildMs = 2_500;

let database: ControlledDatabase;
let uri: string;
afterEach(() => database.remove());

async function openSlow(times: number): Promise<void> {
  database = await openControlledDatabase();
  uri = `${database.uri}&socketTimeoutMS=500&serverSelectionTimeoutMS=500&waitQueueTimeoutMS=500`;
  const slow = { failCommands: ['createIndexes'], appName: 'tombolo', blockConnection: true, blockTimeMS: buildMs };
  database.server.failPoint('failCommand', { times }, slow);
}

const apply = (names: string[] = []) =>
  withTarget({ uri, resources: [boats], isWritten: true }, (target) => applyPlan(target, 'e'.repeat(16), ({ name }) => names.push(name)));
const plan = () => withTarget({ uri, resources: [boats], isWritten: false }, planOf);
const indexes = async () => (await database.foreign.collection('boats').indexes()).map(({ name }) => name).sort();
const complete = ['_id_', 'name,id', 'tombolo_odd'];

test('a slow build does not fail the start that waits for it', async () => {
  await openSlow(2);
  const store = await openMongoStore({ uri, resources: [boats] });
  expect([store.state().pending, await indexes()]).toEqual([[], complete]);
  await store.close();
});

test('a slow build does not fail an apply, nor a second one at the same time', async () => {
  await openSlow(4);
  await database.foreign.collection('boats').insertOne({ name: 'Fram' });
  await Promise.all([apply(), apply()]);
  expect([await plan(), await indexes()]).toEqual([[], complete]);
});

test('an apply whose connection breaks while it builds is begun again where it was', async () => {
  await openSlow(1);
  await database.foreign.collection('boats').insertOne({ name: 'Fram' });
  const [first, broken] = [[] as string[], { failCommands: ['createIndexes'], appName: 'tombolo', closeConnection: true }];
  database.server.failPoint('failCommand', { skip: 1 }, broken);
  await expect(apply(first)).rejects.toThrow('no primary answered');
  expect(first.at(-1)).toBe('boats: index name,id');
  database.server.failPoint('failCommand', 'off', {});
  const names: string[] = [];
  await apply(names);
  expect([names, await plan(), await indexes()]).toEqual([['boats: index name,id', 'boats: index tombolo_odd'], [], complete]);
});

test('npm run apply that is killed while it builds is begun again, and ends with everything', async () => {
  await openSlow(Infinity);
  await fillShop(database.foreign);
  const start = (...more: readonly string[]) => Bun.spawn([process.execPath, 'origin/database/plan.ts', ...more], {
    cwd: join(import.meta.dir, '../../..'), env: { ...process.env, MONGODB_URI: uri }, stdout: 'pipe', stderr: 'inherit',
  });
  const killed = start('--apply');
  await eventually('it builds', () => database.server.history.commands('createIndexes').length > 0, { msMax: 20_000 });
  killed.kill('SIGKILL');
  await killed.exited;
  database.server.failPoint('failCommand', 'off', {});
  expect(await start('--apply').exited).toBe(0);
  expect(await new Response(start().stdout).text()).toContain('has all that the declaration asks for');
}, 60_000);
