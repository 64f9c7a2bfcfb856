/** Two versions of a contract over one database at once, as a rolling deploy has them (SEMANTICS §15). */
import { describe, expect, test } from 'bun:test';
import type { Document } from 'mongodb';
import * as z from 'zod';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { toValidation } from '../../../origin/store/mongo/install/document-checks.ts';
import { joinedValidation } from '../../../origin/store/mongo/install/joined-validation.ts';
import { planOf } from '../../../origin/store/mongo/install/plan.ts';
import type { ListRequest, Store } from '../../../origin/store/store.ts';
import { type Resource, resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { instant, integer } from '../../../shared/contract/types.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { type MongoDatabase, openMongoDatabase } from '../../support/mongo-database.ts';
import { eventually } from '../../support/eventually.ts';
import { applyIn, targetIn } from './applied.ts';
import { inTime, put, reasonOf } from './harness.ts';

const common = { name: 'boats', id: { kind: 'string', format: z.string() }, rules: { read: anyone, write: anyone } } as const;
const first: Resource = resource({
  ...common, schema: z.object({ name: z.string(), masts: z.number().optional() }),
  shapes: { byName: { sort: ['name'] }, byMasts: { sort: ['masts'] } },
});
/** Requires a member more, has texts for numbers, and fewer orders. */
const second: Resource = resource({
  ...common, schema: z.object({ name: z.string(), masts: z.string().optional(), sail: z.string() }),
  shapes: { byName: { sort: ['name'] } },
});
const ofFirst: JsonObject = { name: 'Fram', masts: 3 };
const ofSecond: JsonObject = { name: 'Maud', masts: 'three', sail: 'M1' };
const fitting = new Map([[first, ofFirst], [second, ofSecond]]);

const disposals = disposedAfterEach();

async function openPlace(): Promise<MongoDatabase> {
  const database = await openMongoDatabase();
  disposals.push(() => database.remove());
  return database;
}

async function open({ uri }: MongoDatabase, version: Resource): Promise<Store> {
  const store = await openMongoStore({ uri, resources: [version] });
  disposals.push(() => store.close());
  return store;
}

async function write(store: Store, version: Resource, id: string): Promise<string | undefined> {
  const [outcome] = (await store.write([put(version, id, fitting.get(version) ?? {})], inTime())).outcomes;
  return outcome?.kind === 'refused' ? outcome.fault.reason : outcome?.kind;
}

async function namesBy(store: Store, version: Resource, field: string): Promise<readonly unknown[]> {
  const sort = [{ field, descending: false }, { field: 'id', descending: false }];
  const request: ListRequest = { equal: {}, range: undefined, sort, where: true, after: undefined, limit: 9 };
  return (await store.list(version, request, inTime())).value.map(({ document }) => document.value['name']);
}

/** All that starts and steps set: options, indexes and the list. */
async function stateOf({ foreign }: MongoDatabase): Promise<string> {
  const options = (await foreign.listCollections<Document & { name: string }>({ name: 'boats' }).next())?.['options'];
  const list = await foreign.collection<{ _id: string }>('tombolo_meta').findOne({ _id: 'collections' });
  return JSON.stringify([options, await foreign.collection('boats').indexes(), list]);
}

describe.each([
  ['the earlier one starts first', [first, second]],
  ['the later one starts first', [second, first]],
] as const)('%s', (_title, order) => {
  test('both write and list, and no start undoes what the other set', async () => {
    const place = await openPlace();
    const stores = new Map<Resource, Store>();
    for (const version of order) stores.set(version, await open(place, version));
    for (const [version, store] of stores) expect(await write(store, version, `a${order.indexOf(version)}`)).toBe('written');
    const before = await stateOf(place);
    for (const version of [...order, ...order]) {
      const again = await open(place, version);
      expect(await write(again, version, `again ${order.indexOf(version)}`)).toBe('written');
      expect(await namesBy(again, version, 'name')).toContain(fitting.get(version)?.['name']);
    }
    expect(await stateOf(place)).toBe(before);
    const early = stores.get(first);
    expect(early && (await namesBy(early, first, 'masts'))).toEqual(['Fram', 'Fram', 'Maud', 'Maud']);
  });
});

test('what an earlier version leaves without a place in the orders of a later one is listed behind the others', async () => {
  const place = await openPlace();
  const listed: Resource = resource({
    ...common, schema: z.object({ name: z.union([z.array(z.string()), z.string()]) }), shapes: { all: {} },
  });
  await open(place, listed);
  const later = await open(place, second);
  await place.foreign.collection<{ _id: string; name: unknown }>('boats').insertOne({ _id: 'odd', name: ['Aud'] });
  expect(await write(later, second, 'plain')).toBe('written');
  expect(await namesBy(later, second, 'name')).toEqual(['Maud', ['Aud']]);
});

test('what two versions set together takes all that either takes, whoever set it first, and stays when they come again', async () => {
  const place = await openPlace();
  const values = [undefined, null, 1, 1.5, 'a', true, [1], ['a'], { a: 1 }, new Date(0)];
  const documents = values.flatMap((left) => values.map((right) => ({ left, right })));
  await place.foreign.collection('tried').insertMany(documents, { ignoreUndefined: true });
  const taken = async ({ validator }: Document) => {
    const found = await place.foreign.collection('tried').find(validator, { projection: { _id: 1 } }).toArray();
    return found.map(({ _id }) => String(_id));
  };
  const types = [
    z.string(), z.number().optional(), integer(), z.boolean().nullable(), z.array(z.string()), z.array(z.number()).optional(), z.unknown(),
    instant(), z.object({ a: z.number() }), z.string().nullable().optional(),
  ];
  const validations = types.map((left, at) => toValidation(resource({
    ...common, id: 'objectId', schema: z.object({ left, right: types.at(at - 3) ?? left }), shapes: { all: {} },
  })));
  for (const one of validations) {
    for (const other of validations) {
      const both = joinedValidation(one, other);
      expect(await taken(both)).toEqual(expect.arrayContaining([...(await taken(one)), ...(await taken(other))]));
      expect([joinedValidation(both, one), joinedValidation(both, other)]).toEqual([both, both]);
    }
  }
});

test('what is narrower waits for apply, which names it; an earlier version that comes back is written to again', async () => {
  const place = await openPlace();
  const early = await open(place, first);
  await early.close();
  const late = await open(place, second);
  const names = ['boats: narrower validator', 'boats: drop index masts,id', 'boats: drop index tombolo_odd'];
  expect(late.state().pending).toEqual(names);
  const steps = await planOf(targetIn(place.foreign, [second]));
  expect(steps.map(({ name, by, undo }) => [name, by, undo !== undefined])).toEqual(names.map((name) => [name, 'apply', true]));
  const before = await stateOf(place);
  await applyIn(place.foreign, [second]);
  expect(await planOf(targetIn(place.foreign, [second]))).toEqual([]);
  expect((await place.foreign.collection('boats').indexes()).map(({ name }) => name)).not.toContain('masts,id');
  await expect(place.foreign.collection('boats').insertOne({ name: 'Gjøa' })).rejects.toMatchObject({ code: 121 });
  await eventually('the origin that runs sees it', () => late.state().pending.length === 0);
  const back = await open(place, first);
  expect([await write(back, first, 'b'), await write(late, second, 'c')]).toEqual(['written', 'written']);
  expect(await namesBy(back, first, 'masts')).toEqual(['Fram', 'Maud']);
  for (const { undo } of steps.filter(({ kind }) => kind === 'unwanted index')) await place.foreign.command(undo ?? {});
  expect(JSON.parse(await stateOf(place))[1]).toHaveLength(JSON.parse(before)[1].length);
});

test('an earlier version whose index was dropped while it runs answers shape_not_ready, and builds it again', async () => {
  const place = await openPlace();
  const early = await open(place, first);
  await write(early, first, 'a');
  await applyIn(place.foreign, [second]);
  expect(await reasonOf(namesBy(early, first, 'masts'))).toBe('shape_not_ready');
  await eventually('it is served again', async () => (await reasonOf(namesBy(early, first, 'masts'))) === undefined);
});

test('an index of others is never named, also where it has the name of one of ours that no shape wants any more', async () => {
  const place = await openPlace();
  await (await open(place, first)).close();
  const boats = place.foreign.collection('boats');
  await boats.createIndex({ sail: 1 }, { name: 'theirs' });
  await boats.dropIndex('masts,id');
  await boats.createIndex({ port: 1, masts: 1 }, { name: 'masts,id' });
  const late = await open(place, second);
  expect(late.state().pending.filter((name) => name.includes('drop'))).toEqual(['boats: drop index tombolo_odd']);
  await applyIn(place.foreign, [second]);
  const names = (await boats.indexes()).map(({ name = '' }) => name);
  expect(names.filter((name) => !name.startsWith('tombolo_odd_')).toSorted()).toEqual(['_id_', 'masts,id', 'name,id', 'theirs']);
});

test('an index that a start built before it kept a list of them is known by its name and its key', async () => {
  const place = await openPlace();
  await (await open(place, first)).close();
  await place.foreign.collection<{ _id: string }>('tombolo_meta').updateOne({ _id: 'collections' }, { $unset: { added: '' } });
  await (await open(place, first)).close();
  expect((await open(place, second)).state().pending).toContain('boats: drop index masts,id');
});
