/** Lists take documents from memory, and are those of the file whoever wrote them, and in whatever way. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { storeLimits } from '../../../origin/store/limits.ts';
import type { StoredDocument } from '../../../origin/store/stored-document.ts';
import { Random } from '../../support/random.ts';
import { inTime, put, remove } from './harness.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';
import { effects, open as things } from './things.ts';

let place: SqlitePlace;
let foreign: ReturnType<SqlitePlace['foreign']>;
beforeEach(async () => {
  place = await openSqlitePlace({ resources: [things, effects] });
  foreign = place.foreign();
});
afterEach(() => place.remove());

async function documents(descending = false, limit = 500): Promise<readonly StoredDocument[]> {
  const request = { equal: {}, range: undefined, sort: [{ field: 'id', descending }], where: true, after: undefined, limit } as const;
  return (await place.store.list(things, request, inTime())).value.map(({ document }) => document);
}

async function listed(): Promise<readonly string[]> {
  return (await documents()).map(({ text }) => text);
}

const table = `"open-things"`;

/** By another connection. */
function inFile(): readonly string[] {
  const rows = foreign.prepare<{ id: string; doc: string }, []>(`SELECT id, doc FROM ${table} ORDER BY id`).all();
  return rows.map(({ id, doc }) => JSON.stringify({ id, ...(JSON.parse(doc) as object) }));
}

async function expectOfFile(): Promise<void> {
  await nextTurn();
  expect(await listed()).toEqual(inFile());
}

const seed = Math.floor(Math.random() * 2 ** 32);
test(`at random, seed ${seed}`, async () => {
  const random = new Random(seed);
  const anyId = () => `i${random.below(12)}`;
  const doc = () => JSON.stringify({ size: random.below(1_000_000) });
  const some = (count: number) => {
    const set = `UPDATE ${table} SET doc = json_set(doc, '$.size', abs(random()) % 1000)`;
    foreign.prepare(`${set} WHERE id IN (SELECT id FROM ${table} LIMIT ?)`).run(count);
  };
  const writes: readonly (() => unknown)[] = [
    () => place.store.write([put(things, anyId(), { size: random.below(1_000_000) })], inTime()),
    () => place.store.write([put(things, anyId(), { size: random.below(1_000_000) })], inTime()),
    () => place.store.write([remove(things, anyId())], inTime()),
    () => foreign.prepare(`INSERT OR REPLACE INTO ${table} (id, doc) VALUES (?, ?)`).run(anyId(), doc()),
    () => foreign.prepare(`INSERT OR REPLACE INTO ${table} (n, id, doc) VALUES (?, ?, ?)`).run(random.below(12), anyId(), doc()),
    () => foreign.prepare(`UPDATE OR REPLACE ${table} SET id = ? WHERE id = ?`).run(anyId(), anyId()),
    () => foreign.prepare(`DELETE FROM ${table} WHERE id = ?`).run(anyId()),
    () => some(3),
    () => foreign.transaction(() => Array.from({ length: 10 }, () => some(12)))(),
    () => place.store.write([put(effects, anyId(), { size: 1 })], inTime()),
  ];
  for (let round = 0; round < 120; round++) {
    for (let times = 1 + random.below(3); times > 0; times--) await random.pick(writes)?.();
    await expectOfFile();
    if (random.chance(0.5)) await expectOfFile();
  }
}, 60_000);

test('are of one state, though others commit between the list and what is read in the same turn', async () => {
  await place.store.write([put(things, 'a', { size: 1 }), put(things, 'b', { size: 1 })], inTime());
  await expectOfFile();
  const update = foreign.prepare(`UPDATE ${table} SET doc = '{"size":2}'`);
  await nextTurn();
  const before = await listed();
  update.run();
  expect([before, await listed()]).toEqual([inFileAt(1), inFileAt(1)]);
  await nextTurn();
  expect(await listed()).toEqual(inFileAt(2));
});

function inFileAt(size: number): readonly string[] {
  return ['a', 'b'].map((id) => JSON.stringify({ id, size }));
}

test('are of the file also while and after others break the triggers that tell of their writes', async () => {
  await place.store.write([put(things, 'a', { size: 0 })], inTime());
  await expectOfFile();
  const named = `SELECT name FROM sqlite_master WHERE type = 'trigger' AND tbl_name = 'open-things'`;
  const triggers = foreign.prepare<{ name: string }, []>(named);
  for (let round = 1; round <= 5; round++) {
    for (const { name } of triggers.all()) foreign.run(`DROP TRIGGER "${name}"`);
    for (let size = round * 10; size < round * 10 + 4; size++) {
      foreign.prepare(`UPDATE ${table} SET doc = json_object('size', ?)`).run(size);
      await expectOfFile();
    }
    await Bun.sleep(60);
    foreign.prepare(`UPDATE ${table} SET doc = json_object('size', ?)`).run(round * 10 + 9);
    await expectOfFile();
  }
}, 30_000);

test('are of the file also where others cut the log', async () => {
  for (let size = 0; size < 5; size++) {
    await place.store.write([put(things, 'a', { size })], inTime());
    await expectOfFile();
    foreign.transaction(() => {
      foreign.run(`UPDATE ${table} SET doc = '{"size":99}'`);
      foreign.run('DELETE FROM "_log" WHERE seq = (SELECT max(seq) FROM "_log")');
      foreign.run(`UPDATE ${table} SET doc = '{"size":100}'`);
      foreign.run('DELETE FROM "_log" WHERE seq > (SELECT max(seq) - 2 FROM "_log")');
    })();
    await expectOfFile();
  }
});

test('are taken from memory, which has a bound', async () => {
  const text = 'x'.repeat(100_000);
  const ids = Array.from({ length: 200 }, (_, index) => `m${String(index).padStart(3, '0')}`);
  expect(ids.length * text.length * 2).toBeGreaterThan(storeLimits.keptDocumentsCharactersMax);
  await place.store.write(ids.map((id) => put(things, id, { text })), inTime());
  await expectOfFile();
  const [last] = await documents(true, 1);
  if (last === undefined) throw new Error('a page of one document has one');
  expect((await documents(true, 1))[0]).toBe(last);
  // Read again, the oldest are those that went.
  await listed();
  expect((await documents(true, 1))[0]).not.toBe(last);
}, 30_000);
