/** Unique keys of a MongoDB that others write to: their index is planned, built, kept by the server and taken out (SEMANTICS §15, §17). */
import { expect, test } from 'bun:test';
import type { Db } from 'mongodb';
import * as z from 'zod';
import { applyPlan, planOf, remove, removalOf } from '../../../origin/store/mongo/install/plan.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { mongoPlanner } from '../../../origin/store/mongo/planner.ts';
import { toHolderFilter, toOrder } from '../../../origin/store/mongo/read/unique-keys.ts';
import type { Store } from '../../../origin/store/store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { eventually } from '../../support/eventually.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { applyIn, targetIn } from './applied.ts';
import { inTime, put, reasonOf } from './harness.ts';

const common = {
  name: 'boats', id: 'objectId', rules: { read: anyone, write: anyone }, shapes: { all: {} }, storedAs: { call: 'call sign' },
  schema: z.object({ name: z.string(), call: z.string().optional(), port: z.string().optional(), berth: z.int().optional() }),
} as const;
const bare = resource({ ...common, removal: { at: 'gone' } });
const boats = resource({
  ...common, removal: { at: 'gone' },
  unique: { byCall: { fields: ['call'], ignoringCase: true }, byBerth: { fields: ['port', 'berth'] } },
});
const [byCall] = boats.unique;
const id = (n: number) => n.toString(16).padStart(24, '0');
const disposals = disposedAfterEach();

async function openHarbour(): Promise<{ readonly uri: string; readonly foreign: Db }> {
  const database = await openControlledDatabase();
  disposals.push(() => database.remove());
  return database;
}

async function openStore(uri: string, served = boats): Promise<Store> {
  const store = await openMongoStore({ uri, resources: [served] });
  disposals.push(() => store.close());
  return store;
}

const told = async (store: Store, n: number, document: JsonObject) => {
  const [outcome] = (await store.write([put(boats, id(n), document)], inTime())).outcomes;
  return outcome?.kind === 'refused' ? [outcome.fault.reason, ...outcome.fault.errors.map(({ at }) => at)] : [outcome?.kind];
};
const codeOf = (run: Promise<unknown>): Promise<unknown> => run.then(() => 'written', (error: { readonly code?: unknown }) => error.code);

test('in a collection of others a key is a step of the plan, whose doubles are told, and which is taken out again', async () => {
  const { uri, foreign } = await openHarbour();
  const theirs = foreign.collection('boats');
  const calls = { Fram: 'LAX', Gauss: 'lax', Maud: 'LDQ' };
  await theirs.insertMany(Object.entries(calls).map(([name, call]) => ({ name, 'call sign': call })));
  const before = JSON.stringify(await theirs.indexes());
  const target = targetIn(foreign, [boats]);
  const steps = (await planOf(target)).filter(({ kind }) => kind === 'unique');
  expect(steps.map(({ name, by, documents, undo }) => [name, by, documents, undo])).toEqual([
    ['boats: unique byCall', 'apply', 3, { dropIndexes: 'boats', index: 'unique_byCall' }],
    ['boats: unique byBerth', 'apply', 3, { dropIndexes: 'boats', index: 'unique_byBerth' }],
  ]);
  const planner = mongoPlanner(target);
  const shared = async () => (await planner.sharedKeys(boats, false)).map(({ unique, shared }) => [unique, shared?.documents.count]);
  expect(await shared()).toEqual([['byCall', 2], ['byBerth', 0]]);
  await expect(applyIn(foreign, [boats])).rejects.toThrow('index unique_byCall cannot be built, and writes of its key are refused');
  expect(await shared()).toEqual([['byCall', 2]]);
  const store = await openStore(uri);
  expect(store.state().pending).toEqual(['boats: unique byCall']);
  await theirs.updateOne({ name: 'Gauss' }, { $set: { 'call sign': 'DKL' } });
  await applyIn(foreign, [boats]);
  expect([await shared(), await planOf(target)]).toEqual([[], []]);
  await eventually('it is complete', () => store.state().pending.length === 0);
  expect(await told(store, 1, { name: 'x', call: 'Lax' })).toEqual(['document_conflict', '/call']);
  expect(await codeOf(theirs.insertOne({ name: 'y', 'call sign': 'ldq' }))).toBe(11_000);
  expect(await codeOf(theirs.updateOne({ name: 'Maud' }, { $set: { 'call sign': 'LAx' } }))).toBe(11_000);
  await remove(foreign, 'boats', (await removalOf(foreign, 'boats')) ?? []);
  expect(JSON.stringify(await theirs.indexes())).toBe(before);
});

