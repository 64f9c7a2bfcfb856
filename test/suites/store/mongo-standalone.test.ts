/** A standalone MongoDB: what it is refused for, and what it serves all the same. */
import { afterEach, describe, expect, test } from 'bun:test';
import * as z from 'zod';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone, signedIn } from '../../../shared/contract/rules.ts';
import { storeLimits } from '../../../origin/store/limits.ts';
import { JumpingClock, startMongod } from '../../mongod/mongod.ts';
import { eventually } from '../../support/eventually.ts';
import { withDatabase } from '../../support/given-deployment.ts';
import { read } from './read-changes.ts';
import { inTime, put, reasonOf, textOf } from './harness.ts';
import { type ControlledPlace, openMongoPlace, startWithRoles } from './mongo-place.ts';

const common = {
  id: { kind: 'string', format: z.string() },
  schema: z.object({ name: z.string() }),
  shapes: { byName: { range: 'name', sort: ['name'] } },
} as const;
const readOnly = { cache: 'none', rules: { read: anyone } } as const;
const boats = resource({ ...common, ...readOnly, name: 'boats' });
const byName = {
  equal: {},
  range: undefined,
  sort: [
    { field: 'name', descending: false },
    { field: 'id', descending: false },
  ],
  where: true,
  after: undefined,
  limit: 10,
} as const;

let place: ControlledPlace | undefined;
afterEach(async () => {
  await place?.remove();
  place = undefined;
});
async function open(options: Partial<Parameters<typeof openMongoPlace>[0]> = {}): Promise<ControlledPlace> {
  return (place = await openMongoPlace({ resources: [boats], mongod: { standalone: true }, ...options }));
}
const add = ({ foreign }: ControlledPlace, ...ids: readonly string[]) =>
  foreign.collection<{ _id: string; name: string }>('boats').insertMany(ids.map((_id) => ({ _id, name: `the ${_id}` })));
const namesOf = async ({ store }: ControlledPlace) => (await store.list(boats, byName, inTime())).value.map(({ document }) => document.id);

describe('a standalone is refused', () => {
  const followed = new Set(['tides']);
  const refusalOf = async (...resources: ReturnType<typeof resource>[]) => {
    const server = await startMongod({ standalone: true });
    const message = await openMongoStore({ uri: withDatabase(server.uri, 'shop'), resources, followed }).then(
      () => 'opened',
      (error: Error) => error.message,
    );
    expect(['create', 'createIndexes', 'collMod', 'insert', 'update'].flatMap((name) => server.history.commands(name))).toEqual([]);
    await server.close();
    return message;
  };

  test('with the names of the resources that need more, and what each needs', async () => {
    const films = resource({ ...common, name: 'films', live: true, rules: { read: anyone, write: signedIn } });
    const notes = resource({ ...common, ...readOnly, name: 'notes', rules: { read: anyone, remove: signedIn } });
    const orders = resource({ ...common, ...readOnly, name: 'orders', live: true });
    const places = resource({ ...common, name: 'places', rules: { read: anyone } });
    const message = await refusalOf(films, boats, notes, orders, places);
    const needs = 'films: is written, cached, live; notes: is written; orders: is live; places: is cached';
    expect(message).toContain(
      `the server is no member of a replica set, so it has no transactions and no change feed (${needs}); ` +
        'start mongod with --replSet rs0, then run rs.initiate() in mongosh',
    );
  });

  test('for one resource among others, whoever may write', async () => {
    expect(await refusalOf(boats, resource({ ...common, ...readOnly, name: 'logs', rules: { read: anyone, create: signedIn } }))).toContain(
      '(logs: is written)',
    );
  });

  test('for one that nobody writes here and whose changes a hook is owed', async () => {
    expect(await refusalOf(boats, resource({ ...common, ...readOnly, name: 'tides' }))).toContain('(tides: is followed by a hook)');
  });
});

test('a standalone serves what is only read: get, list and count, and what other programs write at once', async () => {
  const standalone = await open();
  const { store } = standalone;
  expect([await textOf(store, boats, 'fram'), await namesOf(standalone)]).toEqual([undefined, []]);
  await add(standalone, 'gjøa', 'fram');
  expect(await textOf(store, boats, 'fram')).toBe('{"id":"fram","name":"the fram"}');
  expect(await namesOf(standalone)).toEqual(['fram', 'gjøa']);
  const { value, position } = await store.count(boats, byName, 100, { ...inTime(), atLeast: await store.head() });
  expect([value, position]).toEqual([2, await store.head()]);
});

test.each([{ preference: 'secondary' }, { concern: 'local' }] as const)(
  'a standalone serves also a resource that is read with %j',
  async (reads) => {
    const declared = resource({ ...common, ...readOnly, name: 'boats', reads });
    const standalone = await open({ resources: [declared] });
    await add(standalone, 'fram');
    expect(await textOf(standalone.store, declared, 'fram')).toBe('{"id":"fram","name":"the fram"}');
    expect((await standalone.store.list(declared, byName, inTime())).value).toHaveLength(1);
  },
);

test('lists on a standalone walk an index, the database checks what others write, and nothing else is made there', async () => {
  const { foreign, server } = await open();
  expect((await foreign.collection('boats').indexes()).map(({ name }) => name)).toContain('name,id');
  await expect(foreign.collection('boats').insertOne({ name: 7 })).rejects.toMatchObject({ code: 121 });
  expect((await foreign.listCollections().toArray()).map(({ name }) => name)).toEqual(['boats']);
  expect(await foreign.listCollections({ 'options.changeStreamPreAndPostImages': { $exists: true } }).toArray()).toEqual([]);
  expect(server.history.commands('update')).toEqual([]);
});

