/** What is said to the database speaks its names, and what it says to callers those of the wire (SEMANTICS §15, §16). */
import { expect, test } from 'bun:test';
import type { Document } from 'mongodb';
import * as z from 'zod';
import { applyPlan, collectionNamed, planOf, remove, removalOf } from '../../../origin/store/mongo/install/plan.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { openMongoDatabase } from '../../support/mongo-database.ts';
import { inTime, put } from './harness.ts';
import { type MongoPlace, openMongoPlace } from './mongo-place.ts';

const people = resource({
  name: 'people', collection: 'user.accounts', id: { kind: 'string', format: z.string() },
  schema: z.object({ firstName: z.string(), tags: z.array(z.string()).optional() }),
  rules: { read: anyone, write: anyone }, storedAs: { firstName: 'first name', tags: 'first', updatedAt: '_updated' },
  shapes: { byName: { sort: ['firstName'] }, ofTag: { equal: ['tags'], sort: ['-updatedAt'] } },
});

const disposals = disposedAfterEach();

async function open(): Promise<MongoPlace> {
  const place = await openMongoPlace({ resources: [people] });
  disposals.push(() => place.remove());
  return place;
}

test('indexes and the validator are of the stored names', async () => {
  const { foreign } = await open();
  const accounts = foreign.collection<Document & { _id: string }>('user.accounts');
  const keys = (await accounts.indexes()).map(({ key }) => Object.keys(key).join());
  expect(keys).toEqual(['_id', 'first name,_id', 'first,_updated,_id', '_id,tombolo_odd']);
  const insert = async (document: Document & { _id: string }) => accounts.insertOne(document).then(() => 0, ({ code }) => code as number);
  expect(await insert({ _id: 'a', 'first name': 5 })).toBe(121);
  expect(await insert({ _id: 'b', firstName: 'without' })).toBe(121);
  expect(await insert({ _id: 'c', 'first name': 'Cleo', firstName: 5, tags: 'theirs', updatedAt: 'yesterday' })).toBe(0);
});

test('a plan is of the stored names, too, and is undone by the name of the collection or of the resource', async () => {
  const database = await openMongoDatabase();
  disposals.push(() => database.remove());
  const { foreign } = database;
  await foreign.collection<Document & { _id: string }>('user.accounts').insertOne({ _id: 'a', 'first name': 'Ada' });
  const target = { database: foreign, resources: [people], deployment: 'replica set' as const, patiently: async () => undefined };
  const steps = (await planOf(target)).filter(({ kind }) => kind === 'index');
  expect(steps.map(({ name }) => name)).toEqual(['user.accounts: index firstName,id', 'user.accounts: index has.tags+updatedAt,id']);
  expect(steps.map(({ command }) => [command['createIndexes'], Object.keys(command['indexes'][0].key).join()])).toEqual([
    ['user.accounts', 'first name,_id'], ['user.accounts', 'first,_updated,_id'],
  ]);
  await applyPlan(target, 'e'.repeat(16), () => undefined);
  const named = await Promise.all(['user.accounts', 'people', 'others'].map((given) => collectionNamed(target, given)));
  expect(named).toEqual(['user.accounts', 'user.accounts', 'others']);
  const commands = (await removalOf(foreign, 'user.accounts')) ?? [];
  expect(commands.map((command) => Object.keys(command)[0])).toEqual(['dropIndexes', 'dropIndexes', 'dropIndexes', 'collMod']);
  await remove(foreign, 'user.accounts', commands);
  expect(await removalOf(foreign, 'user.accounts')).toBeUndefined();
});

test('what a unique index of others refuses is told by the names of the wire', async () => {
  const { store, foreign } = await open();
  await foreign.collection('user.accounts').createIndex({ 'first name': 1, secret: 1 }, { unique: true });
  const { outcomes } = await store.write([put(people, 'a', { firstName: 'Ada' }), put(people, 'b', { firstName: 'Ada' })], inTime());
  const [, second] = outcomes;
  expect(second).toMatchObject({ kind: 'refused', fault: { errors: [{ at: '/firstName' }] } });
  expect(JSON.stringify(second)).not.toContain('secret');
  expect(JSON.stringify(second)).not.toContain('first name');
});
