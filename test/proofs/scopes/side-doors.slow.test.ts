/** Rights hold for the rows of an import and for the repeated answer of an Idempotency-Key, too. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { forgeToken } from '../../support/forged-token.ts';
import { startWorld, type World } from '../../support/whole-world.ts';
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
const place = async () => (await world.request('/v2/orders', { ...as('anna'), json: order })).json<{ id: string }>().id;
const replaceBy = async (name: string, row: object): Promise<string> =>
  (
    await world.request('/v2/orders/import?onDuplicate=replace', {
      ...as(name),
      body: JSON.stringify(row),
      headers: { 'content-type': 'application/x-ndjson' },
    })
  ).text;

test('who may create and not change replaces nothing by an import', async () => {
  const id = await place();
  expect(await replaceBy('anna', { ...order, id, seats: 20 })).toContain('"replaced":0');
  expect((await world.request(`/v2/orders/${id}`, as('anna'))).json<{ seats: number; rev: number }>()).toMatchObject({ seats: 2, rev: 1 });
});

test('who may change does, within the tenant', async () => {
  const id = await place();
  expect(await replaceBy('stef', { ...order, tenant: 'bolt', id, seats: 20 })).toContain('"replaced":0');
  expect(await replaceBy('sara', { ...order, id, seats: 3 })).toContain('"replaced":1');
  expect((await world.request(`/v2/orders/${id}`, as('anna'))).json<{ seats: number; rev: number }>()).toMatchObject({ seats: 3, rev: 2 });
});

test('an answer that was recorded under other rights is not given again', async () => {
  const id = await place();
  const key = crypto.randomUUID();
  const noted = (token: string) =>
    world.request(`/v2/orders/${id}`, {
      method: 'PATCH',
      token,
      body: '{"staffNote":"a note"}',
      headers: { 'content-type': 'application/merge-patch+json', 'idempotency-key': key },
    });
  const recorded = await noted(as('sara').token);
  expect((await noted(as('sara').token)).text).toBe(recorded.text);
  const elsewhere = await forgeToken(world, { payload: { sub: 'sara', roles: ['staff'], tenant: 'bolt', plan: 'bench' } });
  const refused = await noted(elsewhere);
  expect([refused.status, refused.text.includes('a note')]).toEqual([422, false]);
});
