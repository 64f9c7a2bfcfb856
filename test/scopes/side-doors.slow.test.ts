/** An import is many writes, and each needs the right that it would need alone. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startWorld, type World } from '../support/whole-world.ts';
import { type Caller, everybody, signIn } from './principals.ts';

let world: World;
let callers: ReadonlyMap<string, Caller>;
beforeAll(async () => {
  world = await startWorld({ engine: 'sqlite' });
  callers = new Map((await signIn(world, everybody)).map((caller) => [caller.name, caller]));
});
afterAll(() => world.close());

const as = (name: string) => ({ token: callers.get(name)?.token ?? '' });
const order = { tenant: 'acme', film: '0198c0de-0000-7000-8000-0000000000ee', seats: 2, buyer: 'anna', status: 'placed' };
const place = async () => (await world.request('/v1/orders', { ...as('anna'), json: order })).json<{ id: string }>().id;
const replaceBy = async (name: string, row: object): Promise<string> =>
  (await world.request('/v1/orders/import?onDuplicate=replace', { ...as(name), body: JSON.stringify(row), headers: { 'content-type': 'application/x-ndjson' } })).text;

test('who may create and not change replaces nothing by an import', async () => {
  const id = await place();
  expect(await replaceBy('anna', { ...order, id, seats: 20 })).toContain('"replaced":0');
  expect((await world.request(`/v1/orders/${id}`, as('anna'))).json<{ seats: number; rev: number }>()).toMatchObject({ seats: 2, rev: 1 });
});

test('who may change does, within the tenant', async () => {
  const id = await place();
  expect(await replaceBy('stef', { ...order, tenant: 'bolt', id, seats: 20 })).toContain('"replaced":0');
  expect(await replaceBy('sara', { ...order, id, seats: 3 })).toContain('"replaced":1');
  expect((await world.request(`/v1/orders/${id}`, as('anna'))).json<{ seats: number; rev: number }>()).toMatchObject({ seats: 3, rev: 2 });
});