test('a write to a standalone is refused, and nothing is written', async () => {
  const { store, foreign } = await open();
  expect(await reasonOf(store.write([put(boats, 'fram', { name: 'Fram' })], inTime()))).toBe('forbidden');
  expect(await foreign.collection('boats').countDocuments()).toBe(0);
});

test('the feed of a standalone idles at the pace of the watermark and ends on abort', async () => {
  const standalone = await open();
  const { store } = standalone;
  const head = await store.head();
  const stop = new AbortController();
  const batches = store.watch(head, stop.signal)[Symbol.asyncIterator]();
  const waits: number[] = [];
  for (let count = 0; count < 4; count++) {
    if (count === 1) await add(standalone, 'fram');
    const askedAtMs = performance.now();
    const { value } = await batches.next();
    if (value === undefined || 'lost' in value) throw new Error('the feed ended');
    expect(value).toMatchObject({ changes: [], through: head });
    expect(value.completeAtMs ?? 0).toBeGreaterThanOrEqual(askedAtMs);
    if (count > 0) waits.push(performance.now() - askedAtMs);
  }
  // Half, because a timer may fire a moment early; a loop without a pause takes no time at all.
  expect(Math.min(...waits)).toBeGreaterThan(storeLimits.watermarkMs / 2);
  const last = batches.next();
  stop.abort();
  expect(await last).toEqual({ done: true, value: undefined });
});

test('the feed of a standalone ends when the store closes', async () => {
  const { store } = await open();
  const reader = read(store, await store.head());
  await reader.next();
  const waiting = reader.next();
  await store.close();
  expect(await waiting).toBeUndefined();
  expect(await reasonOf(store.get(boats, 'fram', inTime()))).toBe('store_unavailable');
});

test('origins on one run of a standalone agree on the position; one of another server is lost', async () => {
  const { store, uri } = await open();
  const twin = await openMongoStore({ uri: uri.replace('directConnection=true', ''), resources: [boats] });
  expect(await twin.head()).toEqual(await store.head());
  await twin.close();
  const other = await startMongod({ standalone: true });
  const elsewhere = await openMongoStore({ uri: other.uri, resources: [boats] });
  const foreignHead = await elsewhere.head();
  const reader = read(store, foreignHead);
  expect(await reader.next()).toEqual({ lost: true, head: await store.head() });
  expect(await reader.next()).toBeUndefined();
  // A position of another epoch means nothing here, and is no reason to refuse.
  expect((await store.get(boats, 'fram', { ...inTime(), atLeast: foreignHead })).position).toEqual(await store.head());
  await elsewhere.close();
  await other.close();
});

test('a standalone that was started again has a new position, and readers of the old one are told', async () => {
  const server = await startMongod({ standalone: true });
  const { port } = new URL(server.uri);
  const store = await openMongoStore({ uri: server.uri, resources: [boats] });
  const reader = read(store, await store.head());
  await reader.next();
  await server.close();
  const again = await startMongod({ standalone: true, port: Number(port) });
  const head = await eventually('the new server answers', () => store.head().catch(() => undefined));
  expect(await reader.nextLost()).toEqual({ lost: true, head });
  expect(await textOf(store, boats, 'fram')).toBeUndefined();
  await store.close();
  await again.close();
});

test('a read of a standalone keeps its deadline, also when nobody answers', async () => {
  const { store, server } = await open();
  expect(await reasonOf(store.get(boats, 'fram', { deadline: Date.now() - 1 }))).toBe('deadline_exceeded');
  server.failPoint('failCommand', { times: 1 }, { failCommands: ['find'], appName: 'tombolo', blockConnection: true, blockTimeMS: 3_000 });
  const started = performance.now();
  expect(await reasonOf(store.get(boats, 'fram', inTime(100)))).toBe('deadline_exceeded');
  expect(performance.now() - started).toBeLessThan(2_500);
});

test('a collection of a standalone that others load anew gets its indexes back, and lists go on', async () => {
  const warnings: string[] = [];
  const standalone = await open({ onWarning: (message) => warnings.push(message) });
  await standalone.foreign.collection('boats').drop();
  await add(standalone, 'fram');
  expect(await reasonOf(namesOf(standalone))).toBe('shape_not_ready');
  await eventually('the index is back', () => warnings.length > 0);
  expect(await namesOf(standalone)).toEqual(['fram']);
  expect(warnings[0]).toBe('others dropped or renamed collections or indexes; what is missing was put back');
  // The validator went with the collection; whether others took it out alone, a standalone does not tell.
  await eventually('the validator is told', () => standalone.store.state().pending.length > 0);
  expect(standalone.store.state().pending).toEqual(['boats: validator']);
});

test('a standalone needs no rights to write documents and no clock that agrees', async () => {
  const clock = new JumpingClock();
  clock.jump(90_000);
  const { server, uri } = await startWithRoles(['read', 'dbAdmin'], { standalone: true, clock });
  const store = await openMongoStore({ uri, resources: [boats] });
  expect(await textOf(store, boats, 'fram')).toBeUndefined();
  await store.close();
  await server.close();
  expect(server.errors).toEqual([]);
});
