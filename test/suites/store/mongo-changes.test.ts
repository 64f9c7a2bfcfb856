/** What other programs see of a write on MongoDB, and what becomes of theirs meanwhile (SEMANTICS §17). */
import { afterAll, beforeAll, beforeEach, expect, test } from 'bun:test';
import type { Collection } from 'mongodb';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant } from '../../../shared/contract/types.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { DirectOrigin } from '../../support/direct-origin.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';
import { soakFactor } from './soak.ts';

const places = resource({
  name: 'places', id: { kind: 'string', format: z.string() },
  schema: z.object({
    name: z.string(), note: z.string().optional(),
    address: z.object({ street: z.string(), zip: z.string().optional() }),
    grades: z.array(z.object({ grade: z.string(), at: instant().optional() })),
  }),
  rules: { read: anyone, write: anyone }, shapes: { all: {} },
});

interface Place {
  readonly _id: string;
  readonly id: number;
  readonly name: string;
  readonly hits: number;
  readonly address: object;
  readonly grades: readonly { readonly grade: string; readonly at?: Date; readonly seen?: number }[];
}

const [at, later] = [new Date('2026-01-01T00:00:00.000Z'), new Date('2026-06-01T00:00:00.000Z')];
const foreign: Place = {
  _id: 'p', id: 42, name: 'a', hits: 0, address: { geo: [1, 2], street: 's' },
  grades: [{ grade: 'A', at, seen: 0 }, { grade: 'B', at: later }],
};

let database: MongoDatabase;
let origin: DirectOrigin;
let collection: Collection<Place>;
beforeAll(async () => {
  database = await openMongoDatabase();
  origin = await DirectOrigin.open({ MONGODB_URI: database.uri }, contract(places));
  collection = database.foreign.collection<Place>('places');
});
beforeEach(async () => void (await collection.replaceOne({ _id: 'p' }, foreign, { upsert: true })));
afterAll(async () => {
  await origin[Symbol.asyncDispose]();
  await database.remove();
});
const [wireAt, wireLater] = [at.toISOString(), later.toISOString()];
const patch = (body: JsonObject) => origin.ask('patch', places, { id: 'p', body });

test.each([
  ['a field', { name: 'b' }, ['name'], []],
  ['a member of an object', { address: { zip: '1' } }, ['address.zip'], []],
  ['a field that goes', { name: 'b', note: null }, ['name'], ['note']],
  ['a member of an element', { grades: [{ grade: 'A', at: wireAt }, { grade: 'C', at: wireLater }] }, ['grades.1.grade'], []],
  ['an array of moved elements', { grades: [{ grade: 'N' }, { grade: 'A', at: wireAt }, { grade: 'B', at: wireLater }] }, ['grades'], []],
] as const)('%s alone is what a write changes', async (_what, body, set, unset) => {
  await collection.updateOne({ _id: 'p' }, { $set: { note: 'x', rev: 1, createdAt: at } });
  const changes = collection.watch([], { maxAwaitTimeMS: 20 });
  // Opens it: what is written from here on is in it.
  expect(await changes.tryNext()).toBeNull();
  const answer = await patch(structuredClone(body) as unknown as JsonObject);
  expect(answer.outcome).toBe('written');
  const change = await changes.next();
  await changes.close();
  if (change.operationType !== 'update') throw new Error(change.operationType);
  const { updatedFields = {}, removedFields = [] } = change.updateDescription;
  expect(Object.keys(updatedFields).sort()).toEqual([...set, 'rev', 'updatedAt'].sort());
  expect(removedFields).toEqual([...unset]);
});

test('dates stay dates when an element is put before them, and a field id beside _id stays', async () => {
  await patch({ grades: [{ grade: 'N', at: wireAt }, { grade: 'A', at: wireAt }, { grade: 'B', at: wireLater }] });
  const found = await collection.findOne({ _id: 'p' });
  expect([found?.id, found?.grades]).toEqual([42, [{ grade: 'N', at }, { grade: 'A', at, seen: 0 }, { grade: 'B', at: later }]]);
});

test('updates of other fields by another program stand, and so do ours, whoever comes first', async () => {
  const rounds = 300 * soakFactor;
  const written: string[] = [];
  for (let round = 1; round <= rounds; round++) {
    const name = `n${round}`;
    const grades = [{ grade: 'A', at: wireAt }, { grade: round % 2 === 0 ? 'B' : 'C', at: wireLater }];
    const ours = patch(round % 3 === 0 ? { name, grades: grades.toReversed() } : { name, address: { zip: name } });
    const theirs = collection.updateOne(
      { _id: 'p' },
      { $inc: { hits: 1 }, $set: { 'grades.$[a].seen': round, [`more.n${round % 7}`]: round } },
      { arrayFilters: [{ 'a.grade': 'A' }] },
    );
    const [answer] = await Promise.all([ours, theirs]);
    if (answer.outcome === 'written') written.push(name);
    if (round % 25 !== 0) continue;
    const found = await collection.findOne({ _id: 'p' });
    expect([found?.hits, found?.name, found?.grades.find(({ grade }) => grade === 'A')?.seen]).toEqual([round, name, round]);
    expect(found?.grades.every((grade) => grade.at instanceof Date)).toBe(true);
  }
  expect(written.length).toBe(rounds);
  const found = await collection.findOne({ _id: 'p' });
  expect(found).toMatchObject({ hits: rounds, id: 42, rev: rounds, address: { geo: [1, 2], street: 's' } });
}, 60_000 * soakFactor);
