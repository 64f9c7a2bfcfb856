/** Private answers in the shared cache: kept for those whom the rules cannot tell apart, and nobody else. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { freshWithinMs, startWorld, type World, worlds } from '../support/whole-world.ts';

const film = '01890a5d-ac96-774b-bcce-b302099a8057';

describe.each(worlds)('scopes on %s in %s', (engine, stack) => {
  let world: World;
  let path: string;
  beforeAll(async () => {
    world = await startWorld({ engine, stack });
    const answer = await world.request('/v2/orders', {
      token: await member('ann', 'acme'),
      json: { tenant: 'acme', film, seats: 2, buyer: 'ann' },
    });
    path = `/v2/orders/${answer.film.id}`;
    await change({ staffNote: 'pays late' });
  });
  afterAll(() => world.close());

  const member = (subject: string, tenant: string, roles: string[] = []) => world.token({ subject, roles, tenant });
  const change = async (patch: object) => {
    const answer = await world.request(path, {
      method: 'PATCH',
      token: await member('sam', 'acme', ['staff']),
      headers: { 'content-type': 'application/merge-patch+json' },
      body: JSON.stringify(patch),
    });
    expect(answer.status).toBe(200);
  };

  test('members of one tenant share an entry, private to browsers and other caches', async () => {
    await world.mustHit(path, { token: await member('ann', 'acme') });
    const answer = await world.request(path, { token: await member('bob', 'acme') });
    expect([answer.isHit, answer.headers.get('cache-control')]).toEqual([true, 'private, no-cache']);
  });

  test('staff has an entry of its own, with what only staff may read', async () => {
    await world.mustHit(path, { token: await member('ann', 'acme') });
    expect((await world.mustHit(path, { token: await member('sam', 'acme', ['staff']) })).text).toContain('pays late');
    expect((await world.request(path, { token: await member('ann', 'acme') })).text).not.toContain('pays late');
  });

  test.each([
    ['another tenant', 'globex', 404],
    ['nobody', undefined, 401],
  ])('what is cached is not there for %s', async (_who, tenant, status) => {
    await world.mustHit(path, { token: await member('ann', 'acme') });
    await world.mustHit('/v2/orders', { token: await member('ann', 'acme') });
    const asking = tenant === undefined ? {} : { token: await member('ann', tenant) };
    expect((await world.request(path, asking)).status).toBe(status);
    const list = await world.request('/v2/orders', asking);
    expect(list.text).not.toContain('"tenant":"acme"');
  });

  test('a change by one scope is seen by the other within the bound', async () => {
    const token = await member('ann', 'acme');
    await world.mustHit(path, { token });
    await change({ status: 'paid' });
    await eventually('the paid order', async () => (await world.request(path, { token })).text.includes('"paid"'), {
      msMax: freshWithinMs,
    });
  });

  test('nobody moves a document into or out of what they may touch', async () => {
    const staff = await member('sam', 'acme', ['staff']);
    const patch = (body: object, token: string) =>
      world.request(path, {
        method: 'PATCH',
        token,
        headers: { 'content-type': 'application/merge-patch+json' },
        body: JSON.stringify(body),
      });
    expect((await patch({ tenant: 'globex' }, staff)).status).toBe(403);
    expect((await patch({ status: 'cancelled' }, await member('ann', 'acme'))).status).toBe(403);
    expect((await patch({ status: 'cancelled' }, await member('eve', 'globex', ['staff']))).status).toBe(404);
    const foreign = await world.request('/v2/orders', {
      token: await member('eve', 'globex'),
      json: { tenant: 'acme', film, seats: 1, buyer: 'eve' },
    });
    const paid = await world.request('/v2/orders', {
      token: await member('eve', 'globex'),
      json: { tenant: 'globex', film, seats: 1, buyer: 'eve', status: 'paid' },
    });
    expect([foreign.status, paid.status]).toEqual([403, 403]);
  });

  test('who may not read a field may neither filter by it nor write it', async () => {
    const token = await member('ann', 'acme');
    const order = await world.request('/v2/orders', { token, json: { tenant: 'acme', film, seats: 1, buyer: 'ann', staffNote: 'mine' } });
    expect(order.status).toBe(403);
    expect(order.text).toContain('staffNote');
    expect((await world.request('/v2/orders?staffNote=mine', { token })).status).toBe(400);
  });
});
