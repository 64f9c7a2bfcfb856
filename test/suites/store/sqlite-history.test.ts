/** The file as a whole: who may open it, what a crash keeps, and what is said when history is lost. */
import { describe, expect, test } from 'bun:test';
import { cpSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import type { Position } from '../../../shared/wire/position.ts';
import type { Store } from '../../../origin/store/store.ts';
import { storeLimits } from '../../../origin/store/limits.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { eventually } from '../../support/eventually.ts';
import { changesTo, image, read } from './read-changes.ts';
import { inTime, put, reasonOf, textOf } from './harness.ts';
import { makeTempDir, openSqlitePlace } from './sqlite-place.ts';
import { open as things } from './things.ts';

const resources = [things];

describe('one writing process', () => {
  test('a second one is refused in clear words, and let in when the first is gone', async () => {
    const place = await openSqlitePlace({ resources });
    const child = Bun.spawn([process.execPath, join(import.meta.dir, 'writing-program.ts'), place.dataDir], {
      stdout: 'pipe',
      stderr: 'pipe',
    });
    expect(await new Response(child.stderr).text()).toContain('another process already writes to this data directory');
    expect(await child.exited).not.toBe(0);
    await expect(openSqliteStore({ dataDir: place.dataDir, resources })).rejects.toThrow('another process already writes');
    await place.reopen();
    await place.remove();
  });

  test('killed at any moment, it has kept every write that it acknowledged', async () => {
    const dataDir = makeTempDir();
    const acknowledged: string[] = [];
    for (let round = 0; round < 3; round++) {
      const child = Bun.spawn([process.execPath, join(import.meta.dir, 'writing-program.ts'), dataDir, `round${round}`], {
        stdout: 'pipe',
        stderr: 'inherit',
      });
      acknowledged.push(...(await linesUntilKilled(child, 20 + round * 50)));
    }
    const store = await openSqliteStore({ dataDir, resources });
    for (const id of acknowledged) expect(await textOf(store, things, id)).toBe(JSON.stringify({ id, text: id, tags: ['a'] }));
    const [byTag] = things.shapes.filter((shape) => shape.name === 'ofTag');
    const { value } = await store.count(
      things,
      { equal: { tags: ['a'] }, range: undefined, where: true, sort: byTag?.sorts[0] ?? [] },
      1_000_000,
      inTime(),
    );
    expect(value).toBeGreaterThanOrEqual(acknowledged.length);
    await store.close();
    rmSync(dataDir, { recursive: true });
  }, 60_000);
});

describe('history', () => {
  test('is lost for a cursor older than what is kept, and goes on for one that was up to date', async () => {
    let now = Date.now();
    const place = await openSqlitePlace({ resources, clock: () => now });
    const old = await place.store.head();
    for (let index = 0; index < 30; index++) await place.store.write([put(things, 'a', { size: index })], { deadline: now + 1_000 });
    const idle = await place.store.head();
    now += storeLimits.historyMs + 60_000;
    const store = await place.reopen();
    const rows = place.foreign().prepare<{ rows: number }, []>('SELECT count(*) AS rows FROM _log');
    await eventually('old entries are gone', () => rows.get()?.rows === 1);
    const { position } = await store.write([put(things, 'b', {})], { deadline: now + 1_000 });
    expect((await changesTo(store, idle, position)).map(image)).toEqual([['b', null, { id: 'b' }]]);
    expect(await firstOf(store, old)).toEqual({ lost: true, head: position });
    await place.remove();
  });

  test('of a restored copy does not pass for the one that went on', async () => {
    const place = await openSqlitePlace({ resources });
    await place.store.write([put(things, 'a', {})], inTime());
    const kept = await place.store.head();
    await place.store.close();
    const copy = `${place.path}.copy`;
    cpSync(place.path, copy);
    let store = await openSqliteStore({ dataDir: place.dataDir, resources });
    const { position: gone } = await store.write([put(things, 'b', {})], inTime());
    await store.close();
    renameSync(copy, place.path);
    store = await openSqliteStore({ dataDir: place.dataDir, resources });
    const { position } = await store.write([put(things, 'c', {}), put(things, 'd', {})], inTime());
    expect(gone.order.slice(0, 12) < position.order.slice(0, 12)).toBeTrue();
    expect(await firstOf(store, gone)).toEqual({ lost: true, head: position });
    expect((await changesTo(store, kept, position)).map(image)).toHaveLength(2);
    await store.close();
    rmSync(place.dataDir, { recursive: true });
  });

  test('ends when others delete from the log', async () => {
    const place = await openSqlitePlace({ resources });
    const from = await place.store.head();
    await place.store.write([put(things, 'a', {}), put(things, 'b', {}), put(things, 'c', {})], inTime());
    place.foreign().run(`DELETE FROM _log WHERE id = 'b'`);
    expect(await firstOf(place.store, from)).toMatchObject({ lost: true });
    await place.remove();
  });

  test('begins anew when others empty the log or drop it', async () => {
    for (const sql of [
      'DELETE FROM _log',
      `DELETE FROM _log; INSERT INTO "open-things"(id, doc) VALUES ('after', '{}')`,
      'DROP TABLE _log',
    ]) {
      const warnings: string[] = [];
      const place = await openSqlitePlace({ resources, onWarning: (message) => warnings.push(message) });
      await place.store.write([put(things, 'a', {})], inTime());
      const from = await place.store.head();
      const reader = read(place.store, from);
      await reader.next();
      place.foreign().run(sql);
      let batch = await reader.next();
      while (batch !== undefined && !('lost' in batch)) batch = await reader.next();
      await eventually('a new epoch', async () => (await place.store.head()).epoch !== from.epoch);
      const { position } = await place.store.write([put(things, 'b', {})], inTime());
      expect([position.epoch !== from.epoch, warnings]).toEqual([true, ['others changed the schema or the log; it was put back']]);
      await place.remove();
    }
  });

  test('ends when others break the triggers, which are put back', async () => {
    const warnings: string[] = [];
    const place = await openSqlitePlace({ resources, onWarning: (message) => warnings.push(message) });
    await place.store.write([put(things, 'a', { tags: ['x'] })], inTime());
    const reader = read(place.store, await place.store.head());
    await reader.next();
    const program = place.foreign();
    program.run(`DROP TRIGGER "open-things:after insert"; INSERT INTO "open-things"(id, doc) VALUES ('unseen', '{"tags":["x"]}')`);
    let batch = await reader.next();
    while (batch !== undefined && !('lost' in batch)) batch = await reader.next();
    expect(batch).toMatchObject({ lost: true });
    expect(warnings).toEqual(['others changed the schema or the log; it was put back']);
    const from = await place.store.head();
    program.run(`INSERT INTO "open-things"(id, doc) VALUES ('seen', '{"tags":["x"]}')`);
    const { position } = await place.store.write([put(things, 'own', {})], inTime());
    expect((await changesTo(place.store, from, position)).map((change) => image(change)[0])).toEqual(['seen', 'own']);
    const ofTag = things.shapes.find((shape) => shape.name === 'ofTag')?.sorts[0] ?? [];
    const { value } = await place.store.list(
      things,
      { equal: { tags: ['x'] }, range: undefined, sort: ofTag, where: true, after: undefined, limit: 9 },
      inTime(),
    );
    expect(value.map(({ document }) => document.id)).toEqual(['a', 'seen', 'unseen']);
    await place.remove();
  });

  test('ends when others drop the table, and the resource goes on empty', async () => {
    const place = await openSqlitePlace({ resources });
    await place.store.write([put(things, 'a', { tags: ['x'] })], inTime());
    const from = await place.store.head();
    place.foreign().run('DROP TABLE "open-things"');
    await eventually('a new epoch', async () => (await place.store.head()).epoch !== from.epoch);
    expect(await textOf(place.store, things, 'a')).toBeUndefined();
    await place.store.write([put(things, 'a', {})], inTime());
    expect(await textOf(place.store, things, 'a')).toBe('{"id":"a"}');
    expect(await firstOf(place.store, from)).toMatchObject({ lost: true });
    await place.remove();
  });

  test('has a hole that is warned of where others made a key of their own', async () => {
    const warnings: unknown[] = [];
    const place = await openSqlitePlace({ resources, onWarning: (message, { indexes }) => warnings.push([message, indexes]) });
    place.foreign().run(`CREATE UNIQUE INDEX "by text" ON "open-things"(json_extract(doc, '$.text'))`);
    await eventually('a warning', () => warnings.length > 0);
    await place.reopen();
    const warning = ['others made unique indexes; rows that INSERT OR REPLACE displaces through them go unseen', ['open-things.by text']];
    expect(warnings).toEqual([warning, warning]);
    const { outcomes } = await place.store.write([put(things, 'a', { text: 'same' }), put(things, 'b', { text: 'same' })], inTime());
    expect(outcomes.map((outcome) => (outcome.kind === 'refused' ? outcome.fault.reason : outcome.kind))).toEqual([
      'written',
      'document_conflict',
    ]);
    await place.remove();
  });

  test('goes on when others only add statistics or indexes of their own', async () => {
    const warnings: string[] = [];
    const place = await openSqlitePlace({ resources, onWarning: (message) => warnings.push(message) });
    await place.store.write([put(things, 'a', {})], inTime());
    const head = await place.store.head();
    const reader = read(place.store, head);
    place.foreign().run(`ANALYZE; CREATE INDEX theirs ON "open-things"(json_extract(doc, '$.text')); CREATE TABLE "a:b"(x)`);
    place.foreign().run(`INSERT INTO "open-things"(id, doc) VALUES ('b', '{}')`);
    await reader.nextChanges();
    await reader.stop();
    await place.reopen();
    expect([(await place.store.head()).epoch, warnings]).toEqual([head.epoch, []]);
    expect(place.foreign().prepare(`SELECT name FROM sqlite_master WHERE name IN ('theirs', 'a:b') ORDER BY name`).values()).toEqual([
      ['a:b'],
      ['theirs'],
    ]);
    await place.remove();
  });
});

describe('the file', () => {
  test('replaced under the store is reported as fatal', async () => {
    const { promise, resolve } = Promise.withResolvers<Error>();
    const place = await openSqlitePlace({ resources, onFatal: resolve });
    cpSync(place.path, `${place.path}.new`);
    renameSync(`${place.path}.new`, place.path);
    expect((await promise).message).toBe('the database file was replaced');
    await place.remove();
  });

  test('locked by another program makes writes wait, and those past their deadline busy', async () => {
    const place = await openSqlitePlace({ resources });
    const program = place.foreign();
    program.run('BEGIN IMMEDIATE');
    const patient = place.store.write([put(things, 'patient', {})], inTime());
    expect(await reasonOf(place.store.write([put(things, 'hasty', {})], inTime(500)))).toBe('store_busy');
    expect((await place.store.get(things, 'patient', inTime())).value).toBeUndefined();
    program.run('COMMIT');
    expect((await patient).outcomes).toMatchObject([{ kind: 'written' }]);
    expect(await textOf(place.store, things, 'hasty')).toBeUndefined();
    await place.remove();
  });

  test('held by another program blocks the event loop only for moments', async () => {
    const place = await openSqlitePlace({ resources });
    const program = place.foreign();
    program.run('BEGIN IMMEDIATE');
    const waiting = place.store.write([put(things, 'a', {})], inTime());
    let longest = 0;
    for (let round = 0, at = performance.now(); round < 100; round++) {
      await Bun.sleep(1);
      longest = Math.max(longest, performance.now() - at);
      at = performance.now();
    }
    program.run('COMMIT');
    await waiting;
    // A `busy_timeout` of seconds, the usual one, holds it for as long.
    expect(longest).toBeLessThan(1_000);
    await place.remove();
  });
});

test('more writes than the queue holds are refused at once', async () => {
  const place = await openSqlitePlace({ resources });
  await place.store.write([], inTime());
  const calls = await Promise.allSettled(Array.from({ length: storeLimits.writesQueuedMax + 5 }, () => place.store.write([], inTime())));
  const refused = calls.filter((call) => call.status === 'rejected').map((call): unknown => call.reason);
  expect(refused.map((reason) => String(reason))).toEqual(
    Array.from({ length: 5 }, () => 'Fault: overloaded: too many writes are waiting'),
  );
  await place.remove();
});

/** Whole lines that a process wrote; it is killed once there are enough, and goes on writing until that strikes. */
async function linesUntilKilled(child: Bun.Subprocess<'ignore', 'pipe', 'inherit'>, enough: number): Promise<readonly string[]> {
  const decoder = new TextDecoder();
  let text = '';
  for await (const chunk of child.stdout) {
    text += decoder.decode(chunk, { stream: true });
    if (text.split('\n').length > enough) child.kill('SIGKILL');
  }
  const lines = text.slice(0, text.lastIndexOf('\n')).split('\n');
  expect(lines.length).toBeGreaterThanOrEqual(enough);
  return lines;
}

async function firstOf(store: Store, from: Position) {
  const reader = read(store, from);
  const first = await reader.next();
  await reader.stop();
  return first;
}
