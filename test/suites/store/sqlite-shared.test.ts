/** Two stores on one file, as two processes have it: what one commits the other knows, and neither harms the other. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { databaseName } from '../../../origin/store/sqlite/connection/database.ts';
import { Turn } from '../../../origin/store/sqlite/connection/turn.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import type { Store } from '../../../origin/store/store.ts';
import { eventually } from '../../support/eventually.ts';
import { decide, inTime, put, reasonOf, textOf } from './harness.ts';
import { changesTo, image, read } from './read-changes.ts';
import { makeTempDir } from './sqlite-place.ts';
import { amounts, open as things } from './things.ts';

const resources = [things];
let dataDir: string;
let one: Store;
let other: Store;
beforeEach(async () => {
  dataDir = makeTempDir();
  one = await openSqliteStore({ dataDir, resources, isShared: true });
  other = await openSqliteStore({ dataDir, resources, isShared: true });
});
afterEach(async () => {
  await Promise.all([one.close(), other.close()]);
  rmSync(dataDir, { recursive: true });
});

test('what one has acknowledged the other reads, tells and gives its followers', async () => {
  const from = await other.head();
  const { position } = await one.write([put(things, 'a', { size: 1 })], inTime());
  expect(await textOf(other, things, 'a')).toBe('{"id":"a","size":1}');
  expect((await other.get(things, 'a', { ...inTime(), atLeast: position })).position).toEqual(position);
  expect(other.news?.since(from)?.head).toEqual(position);
  expect((await changesTo(other, from, position)).map(image)).toEqual([['a', null, { id: 'a', size: 1 }]]);
});

test('what another process commits is seen by a read of the same turn of the event loop', async () => {
  await one.write([put(things, 'a', { size: 1 })], inTime());
  const foreign = new Database(join(dataDir, databaseName));
  const update = foreign.prepare(`UPDATE "open-things" SET doc = '{"size":2}'`);
  const before = await textOf(other, things, 'a');
  update.run();
  expect([before, await textOf(other, things, 'a')]).toEqual(['{"id":"a","size":1}', '{"id":"a","size":2}']);
  update.finalize();
  foreign.close();
});

test('what both write at once is decided one after the other', async () => {
  const rounds = 150;
  const count = (store: Store) => store.write([decide(things, 'n', (before) => ({
    kind: 'put', document: { size: Number(before?.value['size'] ?? 0) + 1 },
  }))], inTime());
  await Promise.all([one, other].map(async (store) => {
    for (let round = 0; round < rounds; round++) await count(store);
  }));
  expect(await textOf(one, things, 'n')).toBe(`{"id":"n","size":${rounds * 2}}`);
});

test('a nonce and an idempotency key that one has met are known to the other', async () => {
  const nonce = { value: 'n', expiresAt: Date.now() + 60_000 };
  const once = { key: 'k', fingerprint: 'f', answer: () => 'first' };
  await one.write([put(things, 'a', { size: 1 })], { ...inTime(), nonce, once });
  expect(await reasonOf(other.write([put(things, 'a', { size: 2 })], { ...inTime(), nonce }))).toBe('hop_replayed');
  const again = { ...inTime(), once: { ...once, answer: () => 'second' } };
  expect((await other.write([put(things, 'a', { size: 2 })], again)).replayed).toBe('first');
});

test('an epoch that one begins is told by the other before anything newer', async () => {
  const from = await other.head();
  const reader = read(other, from);
  await one.renewEpoch();
  await one.write([put(things, 'a', { size: 1 })], inTime());
  for (let given = await reader.next(); given === undefined || !('lost' in given); given = await reader.next()) {
    expect(given).toMatchObject({ changes: [], through: from });
  }
  await reader.stop();
  expect((await other.head()).epoch).toBe((await one.head()).epoch);
});

test('a log that was trimmed past one that stood still begins no epoch', async () => {
  const { epoch } = await other.head();
  const { position } = await one.write([put(things, 'a', { size: 1 })], inTime());
  const foreign = new Database(join(dataDir, databaseName));
  foreign.run('DELETE FROM _log WHERE seq < (SELECT max(seq) FROM _log)');
  foreign.close();
  await eventually('it has looked', async () => (await other.head()).order === position.order);
  expect((await other.head()).epoch).toBe(epoch);
});

test('one of them tidies, and the other once that one has ended', async () => {
  const turn = new Turn(dataDir, false);
  await eventually('one has taken it', () => !turn.take());
  await Promise.all([one.close(), other.close()]);
  expect(turn.take()).toBe(true);
  turn.end();
});

test('a store of another declaration, and one that is to have the file alone, are refused and change nothing', async () => {
  await expect(openSqliteStore({ dataDir, resources: [things, amounts], isShared: true })).rejects.toThrow('declare other fields');
  await expect(openSqliteStore({ dataDir, resources })).rejects.toThrow('another process already writes');
  await one.write([put(things, 'a', { size: 1 })], inTime());
  expect(await textOf(other, things, 'a')).toBe('{"id":"a","size":1}');
  await Promise.all([one.close(), other.close()]);
  await (await openSqliteStore({ dataDir, resources: [things, amounts], isShared: true })).close();
});
