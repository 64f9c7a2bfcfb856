/** New documents that one statement writes together, of one call and of several: nobody can tell from what comes of it. */
import { afterAll, afterEach, beforeEach, expect, spyOn, test } from 'bun:test';
import * as z from 'zod';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { StoreDatabase } from '../../../origin/store/sqlite/connection/database.ts';
import type { FollowUp, Mutation, Outcome } from '../../../origin/store/store.ts';
import { Fault } from '../../../shared/wire/fault.ts';
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
const notices = resource({
  name: 'notices', internal: true, id: { kind: 'string', format: z.string() }, rev: false, createdAt: false, updatedAt: false,
  schema: z.object({ for: z.string() }), shapes: {},
});
const many = 60;
const ids = Array.from({ length: many }, (_, index) => `s${String(index).padStart(2, '0')}`);
const prepared = spyOn(StoreDatabase.prototype, 'prepare');

let place: SqlitePlace;
beforeEach(async () => {
  prepared.mockClear();
  place = await openSqlitePlace({ resources: [seats, notices] });
});
afterEach(() => place.remove());
afterAll(() => prepared.mockRestore());

const write = async (mutations: readonly Mutation[]) =>
  (await place.store.write(mutations, inTime())).outcomes.map((outcome) => outcome.kind);
const rows = (sql: string) => place.foreign().query<{ id: string }, []>(sql).all().map(({ id }) => id);
const stored = () => rows('SELECT id FROM seats ORDER BY id');

/** Rows of each statement that inserts, in the order in which they were prepared. */
const sizes = () => prepared.mock.calls
  .filter(([sql]) => sql.startsWith('insert into "seats"'))
  .map(([sql]) => sql.split('), (').length);

test('many are written by few statements, and logged in their order', async () => {
  expect(await write(ids.map((id) => put(seats, id, { place: id })))).toEqual(ids.map(() => 'written'));
  expect(sizes()).toEqual([32, 8, 2]);
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

const fresh = (id: string, document: { place: string }, also: readonly FollowUp[] = []): Mutation =>
  ({ resource: seats, id, isFresh: true, decide: () => ({ kind: 'put', document, also }) });
const caused = (id: string, decide: FollowUp['decide'] = () => ({ kind: 'put', document: { for: id } })): FollowUp =>
  ({ resource: notices, id, isFresh: true, decide });
const kindOf = async (...mutations: Mutation[]) => (await write(mutations)).join();

test('what several calls bring at once is written by few statements, with what it causes', async () => {
  const kinds = await Promise.all(ids.map((id) => kindOf(fresh(id, { place: id }, [caused(`of ${id}`)]))));
  expect(kinds).toEqual(ids.map(() => 'written'));
  expect(sizes()).toEqual([32, 8, 2]);
  expect(rows(`SELECT id FROM _log WHERE resource = 'seats' ORDER BY seq`)).toEqual(ids);
  expect(rows(`SELECT id FROM _log WHERE resource = 'notices' ORDER BY seq`)).toEqual(ids.map((id) => `of ${id}`));
});

test('of several calls the one that is refused is refused alone', async () => {
  const kinds = await Promise.all(ids.map((id) => kindOf(fresh(id, { place: id === 's09' ? 's03' : id }))));
  expect(kinds).toEqual(ids.map((id) => (id === 's09' ? 'refused' : 'written')));
  expect(stored()).toEqual(ids.filter((id) => id !== 's09'));
});

test('a new document that is refused, by itself or for what it causes, leaves nothing, and those of other calls stay', async () => {
  const refusing = caused('refuses', () => ({ kind: 'refuse', fault: new Fault('forbidden') }));
  const asked = [
    fresh('a', { place: 'a' }, [caused('of a')]), fresh('b', { place: 'a' }, [caused('of b')]), fresh('c', { place: 'c' }, [refusing]),
    fresh('d', { place: 'd' }, [caused('of d'), caused('of a')]), fresh('e', { place: 'e' }, [caused('of e')]),
  ];
  expect(await Promise.all(asked.map((mutation) => kindOf(mutation)))).toEqual(['written', 'refused', 'refused', 'refused', 'written']);
  expect(stored()).toEqual(['a', 'e']);
  expect(rows('SELECT id FROM notices ORDER BY id')).toEqual(['of a', 'of e']);
});

test('each call has its changes in their order, whatever others do at once', async () => {
  const note = (id: string): Mutation => ({ ...caused(id), decide: () => ({ kind: 'put', document: { for: id } }) });
  await Promise.all([
    write([fresh('a1', { place: 'a1' }), note('a2')]),
    write([note('b1'), fresh('b2', { place: 'b2' })]),
    write([fresh('c1', { place: 'c1' }), put(seats, 'c1', { place: 'c2' }), note('c3')]),
    place.store.write([fresh('d1', { place: 'd1' }), note('d2'), fresh('d3', { place: 'd1' })], { ...inTime(), atomic: true }),
    write([fresh('e1', { place: 'd1' }), note('e2')]),
  ]);
  const logged = rows('SELECT id FROM _log ORDER BY seq');
  const of = (call: string) => logged.filter((id) => id.startsWith(call));
  expect(['a', 'b', 'c', 'd', 'e'].map(of)).toEqual([['a1', 'a2'], ['b1', 'b2'], ['c1', 'c1', 'c3'], [], ['e1', 'e2']]);
});

test('a call that is recorded has its own outcome in the record', async () => {
  const answer = (outcomes: readonly Outcome[]) => outcomes.map(({ kind }) => kind).join();
  const asked = (key: string) =>
    place.store.write([fresh(key, { place: 'one' })], { ...inTime(), once: { key, fingerprint: key, answer } });
  const found = async (key: string) => (await asked(key)).replayed;
  await Promise.all([write([fresh('z', { place: 'other' })]), asked('first'), asked('second')]);
  expect([await found('first'), await found('second')]).toEqual(['written', 'refused']);
});
