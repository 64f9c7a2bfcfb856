/** Reads of one turn of the event loop share a snapshot, which is never older than what its readers know of. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { statSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { inTime, put, textOf } from './harness.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';
import { open as things } from './things.ts';

let place: SqlitePlace;
beforeEach(async () => {
  place = await openSqlitePlace({ resources: [things] });
  await place.store.write([put(things, 'a', { size: 1 })], inTime());
  await nextTurn();
});
afterEach(() => place.remove());

const read = () => textOf(place.store, things, 'a');

test('a write is seen by whoever was told of it, though a read of the same turn began before', async () => {
  const writing = place.store.write([put(things, 'a', { size: 2 })], inTime());
  expect(await read()).toBe('{"id":"a","size":1}');
  await writing;
  expect(await read()).toBe('{"id":"a","size":2}');
});

test('what others commit is seen from the next turn on, by all reads at once', async () => {
  const update = place.foreign().prepare(`UPDATE "open-things" SET doc = '{"size":3}'`);
  const before = await read();
  update.run();
  expect([before, await read()]).toEqual(['{"id":"a","size":1}', '{"id":"a","size":1}']);
  await nextTurn();
  expect(await read()).toBe('{"id":"a","size":3}');
});

test('the file is not held once the turn is over: a checkpoint of others truncates the log', async () => {
  await read();
  await nextTurn();
  expect(place.foreign().prepare('PRAGMA wal_checkpoint(TRUNCATE)').get()).toMatchObject({ busy: 0 });
});

test('reads under way at every write do not let the write-ahead log grow', async () => {
  const text = 'x'.repeat(1_000_000);
  for (let round = 0; round < 12; round++) {
    const writing = place.store.write([put(things, 'large', { text: `${text}${round}` })], inTime());
    await read();
    await writing;
    await nextTurn();
  }
  // Each write is about 8 MB. At 16 MB the file's pages are copied into the database, and it is begun anew.
  expect(statSync(`${place.path}-wal`).size).toBeLessThan(32_000_000);
});
