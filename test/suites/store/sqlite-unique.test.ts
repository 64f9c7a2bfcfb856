/** Unique keys of a file that other programs write to as well: nobody makes a second one, and nothing is displaced through a key. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { keyOf } from '../../../origin/store/sqlite/install/unique-keys.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { type ForeignProcess, foreignPrograms, startForeignProcess } from './foreign-process.ts';
import { inTime, put, withoutId } from './harness.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';

const members = resource({
  name: 'members', id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone }, shapes: { all: {} },
  schema: z.object({
    email: z.string().optional(), hall: z.string().optional(), seat: z.int().optional(), status: z.string().optional(),
    n: z.int().optional(),
  }),
  removal: { at: 'gone' },
  unique: { byEmail: { fields: ['email'], ignoringCase: true }, bySeat: { fields: ['hall', 'seat'], where: { status: 'sold' } } },
});
const document = (id: string, value: JsonObject) => ({ resource: members, id, document: value });
const seed = [document('a', { email: 'old@x', n: 1 }), document('b', { email: 'Old@x', n: 1 }), document('c', { email: 'own@x' })];

describe.each(foreignPrograms)('another program, %s,', (_how, pragmas) => {
  let place: SqlitePlace;
  let program: ForeignProcess;
  beforeAll(async () => {
    place = await openSqlitePlace({ resources: [members], seed });
    program = startForeignProcess(place.path, ...pragmas);
  });
  afterAll(async () => {
    await program.stop();
    await place.remove();
  });
  const row = (id: string, value: JsonObject) => `('${id}', '${JSON.stringify(value)}')`;
  const insert = (verb: string, id: string, value: JsonObject) => program.run(`${verb} INTO members(id, doc) VALUES ${row(id, value)}`);
  const stored = async (id: string) => withoutId((await place.store.get(members, id, inTime())).value?.value);
  const told = async (id: string, value: JsonObject) => (await place.store.write([put(members, id, value)], inTime())).outcomes[0]?.kind;

  test('that would make a second one is refused, by every way to write', async () => {
    const refused = 'tombolo unique: byEmail';
    for (const verb of ['INSERT', 'INSERT OR REPLACE', 'INSERT OR IGNORE', 'INSERT OR FAIL', 'REPLACE']) {
      expect(await insert(verb, 'x', { email: 'OWN@x' })).toContain(refused);
    }
    for (const verb of ['UPDATE', 'UPDATE OR REPLACE', 'UPDATE OR IGNORE']) {
      expect(await program.run(`${verb} members SET doc = json_set(doc, '$.email', 'own@X') WHERE id = 'a'`)).toContain(refused);
    }
    const upsert = `INSERT INTO members(id, doc) VALUES ${row('a', { email: 'own@x' })} ON CONFLICT(id) DO UPDATE SET doc = excluded.doc`;
    expect(await program.run(upsert)).toContain(refused);
    expect([await stored('a'), await stored('c'), await stored('x')]).toEqual([{ email: 'old@x', n: 1 }, { email: 'own@x' }, {}]);
  });

  test('puts a document of its own key in its own place', async () => {
    expect(await insert('INSERT OR REPLACE', 'c', { email: 'own@x', n: 2 })).toBeUndefined();
    expect(await program.run(`UPDATE members SET doc = json_set(doc, '$.n', 3) WHERE id = 'c'`)).toBeUndefined();
    expect(await stored('c')).toEqual({ email: 'own@x', n: 3 });
  });

  test('may mark what is removed, whose key is free then', async () => {
    expect(await insert('INSERT', 'd', { hall: 'h', seat: 1, status: 'sold' })).toBeUndefined();
    expect(await insert('INSERT', 'e', { hall: 'h', seat: 1, status: 'sold' })).toContain('tombolo unique: bySeat');
    const gone = `json_set(doc, '$.gone', '2020-01-01T00:00:00.000Z')`;
    expect(await program.run(`UPDATE members SET doc = ${gone} WHERE id = 'd'`)).toBeUndefined();
    expect(await insert('INSERT', 'e', { hall: 'h', seat: 1, status: 'sold' })).toBeUndefined();
    expect(await program.run(`UPDATE members SET doc = json_remove(doc, '$.gone') WHERE id = 'd'`)).toContain('tombolo unique: bySeat');
  });

  test('has left doubles, which stay and change in all but their key, and no third one comes', async () => {
    expect([await told('a', { email: 'old@x', n: 5 }), await told('a', { email: 'OLD@x', n: 5 })]).toEqual(['written', 'written']);
    expect(await told('f', { email: 'old@x' })).toBe('refused');
    expect([await told('a', { email: 'new@x' }), await told('a', { email: 'old@x' })]).toEqual(['written', 'refused']);
    expect(await told('b', {})).toBe('written');
    expect(await told('a', { email: 'old@x' })).toBe('written');
  });
});

test('who has a key is found in its index, by whoever looks', async () => {
  const place = await openSqlitePlace({ resources: [members] });
  const database = place.foreign();
  for (const unique of members.unique) {
    const isSame = keyOf(members, unique).map((part) => `${part} = 'x'`).join(' AND ');
    const [step, ...more] = database.query<{ detail: string }, []>(`EXPLAIN QUERY PLAN SELECT id FROM members WHERE ${isSame}`).all();
    expect([step?.detail.replace(/\(.*/, ''), more]).toEqual([`SEARCH members USING INDEX members:unique ${unique.name} `, []]);
  }
  await place.remove();
});
