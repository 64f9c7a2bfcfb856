/** Read preference and read concern of a resource. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import type { Store } from '../../../origin/store/store.ts';
import { resource } from '../../../shared/contract/resource.ts';
import type { ResourceReads } from '../../../shared/contract/resource-reads.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { openFaultyPlace } from './faulty-place.ts';
import { inTime, put } from './harness.ts';

const declare = (name: string, reads: Partial<ResourceReads>) =>
  resource({
    name,
    id: { kind: 'string', format: z.string() },
    schema: z.object({ size: z.number() }),
    rules: { read: anyone, write: anyone },
    shapes: { bySize: { range: 'size', sort: ['size'] } },
    cache: 'none',
    reads,
  });
const near = declare('near', { preference: 'secondary' });
const sure = declare('sure', {});
const fast = declare('fast', { concern: 'local' });

const sizeOf = async (store: Store, of: typeof near, id: string) => (await store.get(of, id, inTime())).value?.value['size'];

test('a secondary answers, and one that is behind is waited for', async () => {
  await using place = await openFaultyPlace({ resources: [near], mongod: { members: 3 } });
  const { server, store } = place;
  for (const { index } of server.members) if (index !== server.set.primary?.index) server.delay(index, 40 * (index + 1));
  for (let size = 1; size <= 15; size++) {
    await store.write([put(near, 'a', { size })], inTime());
    expect(await sizeOf(store, near, 'a')).toBe(size);
  }
  // Commands of a transaction read the primary, and so does the look at what is there when the store opens.
  const read = server.history
    .commands('find')
    .filter(({ namespace, txnNumber }) => namespace?.endsWith('.near') === true && txnNumber === undefined)
    .slice(-15);
  expect(new Set(read.map(({ member }) => server.members[member]?.role))).toEqual(new Set(['secondary']));
});

test('what no majority has is read where that was asked for, and nowhere else', async () => {
  await using place = await openFaultyPlace({ resources: [sure, fast], mongod: { members: 3 } });
  const { server, store, foreign } = place;
  for (const { index } of server.members) if (index !== server.set.primary?.index) server.pauseReplication(index);
  for (const { name } of [sure, fast]) {
    await foreign.collection<{ _id: string; size: number }>(name).insertOne({ _id: 'a', size: 1 }, { writeConcern: { w: 1 } });
  }
  expect(await sizeOf(store, fast, 'a')).toBe(1);
  expect(await sizeOf(store, sure, 'a')).toBeUndefined();
});
