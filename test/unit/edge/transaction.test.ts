/** Transactions as a client sends them: charged by what they hold, in the version that is asked (SEMANTICS §17). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { served } from '../../../shared/resources/all.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ContractWorld } from '../../support/contract-world.ts';
import { unitsLeft } from '../../support/units-left.ts';
import { engines } from '../../support/whole-world.ts';

describe.each(engines)('on %s', (engine) => {
  let world: ContractWorld;
  let headers: Readonly<Record<string, string>>;
  beforeAll(async () => {
    world = await ContractWorld.on(engine, served);
    headers = { authorization: `Bearer ${await world.issuer.token('ed', { payload: { sub: 'ed', roles: ['editor'] } })}` };
  }, 60_000);
  afterAll(() => world[Symbol.asyncDispose]());

  const carry = (operations: readonly object[], version = 'v2', more = {}) =>
    world.request(`/${version}/transaction`, { json: { operations }, headers: { ...headers, ...more } });
  const film = { op: 'create', resource: 'films', as: 'film', body: { title: 'The Third Man', year: 1949 } };
  const review = { op: 'create', resource: 'reviews', body: { author: 'ed', rating: 5, text: 'Yes.' }, refs: { '/film': 'film' } };

  test('a film and its review are made together, seen by whoever made them at once, and made once', async () => {
    const made = await carry([film, review], 'v2', { 'idempotency-key': 'both' });
    const results = made.json['results'] as readonly JsonObject[];
    expect([made.status, results.map(({ resource, status }) => [resource, status])]).toEqual([200, [['films', 201], ['reviews', 201]]]);
    const id = String(results[0]?.['id']);
    const position = { ...headers, 'tombolo-position': made.headers.get('tombolo-position') ?? '' };
    const { json, headers: said } = await world.request(`/v2/films/${id}`, { headers: position });
    expect([json['title'], said.get('etag')]).toEqual(['The Third Man', results[0]?.['etag'] as string]);
    expect((await world.request(`/v2/reviews/${String(results[1]?.['id'])}`, { headers: position })).json['film']).toBe(id);
    expect((await carry([film, review], 'v2', { 'idempotency-key': 'both' })).json).toEqual(made.json);
    const before = await world.request(`/v2/films/${id}`, { headers });
    expect(unitsLeft(before.headers) - unitsLeft((await carry([film, review, review])).headers)).toBe(3);
  });

  test('what is refused is told by its place, before the origin is asked where it can be', async () => {
    const refused = await carry([film, { ...review, body: { author: 'eve', rating: 5, text: 'No.' } }]);
    expect(refused).toMatchObject({ status: 403, json: { code: 'forbidden', errors: [{ at: '/operations/1', in: 'body' }] } });
    expect(await carry([film, { ...review, body: { author: 'ed', rating: 9, text: '' } }])).toMatchObject({
      status: 422, json: { errors: [{ at: '/operations/1/body/rating' }] },
    });
    const anonymous = await world.request('/v2/transaction', { json: { operations: [film] } });
    expect(anonymous).toMatchObject({ status: 401, json: { code: 'token_missing', errors: [{ at: '/operations/0' }] } });
    expect(anonymous.headers.get('www-authenticate')).toStartWith('Bearer');
    expect((await world.request('/v2/transaction')).headers.get('allow')).toBe('POST, OPTIONS');
  });

  test('an older version takes what is the same in it, and refuses the rest by name', async () => {
    const id = '01890a5d-ac96-774b-bcce-b302099a8057';
    const alone = { op: 'create', resource: 'reviews', body: { film: id, author: 'ed', rating: 5, text: 'Yes.' } };
    expect((await carry([alone], 'v1')).status).toBe(200);
    expect(await carry([alone, film], 'v1')).toMatchObject({
      status: 422, json: { errors: [{ at: '/operations/1/resource', in: 'body' }] },
    });
    expect((await carry([alone, film], 'v1')).json['detail']).toContain('v2');
  });
});
