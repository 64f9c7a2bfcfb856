/** Writes by another process with plain SQL: each is seen by the feed with both images, and every index stays right. */
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { reversed } from '../../../shared/contract/shapes.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import type { Position } from '../../../shared/wire/position.ts';
import type { Store } from '../../../origin/store/store.ts';
import { changesTo, image, read } from './read-changes.ts';
import { type ForeignProcess, foreignPrograms, startForeignProcess } from './foreign-process.ts';
import { inTime, put, remove, textOf } from './harness.ts';
import { readAll } from './list-suite.ts';
import { naiveList } from './naive.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';
import { open as things } from './things.ts';

const table = '"open-things"';

describe.each(foreignPrograms)('another program, %s,', (_how, pragmas) => {
  let place: SqlitePlace;
  let store: Store;
  let program: ForeignProcess;
  let from: Position;
  beforeAll(async () => {
    place = await openSqlitePlace({ resources: [things] });
    store = place.store;
    program = startForeignProcess(place.path, ...pragmas);
  });
  afterAll(async () => {
    await program.stop();
    await place.remove();
  });
  beforeEach(async () => {
    await program.run(`DELETE FROM ${table}`);
    await store.write(
      [put(things, 'a', { size: 1, tags: ['x', 'y'] }), put(things, 'b', { size: 2, tags: ['x'] }), put(things, 'c', { size: 3 })],
      inTime(),
    );
    from = await store.head();
  });
  afterEach(() => expectIndexesRight(store));

  const row = (id: string, document: JsonObject) => `('${id}', '${JSON.stringify(document)}')`;
  const images = async () => {
    await store.write([put(things, 'end', {})], inTime());
    const { position } = await store.write([remove(things, 'end')], inTime());
    const changes = (await changesTo(store, from, position)).map(image).slice(0, -2);
    return changes;
  };
  const a = { id: 'a', size: 1, tags: ['x', 'y'] };
  const b = { id: 'b', size: 2, tags: ['x'] };
  const c = { id: 'c', size: 3 };

  test('inserts', async () => {
    expect(
      await program.run(`INSERT INTO ${table}(id, doc) VALUES ${row('d', { size: 4, tags: ['x'] })}, ${row('e', {})}`),
    ).toBeUndefined();
    expect(await images()).toEqual([['d', null, { id: 'd', size: 4, tags: ['x'] }], ['e', null, { id: 'e' }]]);
    expect(await textOf(store, things, 'd')).toBe('{"id":"d","size":4,"tags":["x"]}');
  });

  test('inserts text in any spelling', async () => {
    expect(
      await program.run(`INSERT INTO ${table}(id, doc) VALUES ('d', '{"text":"\\ud83d\\ude00 \\uffff\\ufffd \\\\ud800"}')`),
    ).toBeUndefined();
    expect(await images()).toEqual([['d', null, { id: 'd', text: '\u{1f600} \uffff\ufffd \\ud800' }]]);
  });

  test('updates documents', async () => {
    expect(
      await program.run(`UPDATE ${table} SET doc = json_set(doc, '$.size', 9, '$.tags', json('["z"]')) WHERE id < 'c'`),
    ).toBeUndefined();
    expect(await images()).toEqual([['a', a, { id: 'a', size: 9, tags: ['z'] }], ['b', b, { id: 'b', size: 9, tags: ['z'] }]]);
  });

  test('updates nothing, or only n, without a change to be seen', async () => {
    expect(
      await program.run(`UPDATE ${table} SET doc = doc; UPDATE ${table} SET n = n + 1000; UPDATE ${table} SET rowid = rowid + 1000`),
    ).toBeUndefined();
    expect(await images()).toEqual([]);
  });

  test('deletes one, and all without a condition', async () => {
    expect(await program.run(`DELETE FROM ${table} WHERE id = 'b'`)).toBeUndefined();
    expect(await program.run(`DELETE FROM ${table}`)).toBeUndefined();
    expect(await images()).toEqual([['b', b, null], ['a', a, null], ['c', c, null]]);
  });

  test('replaces a row by its id', async () => {
    expect(await program.run(`INSERT OR REPLACE INTO ${table}(id, doc) VALUES ${row('a', { size: 7 })}`)).toBeUndefined();
    expect(net(await images())).toEqual([['a', a, { id: 'a', size: 7 }]]);
  });

  test('replaces a row by its n', async () => {
    expect(
      await program.run(`INSERT OR REPLACE INTO ${table}(n, id, doc) SELECT n, 'd', '{"tags":["x"]}' FROM ${table} WHERE id = 'b'`),
    ).toBeUndefined();
    expect(net(await images())).toEqual([['b', b, null], ['d', null, { id: 'd', tags: ['x'] }]]);
    expect(await textOf(store, things, 'b')).toBeUndefined();
  });

  test('replaces two rows at once, by id and by n, and the first comes back', async () => {
    expect(
      await program.run(`INSERT OR REPLACE INTO ${table}(n, id, doc) SELECT n, 'a', '{"tags":["q"]}' FROM ${table} WHERE id = 'b'`),
    ).toBeUndefined();
    expect(await program.run(`INSERT INTO ${table}(id, doc) VALUES ${row('b', { tags: ['x'] })}`)).toBeUndefined();
    expect(net(await images())).toEqual([['a', a, { id: 'a', tags: ['q'] }], ['b', b, { id: 'b', tags: ['x'] }]]);
  });

  test('inserts or ignores, many times over what is there', async () => {
    const rows = [row('a', { size: 8 }), row('d', {}), row('a', { size: 9 }), row('d', { size: 1 })];
    expect(await program.run(`INSERT OR IGNORE INTO ${table}(id, doc) VALUES ${rows.join()}`)).toBeUndefined();
    expect(
      await program.run(`INSERT OR IGNORE INTO ${table}(n, id, doc) SELECT n, 'e', '{}' FROM ${table} WHERE id = 'b'`),
    ).toBeUndefined();
    expect(await images()).toEqual([['d', null, { id: 'd' }]]);
  });

  test('upserts', async () => {
    const rows = [row('a', { size: 5 }), row('d', { size: 6 })];
    const updating = 'ON CONFLICT(id) DO UPDATE SET doc = excluded.doc';
    expect(await program.run(`INSERT INTO ${table}(id, doc) VALUES ${rows.join()} ${updating}`)).toBeUndefined();
    expect(await program.run(`INSERT INTO ${table}(id, doc) VALUES ${row('b', { size: 5 })} ON CONFLICT(id) DO NOTHING`)).toBeUndefined();
    expect(await images()).toEqual([['a', a, { id: 'a', size: 5 }], ['d', null, { id: 'd', size: 6 }]]);
  });

  test('is believed when a row that once was in the way is inserted later', async () => {
    await program.run(`INSERT OR IGNORE INTO ${table}(id, doc) VALUES ${row('a', {})}`);
    await program.run(`UPDATE ${table} SET id = 'moved' WHERE id = 'a'`);
    await program.run(`INSERT INTO ${table}(id, doc) VALUES ${row('a', { size: 4 })}`);
    expect(await images()).toEqual([['a', a, null], ['moved', null, { ...a, id: 'moved' }], ['a', null, { id: 'a', size: 4 }]]);
  });

  test('changes an id: a removal and an insertion', async () => {
    expect(await program.run(`UPDATE ${table} SET id = 'z' WHERE id = 'a'`)).toBeUndefined();
    expect(await images()).toEqual([['a', a, null], ['z', null, { ...a, id: 'z' }]]);
  });

  test('changes an id and displaces the row that has it', async () => {
    expect(await program.run(`UPDATE OR REPLACE ${table} SET id = 'b', doc = '{"size":5}' WHERE id = 'a'`)).toBeUndefined();
    expect(net(await images())).toEqual([['a', a, null], ['b', b, { id: 'b', size: 5 }]]);
  });

  test('changes an n and displaces the row that has it', async () => {
    expect(await program.run(`UPDATE OR REPLACE ${table} SET n = (SELECT n FROM ${table} WHERE id = 'b') WHERE id = 'a'`)).toBeUndefined();
    expect(net(await images())).toEqual([['b', b, null]]);
    expect(await textOf(store, things, 'a')).toBe('{"id":"a","size":1,"tags":["x","y"]}');
  });

  test('rolls back, and nothing is seen', async () => {
    expect(
      await program.run(`BEGIN; DELETE FROM ${table}; INSERT INTO ${table}(id, doc) VALUES ${row('d', {})}; ROLLBACK`),
    ).toBeUndefined();
    expect(await images()).toEqual([]);
  });

  test('is noticed by a waiting reader in a few polls', async () => {
    const reader = read(store, from);
    await reader.next();
    const took: number[] = [];
    for (let size = 10; size < 20; size++) {
      const waiting = reader.nextChanges();
      const started = performance.now();
      await program.run(`UPDATE ${table} SET doc = '{"size":${size}}' WHERE id = 'a'`);
      expect(await waiting).toMatchObject({ changes: [{ id: 'a', after: { size } }] });
      took.push(performance.now() - started);
    }
    // The fastest of ten counts: a busy machine slows the others.
    expect(Math.min(...took)).toBeLessThan(90);
    await reader.stop();
  });

  test('is refused what is no document, and what a document cannot be', async () => {
    const refused = async (doc: string, id = `'x'`) => program.run(`INSERT OR REPLACE INTO ${table}(id, doc) VALUES (${id}, ${doc})`);
    for (const doc of [`'[]'`, `'1'`, `'nonsense'`, `''`, `' {}'`, `'{a:1}'`, `'{"a":1}' || char(0) || 'x'`, `x'7b7d'`, `NULL`]) {
      expect([doc, await refused(doc)]).not.toEqual([doc, undefined]);
    }
    expect(await refused(`'{"id":"y"}'`)).toBe('tombolo: open-things.id: belongs in the column id, not in doc');
    expect(await refused(`'{"\\u0069d":"y"}'`)).toBe('tombolo: open-things.id: belongs in the column id, not in doc');
    for (const doc of ['{"size":1,"size":2}', '{"inner":{"size":1,"s\\u0069ze":2}}', '{"list":[[{"a":{}},{"a":1,"a":1}]]}']) {
      expect([doc, await refused(`'${doc}'`)]).toEqual([doc, 'tombolo: open-things: doc has a field twice']);
    }
    for (const doc of [`'{"more":[{"n":-1e400}]}'`, `json_object('size', 9e999)`, `'{"n":1${'0'.repeat(400)}}'`]) {
      expect([doc, await refused(doc)]).toEqual([doc, 'tombolo: open-things: doc holds a number that is infinite']);
    }
    for (const text of ['"\\ud800"', '"\\uDfff\\ud800"', '"\\ufffd\\ud83d"']) {
      expect(await refused(`'{"text":${text}}'`)).toBe('tombolo: open-things: doc holds text that is not Unicode');
    }
    expect(await refused(`'{"\\uDC00":1}'`)).toBe('tombolo: open-things: doc holds text that is not Unicode');
    expect(await refused(`'{"size":"1"}'`)).toBe('tombolo: open-things.size: must be a number or null');
    expect(await refused(`'{"rev":1.5}'`)).toBe('tombolo: open-things.rev: must be an integer');
    expect(await refused(`'{}'`, `''`)).toBe('tombolo: open-things.id: must be text, not empty');
    expect(await refused(`'{}'`, `x'61'`)).toBe('tombolo: open-things.id: must be text, not empty');
    const alike = '{"list":[1,1,{"a":1},{"a":1}],"0":{"a":{"a":1}}}';
    expect(await refused(`'${alike}'`)).toBeUndefined();
    expect(await program.run(`DELETE FROM ${table} WHERE id = 'x'`)).toBeUndefined();
    const made = { id: 'x', ...(JSON.parse(alike) as JsonObject) };
    expect(await images()).toEqual([['x', null, made], ['x', made, null]]);
    from = await store.head();
    expect(await program.run(`UPDATE ${table} SET doc = '{"open":1}' WHERE id = 'a'`)).toBe('tombolo: open-things.open: must be a boolean');
    expect(await program.run(`INSERT OR IGNORE INTO ${table}(id, doc) VALUES ('x', '{"open":null}')`)).toBe(
      'tombolo: open-things.open: must be a boolean',
    );
    expect(await images()).toEqual([]);
  });
});

