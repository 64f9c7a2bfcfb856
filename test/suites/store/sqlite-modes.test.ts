/** Who may read the files of the store: their owner, whatever the directory allows. */
import { afterEach, expect, test } from 'bun:test';
import { chmodSync, existsSync, readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { databaseName } from '../../../origin/store/sqlite/connection/database.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { films } from '../../../shared/resources/films.ts';
import { makeTempDir } from './sqlite-place.ts';

const dir = makeTempDir();
afterEach(() => rmSync(dir, { recursive: true, force: true }));

const modeOf = (path: string) => statSync(path).mode & 0o777;

test('the files are 0600 in a directory that everybody may read, and a mode that the team has set stays', async () => {
  chmodSync(dir, 0o755);
  const store = await openSqliteStore({ dataDir: dir, resources: [films] });
  expect(readdirSync(dir)).toEqual(expect.arrayContaining([databaseName, `${databaseName}-shm`, `${databaseName}-wal`, 'writer.lock']));
  for (const file of readdirSync(dir)) expect([file, modeOf(join(dir, file))]).toEqual([file, 0o600]);
  await store.close();
  chmodSync(join(dir, databaseName), 0o640);
  const again = await openSqliteStore({ dataDir: dir, resources: [films] });
  expect([modeOf(join(dir, databaseName)), modeOf(join(dir, `${databaseName}-wal`))]).toEqual([0o640, 0o640]);
  await again.close();
});

test('a directory that the store makes is 0700', async () => {
  const made = join(dir, 'inner', 'data');
  const store = await openSqliteStore({ dataDir: made, resources: [films] });
  expect([existsSync(made), modeOf(made)]).toEqual([true, 0o700]);
  await store.close();
});
