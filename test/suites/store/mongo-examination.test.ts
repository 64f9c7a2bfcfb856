/** What an examination tells of stored documents: paths, types, counts and ids, and never a value. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { Decimal128, Int32, Long } from 'mongodb';
import * as z from 'zod';
import type { Examination } from '../../../origin/store/examination/examination.ts';
import { examineCollection } from '../../../origin/store/mongo/read/examined-documents.ts';
import { fillDefaults } from '../../../origin/store/mongo/write/fill-defaults.ts';
import { resource, type Resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant, integer, objectId } from '../../../shared/contract/types.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';

const common = { name: 'boats', id: { kind: 'string', format: z.string() }, rules: { read: anyone }, shapes: { all: {} } } as const;

let database: MongoDatabase;
beforeAll(async () => void (database = await openMongoDatabase()));
afterAll(() => database.remove());

async function examined(declared: Resource, documents: readonly object[]): Promise<Examination> {
  const collection = database.foreign.collection<{ _id: unknown }>(declared.name);
  await collection.deleteMany({});
  await collection.insertMany(documents.map((document, index) => ({ _id: `b${index}`, ...document })));
  return examineCollection(database.foreign, declared, true);
}

const boats: Resource = resource({
  ...common,
  schema: z.object({
    name: z.string().max(5, { error: ({ input }) => `is too long: ${String(input)}` }),
    masts: z.number().optional(), built: instant().optional(),
    port: z.object({ city: z.string(), berth: integer().default(1) }).optional(),
    crew: z.array(z.object({ role: z.enum(['cook', 'mate']), since: instant().optional(), ship: objectId().optional() })).optional(),
    flags: z.record(z.string(), z.number()).optional(), log: z.unknown(), sails: z.array(z.string()).default([]),
  }),
});
const fine = { name: 'Fram', masts: 3, log: 1, sails: [] };

test('documents that fit are counted, with nothing else to tell', async () => {
  const { documents, fitting, ...told } = await examined(boats, [fine, { ...fine, port: { city: 'Oslo', berth: 2 }, built: new Date(0) }]);
  expect([documents, fitting, told]).toEqual([2, 2, {
    resource: 'boats', isComplete: true, ids: [], missing: [], types: [], invalid: [], undeclared: [], servesUndeclared: false,
    renames: [], unlisted: 0,
  }]);
});

test('numbers of every BSON type are numbers, whatever JSON shows of them', async () => {
  const numbers = [new Int32(3), 2.5, Decimal128.fromString('0.10'), Long.fromString('9007199254740993')];
  const { fitting } = await examined(boats, numbers.map((masts) => ({ ...fine, masts })));
  expect(fitting).toBe(4);
});

test('what is missing is told by its path, with whether a default fills it in', async () => {
  const { missing, fitting } = await examined(boats, [{ log: 1, port: {}, crew: [{}, {}], sails: [] }, { name: 'Fram', log: 1 }, fine]);
  expect(missing).toEqual([
    { path: 'crew.role', hasDefault: false, count: 1, examples: ['b0'] },
    { path: 'name', hasDefault: false, count: 1, examples: ['b0'] },
    { path: 'port.berth', hasDefault: true, count: 1, examples: ['b0'] },
    { path: 'port.city', hasDefault: false, count: 1, examples: ['b0'] },
    { path: 'sails', hasDefault: true, count: 1, examples: ['b1'] },
  ]);
  expect(fitting).toBe(1);
});

test('what is stored as another type is counted by that type, also where JSON shows the same, and at any depth', async () => {
  const { types, invalid } = await examined(boats, [
    { ...fine, masts: 'three', built: '2020-01-01T00:00:00.000Z' }, { ...fine, masts: '4' }, { ...fine, masts: true },
    { ...fine, crew: [{ role: 'cook', since: '2020-01-01T00:00:00.000Z', ship: 'a'.repeat(24) }] }, { ...fine, createdAt: 5 },
  ]);
  expect(types).toEqual([
    { path: 'masts', declared: 'number', stored: 'string', count: 2, examples: ['b0', 'b1'] },
    { path: 'built', declared: 'instant', stored: 'string', count: 1, examples: ['b0'] },
    { path: 'createdAt', declared: 'instant', stored: 'int', count: 1, examples: ['b4'] },
    { path: 'crew.ship', declared: 'objectId', stored: 'string', count: 1, examples: ['b3'] },
    { path: 'crew.since', declared: 'instant', stored: 'string', count: 1, examples: ['b3'] },
    { path: 'masts', declared: 'number', stored: 'bool', count: 1, examples: ['b2'] },
  ]);
  expect(invalid).toEqual([]);
});

test('what the schema refuses otherwise is told in words that repeat no value and no key of a record', async () => {
  const told = await examined(boats, [{ ...fine, name: 's3cret value', flags: { s3cret: 'x' } }, { ...fine, crew: [{ role: 's3cret' }] }]);
  expect(told.invalid).toEqual([
    { path: 'crew.role', message: 'Invalid option: expected one of "cook"|"mate"', count: 1, examples: ['b1'] },
    { path: 'name', message: 'Too big: expected string to have <=5 characters', count: 1, examples: ['b0'] },
  ]);
  expect(told.types).toEqual([{ path: 'flags.*', declared: 'number', stored: 'string', count: 1, examples: ['b0'] }]);
  expect(JSON.stringify(told)).not.toContain('s3cret');
});

test('undeclared members are counted by name where the schema names members, and nowhere else', async () => {
  const { undeclared, fitting } = await examined(boats, [
    { ...fine, _class: 'Boat', log: { anything: 1 } }, { ...fine, _class: 'Boat', crew: [{ role: 'cook', x: 1 }, { role: 'mate', x: 2 }] },
  ]);
  expect(undeclared).toEqual([{ path: '_class', count: 2 }, { path: 'crew.x', count: 1 }]);
  expect(fitting).toBe(2);
});

test('an id of another kind is counted by its type, and named', async () => {
  const { ids, fitting } = await examined(boats, [fine, { ...fine, _id: 7 }, { ...fine, _id: Long.fromString('9007199254740993') }]);
  expect(ids.map(({ type, count }) => [type, count])).toEqual([['int', 1], ['long', 1]]);
  expect([ids[0]?.examples, ids[1]?.examples, fitting]).toEqual([['7'], ['{"$numberLong":"9007199254740993"}'], 1]);
});

test('what nobody is served, its id being of another kind, is neither examined nor given a default', async () => {
  const { sails: _, ...lacking } = fine;
  const { missing } = await examined(boats, [lacking, { ...lacking, _id: 7 }]);
  expect(missing.map(({ count }) => count)).toEqual([1]);
  const filled = await fillDefaults(database.foreign, boats);
  expect(filled).toEqual({ resource: 'boats', documents: 1, refused: { count: 0, examples: [] } });
  const unserved = await database.foreign.collection<{ _id: number }>('boats').findOne({ _id: 7 });
  expect(Object.keys(unserved ?? {})).toEqual(['_id', 'name', 'masts', 'log']);
});

test('past three ids and a hundred kinds of finding the rest is counted', async () => {
  const many = await examined(boats, Array.from({ length: 130 }, (_, index) => ({ ...fine, masts: 'x', [`extra${index}`]: 1 })));
  expect([many.types[0]?.count, many.types[0]?.examples.length, many.undeclared.length, many.unlisted]).toEqual([130, 3, 100, 30]);
});

const renamed: Resource = resource({
  ...common,
  schema: z.object({
    sku: z.string(), built: instant(), port: z.object({ berth: integer().default(1) }), note: z.string().optional(),
  }),
});

test('a declared member that is nowhere is proposed to be the undeclared one that is everywhere and fits', async () => {
  const old = (code: unknown, more: object = {}) => ({ code, launched: new Date(0), port: { place: 3 }, ...more });
  const { renames } = await examined(renamed, [old('a', { sometimes: 'x' }), old('b', { number: 1 })]);
  expect(renames).toEqual([
    { path: 'sku', storedAs: ['code'] }, { path: 'built', storedAs: ['launched'] }, { path: 'port.berth', storedAs: ['place'] },
  ]);
});

test.each([
  ['is there in one document', [{ code: 'a' }, { code: 'b', sku: 'c' }]],
  ['is another type', [{ code: 'a' }, { code: 4 }]],
  ['is not there in one document', [{ code: 'a' }, {}]],
])('no rename is proposed where what may be it %s', async (_title, documents) => {
  const { renames } = await examined(renamed, documents.map((each) => ({ built: new Date(0), port: { berth: 1 }, ...each })));
  expect(renames).toEqual([]);
});
