/** What stands inside others in SQLite's file, whoever writes it there, and whatever was declared before. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import type { Database } from 'bun:sqlite';
import fc from 'fast-check';
import * as z from 'zod';
import { type Resource, resource, type ResourceDeclaration } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { openSqliteStore } from '../../../origin/store/sqlite/sqlite-store.ts';
import { requestArbitrary, validArbitrary } from './arbitraries.ts';
import { inTime, put } from './harness.ts';
import { readAll } from './list-suite.ts';
import { naiveList } from './naive.ts';
import { soakFactor } from './soak.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';
import { nested } from './things.ts';

let place: SqlitePlace;
let program: Database;
beforeEach(async () => {
  place = await openSqlitePlace({ resources: [nested] });
  program = place.foreign();
});
afterEach(() => place.remove());

const grades = [{ grade: 'b' }, { grade: ['a', 'a'] }];
const update = `UPDATE "nested-things" SET doc = json_set(doc, '$.grades', json(?)) WHERE id = ?`;
const insert = 'INSERT OR REPLACE INTO "nested-things"(id, doc) VALUES (?, ?)';

test('is listed as other programs leave it', async () => {
  const expected = new Map<string, JsonObject>();
  const id = fc.constantFrom(...'abcdef');
  await fc.assert(
    fc.asyncProperty(id, validArbitrary(nested), id, requestArbitrary(nested), async (at, document, other, request) => {
      program.prepare(insert).run(at, JSON.stringify(document));
      expected.set(at, document);
      program.prepare(update).run(JSON.stringify(grades), other);
      const there = expected.get(other);
      if (there !== undefined) expected.set(other, { ...there, grades });
      // What others commit is seen from the next turn on.
      await place.store.write([], inTime());
      const rows = await readAll(place.store, nested, request);
      expect(rows.map((row) => row.document.id)).toEqual(naiveList(nested, expected, { ...request, limit: 100 }).map((row) => row.id));
    }),
    { numRuns: 100 * soakFactor },
  );
}, 30_000 * soakFactor);

test.each([
  ['{"imdb":{"rating":"x"}}', 'imdb.rating: must be a number or null'],
  ['{"imdb":{"by":[]}}', 'imdb.by: must be an object'],
  ['{"imdb":[{"rating":1}]}', 'imdb: must be an object'],
])('is refused of other programs where it is of another type: %s', (doc, refusal) => {
  expect(() => program.prepare(insert).run('a', doc)).toThrow(`tombolo: nested-things.${refusal}`);
});

const derivedNames = `SELECT name FROM pragma_table_xinfo('notes') WHERE hidden = 2
  UNION SELECT name FROM sqlite_master WHERE name GLOB 'notes:has*' AND type = 'table'`;

test('has its columns and side tables as long as they are declared', async () => {
  const declared = (shapes: ResourceDeclaration['shapes']) =>
    resource({
      name: 'notes', id: { kind: 'string', format: z.string() },
      schema: z.object({ a: z.object({ b: z.int(), c: z.string() }), list: z.array(z.object({ b: z.string() })) }),
      rules: { read: anyone, write: anyone }, shapes,
    });
  const found = async (notes: Resource) => {
    const store = await openSqliteStore({ dataDir: place.dataDir, resources: [notes] });
    try {
      const documents = { x: { a: { b: 2, c: 'x' }, list: [{ b: 'l' }] }, y: { a: { b: 1, c: 'y' }, list: [] } };
      await store.write(Object.entries(documents).map(([id, document]) => put(notes, id, document)), inTime());
      const lists = notes.shapes.map(async ({ equal: [field], sorts: [sort = []] }) => {
        const equal = field === undefined ? {} : { [field]: ['l'] };
        const { value } = await store.list(notes, { equal, range: undefined, sort, where: true, after: undefined, limit: 9 }, inTime());
        return value.map(({ document }) => document.id).join('');
      });
      return [await Promise.all(lists), program.prepare<{ name: string }, []>(derivedNames).all().map(({ name }) => name)];
    } finally {
      await store.close();
    }
  };
  await place.store.close();
  expect(await found(declared({ byB: { sort: ['a.b'] } }))).toEqual([['yx'], ['r_a.b', 'v_a.b']]);
  expect(await found(declared({ byC: { sort: ['a.c'] }, of: { equal: ['list.b'] } }))).toEqual([
    ['xy', 'x'], ['notes:has.list.b+id', 'r_a.c', 'v_a.c'],
  ]);
  expect(await found(declared({ all: {} }))).toEqual([['xy'], []]);
});