test('while a key cannot be kept its writes are refused, and everything else is served', async () => {
  const { uri, foreign } = await openHarbour();
  const first = await openStore(uri, bare);
  for (const n of [1, 2]) await first.write([put(bare, id(n), { name: 'old', call: 'LAX' })], inTime());
  const store = await openStore(uri);
  expect(store.state().pending).toEqual(['boats: unique byCall']);
  expect(await reasonOf(told(store, 3, { name: 'new', call: 'LDQ' }))).toBe('unique_not_ready');
  expect(await reasonOf(store.holder(boats, byCall!, ['LDQ'], inTime()))).toBe('unique_not_ready');
  expect(await told(store, 1, { name: 'older', call: 'LAX' })).toEqual(['written']);
  expect(await told(store, 3, { name: 'new' })).toEqual(['written']);
  expect([await told(store, 4, { name: 'new', port: 'Oslo', berth: 1 }), await told(store, 5, { name: 'new', port: 'Oslo', berth: 1 })])
    .toEqual([['written'], ['document_conflict', '/port', '/berth']]);
  expect(await told(store, 2, { name: 'old' })).toEqual(['written']);
  await applyPlan(targetIn(foreign, [boats]), 'e'.repeat(16), () => undefined);
  await eventually('it is complete', () => store.state().pending.length === 0);
  expect(await told(store, 3, { name: 'new', call: 'LAX' })).toEqual(['document_conflict', '/call']);
});

test('others may mark what is removed, whose key is free then, and may not bring it back over another', async () => {
  const { uri, foreign } = await openHarbour();
  const store = await openStore(uri);
  const theirs = foreign.collection<{ readonly name: string }>('boats');
  await told(store, 1, { name: 'Fram', call: 'LAX' });
  await theirs.updateOne({ name: 'Fram' }, { $set: { gone: new Date() } });
  expect(await told(store, 2, { name: 'Maud', call: 'LAX' })).toEqual(['written']);
  expect(await codeOf(theirs.updateOne({ name: 'Fram' }, { $unset: { gone: '' } }))).toBe(11_000);
  expect(await told(store, 1, { name: 'Fram', call: 'lax' })).toEqual(['document_conflict', '/call']);
});

test('who has a key is found by one look into its index', async () => {
  const { uri, foreign } = await openHarbour();
  const store = await openStore(uri);
  const many = Array.from({ length: 200 }, (_, n) => put(boats, id(n), { name: 'x', call: `L${n}`, port: 'Oslo', berth: n }));
  await store.write(many, inTime());
  for (const [index, values] of [['unique_byCall', ['l77']], ['unique_byBerth', ['Oslo', 77]]] as const) {
    const unique = boats.unique.find(({ name }) => index.endsWith(name));
    expect((await store.holder(boats, unique!, values, inTime())).value?.id).toBe(id(77));
    const find = { find: 'boats', filter: toHolderFilter(boats, unique!, [{ values }]), hint: index, ...toOrder(unique!) };
    const explained = await foreign.command({ explain: find, verbosity: 'executionStats' });
    expect(explained['executionStats']).toMatchObject({ totalDocsExamined: 1, nReturned: 1 });
  }
});
