/** Documents of others that name ours: the index of the relation is a step of the plan, until which nothing named is removed. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { planOf } from '../../../origin/store/mongo/install/plan.ts';
import { openMongoStore } from '../../../origin/store/mongo/mongo-store.ts';
import type { Reach } from '../../../origin/store/store.ts';
import { to } from '../../../shared/contract/relations.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { eventually } from '../../support/eventually.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { applyIn, targetIn } from './applied.ts';
import { decide, inTime, put, reasonOf } from './harness.ts';

const id = { kind: 'string', format: z.string() } as const;
const everybody = { id, rules: { read: anyone, write: anyone }, shapes: {} } as const;
const ports = resource({ ...everybody, name: 'ports', schema: z.object({}) });
const boats = resource({
  ...everybody, name: 'boats', schema: z.object({ port: z.string().optional() }), storedAs: { port: 'home port' },
  relations: { port: to('ports', 'port', { exists: true, onDelete: 'restrict' }) },
});
const disposals = disposedAfterEach();

test('in a collection of others it is built by apply, finds what they wrote, and is the reason why a removal waits', async () => {
  const database = await openControlledDatabase();
  disposals.push(() => database.remove());
  const theirs = database.foreign.collection<{ _id: string }>('boats');
  await theirs.insertMany([{ _id: 'fram', 'home port': 'oslo' }, { _id: 'maud', 'home port': ['oslo'] }] as never);
  await applyIn(database.foreign, [ports]);
  const store = await openMongoStore({ uri: database.uri, resources: [ports, boats] });
  disposals.push(() => store.close());
  const found: string[] = [];
  const look = () => store.write([decide(ports, 'oslo', (_before, reach: Reach) => {
    const naming = reach.naming([{ resource: ports, id: 'oslo' }], { resource: boats, field: 'port', values: ['oslo'], max: 9 });
    found.splice(0, 9, ...naming.map((each) => each.id));
    return { kind: 'keep' };
  })], inTime());
  await store.write([put(ports, 'oslo', {})], inTime());
  expect(store.state().pending).toContain('boats: index port+id');
  expect(await reasonOf(look())).toBe('shape_not_ready');
  expect((await planOf(targetIn(database.foreign, [ports, boats]))).find(({ name }) => name === 'boats: index port+id')).toMatchObject({
    by: 'apply', undo: { dropIndexes: 'boats' }, why: expect.any(String),
  });
  await applyIn(database.foreign, [ports, boats]);
  await eventually('it is complete', () => store.state().pending.length === 0);
  await look();
  // An array where one value is declared names nothing.
  expect(found).toEqual(['fram']);
});
