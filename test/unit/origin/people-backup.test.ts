/** What a restored backup says of real people (SEMANTICS §20): what held then holds again, and what came since does not. */
import { Database } from 'bun:sqlite';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { mkdtempSync, statSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { peopleFileName } from '../../../origin/people/file.ts';
import { putBack } from '../../../origin/store/sqlite/backup/put-back.ts';
import { takeBackup } from '../../../origin/store/sqlite/backup/take.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { PeopleWorld } from '../../support/people-world.ts';

const password = 'correct horse battery';

let world: PeopleWorld;
beforeAll(async () => void (world = await PeopleWorld.open('sqlite')));
afterAll(() => world[Symbol.asyncDispose]());

test('accounts, sessions, passwords and keys of then hold again, and those since are gone', async () => {
  await (await openSqliteStore({ dataDir: world.dataDir, resources: [] })).close();
  const ada = await world.member('ada@example.com');
  const { token } = await ada.token();
  for (const name of [peopleFileName, `${peopleFileName}-wal`]) expect(statSync(join(world.dataDir, name)).mode & 0o077).toBe(0);
  const { path, manifest } = await takeBackup({ dataDir: world.dataDir, into: join(world.dataDir, 'backups'), now: new Date() });
  expect(manifest.people?.accounts).toBe(1);
  await ada.post('/auth/change-password', { currentPassword: password, newPassword: 'another horse battery' });
  const sinceThen = await world.member('since@example.com');
  const ofThen = new Map(ada.cookies);
  await ada.post('/auth/sign-out');

  // As on another host.
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-people-'));
  await putBack({ dataDir, from: path, now: new Date(), needsNoManifest: false });
  await using after = new PeopleWorld(dataDir, undefined);
  const again = after.person();
  for (const [name, value] of ofThen) again.cookies.set(name, value);
  // A session that was ended since.
  expect((await again.get('/auth/token')).status).toBe(200);
  expect((await jwtVerify(token, createLocalJWKSet(await after.people.keySet()))).payload.sub).toBeString();
  expect((await after.person().signIn('ada@example.com', password)).status).toBe(200);
  expect((await after.person().signIn('since@example.com', password)).status).toBe(401);
  const stranger = after.person();
  for (const [name, value] of sinceThen.cookies) stranger.cookies.set(name, value);
  expect((await stranger.get('/auth/token')).status).toBe(401);

  // As the README has an operator do it.
  using file = new Database(join(dataDir, peopleFileName));
  file.run('DELETE FROM refresh; DELETE FROM session');
  expect((await again.get('/auth/token')).status).toBe(401);
});

test('an account that was deleted since does not come back, as a later backup tells on another host', async () => {
  const leaver = await world.member('leaver@example.com');
  const { claims } = await leaver.token();
  const into = join(world.dataDir, 'backups');
  const { path } = await takeBackup({ dataDir: world.dataDir, into, now: new Date() });
  await (await world.people.opened()).forget(String(claims['sub']));
  const later = await takeBackup({ dataDir: world.dataDir, into, now: new Date() });
  const dataDir = mkdtempSync(join(tmpdir(), 'tombolo-people-'));
  const { departing } = await putBack({ dataDir, from: path, now: new Date(), needsNoManifest: false, departed: [`${later.path}.people`] });
  expect(departing).toBe(1);
  await using after = new PeopleWorld(dataDir, undefined);
  expect((await after.person().signIn('leaver@example.com', password)).status).toBe(401);
  expect((await after.person().signIn('since@example.com', password)).status).toBe(200);
});
