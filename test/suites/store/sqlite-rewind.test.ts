/** A backup put back as of a moment before it: what was there then, whoever wrote, and no transaction in part. */
import { Database } from 'bun:sqlite';
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { cpSync, mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { putBack } from '../../../origin/store/sqlite/backup/put-back.ts';
import { takeBackup } from '../../../origin/store/sqlite/backup/take.ts';
import { databaseName } from '../../../origin/store/sqlite/connection/database.ts';
import { quote } from '../../../origin/store/sqlite/install/ddl.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { fillDefaults } from '../../../origin/store/sqlite/write/fill-defaults.ts';
import { FilledNotes } from '../../../origin/store/sqlite/write/filled-notes.ts';
import { peopleFileName } from '../../../origin/people/file.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { Random } from '../../support/random.ts';
import { decide, inTime, put, remove, textOf } from './harness.ts';
import { inDatabase, openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';
import { everyThing, open as things, timeless } from './things.ts';

const numbered = everyThing.filter(({ idKind }) => idKind === 'integer');
const all = [things, timeless, ...numbered];
const tables = new Map(all.map(({ name, collection }) => [name, collection]));

let place: SqlitePlace;
let into: string;
beforeEach(async () => {
  place = await openSqlitePlace({ resources: all });
  into = join(place.dataDir, 'backups');
});
afterEach(() => place.remove());

const take = () => takeBackup({ dataDir: place.dataDir, into, now: new Date() });

let places = 0;
/** Where the backup is put back as of that moment. */
async function restoredTo(from: string, to: number) {
  const dataDir = join(place.dataDir, `as-of-${places++}`);
  mkdirSync(dataDir);
  const told = await putBack({ dataDir, from, now: new Date(), needsNoManifest: false, at: { to: new Date(to), tables } });
  return { dataDir, told };
}

/** A moment, after which nothing is written in the same millisecond. */
async function moment(): Promise<number> {
  const now = Date.now();
  while (Date.now() === now) await Bun.sleep(1);
  return now;
}

/** All documents and what is derived of them: not where their rows lie. */
function held(dataDir: string): Record<string, readonly string[]> {
  using file = new Database(join(dataDir, databaseName), { readonly: true });
  const found = file.query<{ name: string }, []>(
    `SELECT name FROM sqlite_master WHERE type = 'table' AND name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY name`,
  ).all();
  return Object.fromEntries(found.map(({ name }) => {
    const rows = file.query<Record<string, unknown>, []>(`SELECT * FROM ${quote(name)}`).all();
    return [name, rows.map(({ n: _n, ...row }) => JSON.stringify(row)).toSorted()];
  }));
}

const randomDocument = (random: Random): JsonObject => ({
  text: `t${random.below(9)}`, tags: Array.from({ length: random.below(4) }, () => `tag${random.below(5)}`), size: random.below(100),
});

async function writeSome(random: Random, foreign: Database): Promise<void> {
  const of = random.pick(all) ?? things;
  const id = () => `${1 + random.below(12)}`;
  const doc = JSON.stringify(randomDocument(random));
  const table = quote(of.collection);
  switch (random.below(6)) {
    case 0: return void foreign.run(`INSERT OR REPLACE INTO ${table} (id, doc) VALUES (?, ?)`, [id(), doc]);
    case 1: return void foreign.run(`UPDATE OR IGNORE ${table} SET id = ?, doc = ? WHERE id = ?`, [id(), doc, id()]);
    case 2: return void foreign.run(`DELETE FROM ${table} WHERE id = ?`, [id()]);
    case 3: return void await place.store.write([remove(of, id())], inTime());
    default: {
      const ids = new Set(Array.from({ length: 1 + random.below(4) }, id));
      return void await place.store.write([...ids].map((each) => put(of, each, randomDocument(random))), inTime());
    }
  }
}

describe('a restore as of a moment', () => {
  test('has every document, and what is derived of it, as it was then', async () => {
    const seed = Math.floor(Math.random() * 2 ** 32);
    const random = new Random(seed);
    const foreign = place.foreign();
    const moments: { readonly at: number; readonly was: ReturnType<typeof held> }[] = [];
    for (let n = 0; n < 8; n++) {
      for (let writes = random.below(12); writes > 0; writes--) await writeSome(random, foreign);
      moments.push({ was: held(place.dataDir), at: await moment() });
    }
    for (let n = 0; n < 10; n++) await writeSome(random, foreign);
    const { path } = await take();
    for (const { at, was } of moments) {
      const { dataDir, told } = await restoredTo(path, at);
      expect({ seed, held: held(dataDir) }).toEqual({ seed, held: was });
      expect(told.documents).toMatchObject(Object.fromEntries(all.map(({ collection }) => [collection, was[collection]?.length ?? 0])));
    }
  }, 60_000);

  test('has all of a transaction or nothing, in a history that goes on from there', async () => {
    const moments = [await moment()];
    while (moments.length < 7) {
      const text = `${moments.length}`;
      await place.store.write(['a', 'b', 'c'].map((id) => put(things, id, { text })), { ...inTime(), atomic: true });
      moments.push(await moment());
    }
    const { path } = await take();
    const found = new Set<string>();
    for (const at of moments) {
      const { dataDir } = await restoredTo(path, at);
      const texts = (held(dataDir)[things.collection] ?? []).map((row) => /"text\W+(\d+)/.exec(row)?.[1]);
      expect([0, 3]).toContain(texts.length);
      expect(new Set(texts).size).toBeLessThan(2);
      found.add(texts.join());
      await using store = asyncClosing(await openSqliteStore({ dataDir, resources: all }));
      const { position } = await store.value.write([put(things, 'd', { text: 'later' })], inTime());
      expect(position.epoch).not.toBe((await place.store.head()).epoch);
      expect(await textOf(store.value, things, 'd')).toContain('later');
    }
    expect(found.size).toBe(moments.length);
  }, 60_000);

  test('answers no request of after it from its record', async () => {
    const once = (key: string) => ({ ...inTime(), once: { key, fingerprint: 'f', answer: () => `answer ${key}` } });
    await place.store.write([put(things, 'a', {})], once('before'));
    const at = await moment();
    await place.store.write([put(things, 'b', {})], once('after'));
    const { dataDir, told } = await restoredTo((await take()).path, at);
    expect(told.undone).toBe(1);
    await using store = asyncClosing(await openSqliteStore({ dataDir, resources: all }));
    expect((await store.value.write([put(things, 'a', {})], once('before'))).replayed).toBe('answer before');
    expect((await store.value.write([put(things, 'b', {})], once('after'))).replayed).toBeUndefined();
  });

  test('of a write that stays has the record of its request, however long that write took', async () => {
    await place.store.write([put(things, 'a', {})], inTime());
    const once = { key: 'paid', fingerprint: 'f', answer: () => 'answer' };
    const paying = decide(things, 'paid', () => {
      const until = Date.now() + 20;
      while (Date.now() < until);
      return { kind: 'put', document: {} };
    });
    await place.store.write([paying], { ...inTime(), once });
    const wroteAt = inDatabase(place.dataDir, (file) => file.query<{ at: number }, []>(`SELECT at FROM _log WHERE id = 'paid'`).get()?.at);
    const { dataDir, told } = await restoredTo((await take()).path, wroteAt ?? 0);
    expect(told.undone).toBe(0);
    await using store = asyncClosing(await openSqliteStore({ dataDir, resources: all }));
    expect((await store.value.write([put(things, 'paid', {})], { ...inTime(), once })).replayed).toBe('answer');
  });

  test('in the middle of defaults that are filled in notes those that stay', async () => {
    const filling = resource({
      name: things.name, id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone }, shapes: {},
      schema: z.object({ text: z.string(), open: z.boolean().default(true) }),
    });
    const document = { text: 'x'.repeat(500_000) };
    for (let n = 0; n < 8; n++) await place.store.write([put(things, `${n}`, document)], inTime());
    inDatabase(place.dataDir, (file) => fillDefaults(file, filling));
    const filledAt = inDatabase(place.dataDir, (file) =>
      file.query<{ at: number }, []>('SELECT at FROM _log ORDER BY seq DESC LIMIT 8').all().map(({ at }) => at));
    const first = Math.min(...filledAt);
    const { dataDir, told } = await restoredTo((await take()).path, first);
    const staying = filledAt.filter((at) => at === first).length;
    expect([told.undone, staying < 8]).toEqual([8 - staying, true]);
    const undone = inDatabase(dataDir, (file) => new FilledNotes(file).undo(things.collection));
    expect(undone).toMatchObject([{ path: 'open', documents: staying }]);
  });

  test('is refused where the log does not lead there, and nothing has changed', async () => {
    const before = await moment() - 60_000;
    await place.store.write([put(things, 'a', { text: 'one' })], inTime());
    const at = await moment();
    await place.store.write([put(things, 'a', { text: 'two' })], inTime());
    const { path } = await take();
    const refusal = async (from: string, to: number) => {
      try {
        await restoredTo(from, to);
        return 'it was done';
      } catch (cause) {
        return String(cause);
      }
    };
    expect(await refusal(path, before)).toContain('leads no further back than its change log');
    expect(await refusal(path, Date.now() + 60_000)).toContain('is of ');
    const spoilt = async (sql: string) => {
      const dataDir = join(place.dataDir, `spoilt-${places++}`);
      cpSync(path, join(dataDir, databaseName));
      using file = new Database(join(dataDir, databaseName));
      file.run(sql);
      return (await takeBackup({ dataDir, into: join(dataDir, 'backups'), now: new Date() })).path;
    };
    expect(await refusal(await spoilt(`UPDATE _log SET resource = 'gone'`), at)).toContain('gone');
    expect(await refusal(await spoilt(`UPDATE _log SET "after" = '{}'`), at)).toContain('another');
    const spoiltLast = (kind: string) => spoilt(`UPDATE _log SET kind = '${kind}' WHERE seq = (SELECT max(seq) FROM _log)`);
    expect(await refusal(await spoiltLast('start'), at)).toContain('begins anew');
    expect(await refusal(await spoiltLast('resource'), at)).toContain('what became');
  });

  test('ends accounts that were deleted between it and the backup, whose documents are back', async () => {
    const at = await moment();
    using people = new Database(join(place.dataDir, peopleFileName), { create: true });
    people.run('CREATE TABLE user (id TEXT PRIMARY KEY, name TEXT NOT NULL, email TEXT NOT NULL UNIQUE, emailVerified INTEGER NOT NULL, ' +
      'createdAt TEXT NOT NULL, updatedAt TEXT NOT NULL)');
    people.run('CREATE TABLE departed (id TEXT PRIMARY KEY, subject TEXT NOT NULL UNIQUE, expiresAt DATE NOT NULL)');
    const forgotten = (ms: number) => new Date(ms + 400 * 86_400_000).toISOString();
    for (const [subject, ms] of [['long ago', at - 1_000], ['since', at + 1]] as const) {
      people.run('INSERT INTO departed VALUES (?, ?, ?)', [`of ${subject}`, subject, forgotten(ms)]);
    }
    const { path } = await take();
    const { dataDir, told } = await restoredTo(path, at);
    expect(told).toMatchObject({ departing: 1 });
    using restored = new Database(join(dataDir, peopleFileName), { readonly: true });
    expect(restored.query('SELECT id FROM user').all()).toEqual([{ id: 'since' }]);
    rmSync(dataDir, { recursive: true });
  });
});

function asyncClosing<T extends { close(): Promise<void> }>(value: T) {
  return { value, [Symbol.asyncDispose]: () => value.close() };
}
