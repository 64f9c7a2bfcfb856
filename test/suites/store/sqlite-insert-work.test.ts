/** What an insert of Tombolo's own makes SQLite do: no more than its rows need, and nothing of what inserts of others need. */
import type { Database } from 'bun:sqlite';
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { rmSync } from 'node:fs';
import * as z from 'zod';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { inTime, put } from './harness.ts';
import { inDatabase, makeTempDir } from './sqlite-place.ts';

let dataDir: string;
beforeEach(() => void (dataDir = makeTempDir()));
afterEach(() => rmSync(dataDir, { recursive: true }));

const notes = resource({
  name: 'notes', id: { kind: 'string', format: z.string() },
  schema: z.object({ text: z.string(), tags: z.array(z.string()).optional() }),
  rules: { read: anyone, write: anyone }, shapes: { byTag: { equal: ['tags'], sort: ['text'] } },
});
const opened = () => openSqliteStore({ dataDir, resources: [notes] });

const inFile = <T>(use: (database: Database) => T) => inDatabase(dataDir, use);

interface Step {
  readonly opcode: string;
  readonly p4: string | null;
}

/** The steps of the statement and of each trigger that it may run, by the trigger's name. */
function programsOf(database: Database, sql: string): ReadonlyMap<string, readonly Step[]> {
  const programs = new Map<string, Step[]>();
  let current: Step[] = [];
  for (const step of database.prepare<Step, []>(`EXPLAIN ${sql}`).all()) {
    if (step.opcode === 'Init') programs.set(step.p4?.replace('-- TRIGGER ', '') ?? '', (current = []));
    current.push(step);
  }
  return programs;
}

test('what others may displace is looked for by triggers that an own insert does not make room for', async () => {
  await (await opened()).close();
  const programs = inFile((database) => programsOf(database, `INSERT INTO "notes" ("id", "doc") VALUES ('a', '{}')`));
  const own = programs.get('notes:after own insert') ?? [];
  expect(own.map(({ opcode }) => opcode)).not.toContain('OpenEphemeral');
  for (const name of ['notes:before insert', 'notes:after insert']) {
    const steps = programs.get(name) ?? [];
    expect(steps.filter(({ opcode }) => opcode === 'Program')).toHaveLength(1);
    // It reads `_own`, and writes nothing itself.
    expect(steps.filter(({ opcode }) => /^Open(Read|Write|Ephemeral)$/.test(opcode))).toHaveLength(1);
  }
});

test('tags that stand twice are one row beside the document, whoever writes it, and however', async () => {
  const store = await opened();
  await store.write([put(notes, 'own', { text: 'x', tags: ['a', 'b', 'a'] })], inTime());
  await store.close();
  const found = inFile((database) => {
    for (const how of ['INSERT', 'INSERT OR ABORT', 'INSERT OR REPLACE', 'INSERT OR IGNORE', 'INSERT OR FAIL']) {
      database.prepare(`${how} INTO "notes" ("id", "doc") VALUES (?, '{"text":"x","tags":["a","a","b"]}')`).run(how);
    }
    return database.prepare<{ id: string; tags: string }, []>(
      `SELECT "id", group_concat("e_v") AS "tags" FROM (SELECT * FROM "notes:has.tags+text,id" ORDER BY "e_v") GROUP BY "id"`,
    ).all();
  });
  expect(found.map(({ tags }) => tags)).toEqual(Array.from({ length: 6 }, () => 'a,b'));
});

test('a view of the triggers that others dropped is there again, and what they wrote meanwhile counts as unseen', async () => {
  const first = await opened();
  const { epoch } = await first.head();
  await first.close();
  inFile((database) => database.run('DROP VIEW "notes:foreign inserted"'));
  const again = await opened();
  expect((await again.head()).epoch).not.toBe(epoch);
  await again.close();
  inFile((database) => database.run(`INSERT INTO "notes" ("id", "doc") VALUES ('theirs', '{"text":"x","tags":["a"]}')`));
  const last = await opened();
  const { value } = await last.get(notes, 'theirs', inTime());
  expect(value?.value['text']).toBe('x');
  await last.close();
});
