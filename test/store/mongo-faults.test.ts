/** Elections, deaths and cut connections around a write: what was acknowledged is there, and nothing is there twice. */
import { expect, test } from 'bun:test';
import type { Store } from '../../origin/store/store.ts';
import { inTime, put, reasonOf } from './harness.ts';
import { openMongoPlace } from './mongo-place.ts';
import { open as things } from './things.ts';

const increment = (store: Store, id: string, ms = 15_000) => store.write([{ resource: things, id, decide: (before) => ({ kind: 'put', document: { size: Number(before?.value['size'] ?? 0) + 1 } }) }], inTime(ms));
const sizeOf = async (store: Store, id: string) => Number((await store.get(things, id, inTime(15_000))).value?.value['size'] ?? 0);

test.each([1, 2, 3, 4])('commands that fail, connections that break before and after: %d', async (seed) => {
  const place = await openMongoPlace({ resources: [things], mongod: { members: 3, seed, faults: { rate: 0.05, commands: ['find', 'insert', 'update', 'commitTransaction', 'getMore'] } } });
  let written = 0;
  for (let round = 0; round < 60; round++) if ((await reasonOf(increment(place.store, 'n'))) === undefined) written++;
  expect(written).toBeGreaterThan(50);
  expect(await sizeOf(place.store, 'n')).toBe(written);
  await place.remove();
}, 60_000);

test('a primary that steps down or dies while writes and a feed run', async () => {
  const place = await openMongoPlace({ resources: [things], mongod: { members: 3 } });
  const { server, store } = place;
  if (server === undefined) return place.remove();
  const from = await store.head();
  const running = Promise.all(Array.from({ length: 40 }, async (_, n) => {
    await Bun.sleep(n * 20);
    return increment(store, 'n');
  }));
  await Bun.sleep(100);
  server.stepDown();
  await Bun.sleep(100);
  const dead = server.set.primary?.index ?? 0;
  await server.kill(dead);
  server.elect((dead + 1) % 3);
  const position = (await running).map((written) => written.position).sort((a, b) => (a.order < b.order ? -1 : 1)).at(-1);
  expect(await sizeOf(store, 'n')).toBe(40);
  const sizes: unknown[] = [];
  for await (const batch of store.watch(from, new AbortController().signal)) {
    if ('lost' in batch) throw new Error('history is lost');
    sizes.push(...batch.changes.map((change) => (change.kind === 'document' ? change.after?.['size'] : undefined)));
    if (batch.through.order >= (position?.order ?? '')) break;
  }
  expect(sizes).toEqual(Array.from({ length: 40 }, (_, n) => n + 1));
  server.restart(dead);
  await place.remove();
}, 60_000);

test('no primary is said within the wait for one', async () => {
  const place = await openMongoPlace({ resources: [things], mongod: { members: 3 } });
  const { server, store } = place;
  if (server === undefined) return place.remove();
  server.stepDown({ elect: false });
  const started = performance.now();
  expect(await reasonOf(store.write([put(things, 'late', {})], inTime(10_000)))).toBe('store_unavailable');
  expect(performance.now() - started).toBeLessThan(3_500);
  server.elect(0);
  await place.remove();
}, 60_000);

test('a log that rolled over its reader is told as lost', async () => {
  const place = await openMongoPlace({ resources: [things], mongod: { oplogEntriesMax: 30 } });
  const from = await place.store.head();
  for (let round = 0; round < 60; round++) await increment(place.store, 'n');
  const first = await place.store.watch(from, new AbortController().signal)[Symbol.asyncIterator]().next();
  expect(first.value).toMatchObject({ lost: true });
  await place.remove();
});