/** The changes in sum: under recursive triggers a displaced row is removed and then inserted. */
function net(changes: readonly (readonly unknown[])[]): readonly (readonly unknown[])[] {
  const joined = new Map<unknown, readonly unknown[]>();
  for (const [id, before, after] of changes) joined.set(id, [id, joined.has(id) ? joined.get(id)?.[1] : before, after]);
  return [...joined.values()].sort(([left], [right]) => (String(left) < String(right) ? -1 : 1));
}

/** Expects each shape to list what the documents say: its index and side tables hold nothing more and nothing less. */
async function expectIndexesRight(store: Store): Promise<void> {
  const request = { equal: {}, range: undefined, where: true, after: undefined, limit: 50 } as const;
  const sortOf = (name: string) => things.shapes.find((shape) => shape.name === name)?.sorts ?? [];
  const [byId = []] = sortOf('all');
  const documents = new Map((await readAll(store, things, { ...request, sort: byId })).map(({ document: { id, value } }) => {
    const { id: _, ...rest } = value;
    return [id, rest as JsonObject];
  }));
  for (const tag of ['x', 'y', 'z', 'q']) for (const sort of sortOf('ofTag').flatMap((order) => [order, reversed(order)])) {
    const tagged = { ...request, equal: { tags: [tag] }, sort };
    expect((await readAll(store, things, tagged)).map((found) => found.document.id)).toEqual(
      naiveList(things, documents, tagged).map(({ id }) => id),
    );
    expect((await store.count(things, tagged, 100, inTime())).value).toBe(naiveList(things, documents, tagged).length);
  }
  for (const sort of sortOf('bySize')) expect((await readAll(store, things, { ...request, sort })).length).toBe(documents.size);
}
