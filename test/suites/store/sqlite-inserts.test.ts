/** New documents that one statement writes together: nobody can tell from what comes of it. */
import { afterAll, afterEach, beforeEach, expect, spyOn, test } from 'bun:test';
import * as z from 'zod';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { StoreDatabase } from '../../../origin/store/sqlite/connection/database.ts';
import type { Mutation } from '../../../origin/store/store.ts';
import { decide, inTime, put, textOf } from './harness.ts';
import { openSqlitePlace, type SqlitePlace } from './sqlite-place.ts';

const seats = resource({
  name: 'seats',
  id: { kind: 'string', format: z.string() },
  schema: z.object({ place: z.string() }),
  rules: { read: anyone, write: anyone },
  shapes: { all: {} },
  unique: { place: { fields: ['place'] } },
});
const many = 60;
const ids = Array.from({ length: many }, (_, index) => `s${String(index).padStart(2, '0')}`);
const prepared = spyOn(StoreDatabase.prototype, 'prepare');

let place: SqlitePlace;
beforeEach(async () => {
  prepared.mockClear();
  place = await openSqlitePlace({ resources: [seats] });
});
afterEach(() => place.remove());
afterAll(() => prepared.mockRestore());

const write = async (mutations: readonly Mutation[]) =>
  (await place.store.write(mutations, inTime())).outcomes.map((outcome) => outcome.kind);
const rows = (sql: string) => place.foreign().query<{ id: string }, []>(sql).all().map(({ id }) => id);
const stored = () => rows('SELECT id FROM seats ORDER BY id');

test('many are written by one statement, and logged in their order', async () => {
  expect(await write(ids.map((id) => put(seats, id, { place: id })))).toEqual(ids.map(() => 'written'));
  expect(prepared.mock.calls.filter(([sql]) => sql.startsWith('insert into "seats"') && sql.includes('), ('))).toHaveLength(1);
  expect(stored()).toEqual(ids);
  expect(rows(`SELECT id FROM _log WHERE kind = 'insert' ORDER BY seq`)).toEqual(ids);
});

test('each that is refused is refused by itself, wherever it stands', async () => {
  for (const bad of [0, 1, 24, 25, 49, 59]) {
    await write([put(seats, 'taken', { place: 'taken' })]);
    const asked = ids.map((id, index) => put(seats, `${bad} ${id}`, { place: index === bad ? 'taken' : `${bad} ${id}` }));
    expect(await write(asked)).toEqual(ids.map((_, index) => (index === bad ? 'refused' : 'written')));
    expect(stored().filter((id) => id.startsWith(`${bad} `))).toEqual(ids.flatMap((id, index) => (index === bad ? [] : [`${bad} ${id}`])));
  }
});

test('one refused leaves none of an atomic write', async () => {
  const asked = ids.map((id, index) => put(seats, id, { place: index === 30 ? ids[3] ?? '' : id }));
  const { outcomes } = await place.store.write(asked, { ...inTime(), atomic: true });
  expect(outcomes.map(({ kind }) => kind)).toEqual(ids.map((_, index) => (index === 30 ? 'refused' : 'undone')));
  expect(stored()).toEqual([]);
});

test('whoever comes after them sees them: the same document, and a look at another', async () => {
  const seen: (string | undefined)[] = [];
  const kinds = await write([
    put(seats, 'a', { place: 'front' }),
    put(seats, 'b', { place: 'middle' }),
    decide(seats, 'a', (before) => {
      seen.push(before?.text);
      return { kind: 'put', document: { place: 'back' } };
    }),
    put(seats, 'c', { place: 'front' }),
    decide(seats, 'd', (_before, reach) => {
      seen.push(reach.named(seats, 'c', { stays: false })?.text);
      return { kind: 'put', document: { place: 'side' } };
    }),
  ]);
  expect(kinds).toEqual(['written', 'written', 'written', 'written', 'written']);
  expect(seen).toEqual(['{"id":"a","place":"front"}', '{"id":"c","place":"front"}']);
  expect(await textOf(place.store, seats, 'a')).toBe('{"id":"a","place":"back"}');
});

test('a trigger of others that leaves what was done refuses its own row alone', async () => {
  place.foreign().run(`CREATE TRIGGER others AFTER INSERT ON seats WHEN NEW.id = 's07' BEGIN SELECT RAISE(FAIL, 'not this one'); END`);
  expect(await write(ids.map((id) => put(seats, id, { place: id })))).toEqual(ids.map((id) => (id === 's07' ? 'refused' : 'written')));
  expect(stored().filter((id) => id !== 's07')).toEqual(ids.filter((id) => id !== 's07'));
});
