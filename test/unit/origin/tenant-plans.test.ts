/** Plans of tenants, which bound all their callers together, and what is told of the use of a tenant and of a key, to whom. */
import { expect, test } from 'bun:test';
import * as z from 'zod';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { plans } from '../../../shared/limits/plans.ts';
import { usageAlerts } from '../../../shared/resources/usage-alerts.ts';
import { versions } from '../../../shared/resources/versions.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ContractWorld } from '../../support/contract-world.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const notes = resource({
  name: 'notes', schema: z.object({ text: z.string() }), rules: { read: anyone, write: anyone }, shapes: { all: {} },
  limits: { unavailable: { read: 'refuse' } },
});
const month = { windows: [{ limit: 100_000, seconds: 60 }] };
const offered = plans({
  anonymous: 'bench', signedIn: 'bench', tenants: 'team',
  plans: { bench: [{ limit: 1_000_000, seconds: 60 }], team: { ...month, month: 10 }, big: { ...month, month: 1_000 } },
});

test.each(engines)('on %s: a tenant has one plan for all its callers, and its use is told to those who administer it', async (engine) => {
  await using world = await ContractWorld.on(engine, contract(versions, notes, usageAlerts), offered);
  const as = async (payload: JsonObject) => ({ authorization: `Bearer ${await world.issuer.token('ed', { payload })}` });
  const get = async (path: string, payload: JsonObject) => world.request(path, { headers: await as(payload) });
  const [ada, bob] = [{ sub: 'ada', tenant: 'odeon' }, { sub: 'bob', tenant: 'odeon' }];
  const olga = { sub: 'olga', roles: ['admin'], tenant: 'odeon' };
  const root = { sub: 'root', roles: ['admin'] };

  // Whoever is refused for want of a counter asks again: what is refused is charged to nobody.
  const codes = { passed: 0, unsaid: 0 };
  const fillUp = async (payload: JsonObject) => {
    for (;;) {
      const { status, json } = await get('/v2/notes', payload);
      if (status === 429) return json;
      codes[status === 200 ? 'passed' : 'unsaid']++;
    }
  };
  const refusals = await Promise.all([ada, bob, ada].map(fillUp));
  expect(codes.passed).toBeLessThanOrEqual(10);
  if (codes.unsaid === 0) expect(codes.passed).toBe(10);
  for (const refused of refusals) expect(refused).toMatchObject({ code: 'quota_exceeded', detail: 'plan "team": 10 in a month' });
  // Nobody else is bounded by it, nor is the tenant once its token says another plan.
  for (const other of [{ sub: 'ada', tenant: 'ritz' }, { sub: 'ada' }, { ...ada, tenant_plan: 'big' }]) {
    expect((await get('/v2/notes', other)).status).toBe(200);
  }
  expect((await get('/v2/notes', { ...ada, tenant_plan: 'constructor' })).status).toBe(429);

  const used = async (query: string, payload: JsonObject) => {
    const { status, json } = await get(`/v2/usage${query}`, payload);
    return status === 200 ? { ...(json['month'] as JsonObject), plan: json['plan'], days: json['days'] } : json['code'];
  };
  // A lease is settled when it ends, after two seconds.
  const settled = await eventually('all of it is settled', async () => {
    const seen = await used('?tenant=odeon', olga);
    return typeof seen === 'object' && JSON.stringify(seen).includes('"unsettled":0') && seen;
  });
  const reads = codes.unsaid === 0 ? 11 : expect.any(Number);
  expect(settled).toMatchObject({ used: reads, plan: undefined, days: [{ reads, writes: 0 }] });
  expect(await used('?tenant=odeon', root)).toEqual(await used('?tenant=odeon', olga));
  expect([await used('?tenant=odeon', ada), await used('?tenant=odeon', { ...olga, tenant: 'ritz' })]).toEqual(['forbidden', 'forbidden']);
  expect([await used('?tenant=a&key=b', olga), await used('?key=b', olga), await used('?of=ada', olga)]).toEqual([
    'query_invalid', 'query_invalid', 'query_invalid',
  ]);

  const [alert] = await eventually('the alerts of the tenant', async () => {
    const { json } = await get('/v2/usage-alerts', { ...olga, tenant_plan: 'big' });
    const found = json['data'] as JsonObject[];
    return found.length === 2 && found;
  });
  expect(alert).toMatchObject({ tenant: 'odeon', plan: 'team', quota: 10 });
  expect([alert?.['subject'], (await get('/v2/usage-alerts', { ...ada, tenant_plan: 'big' })).json['data']]).toEqual([undefined, []]);
});

test('on SQLite: what is asked with a key is told for the key, to whoever may see it', async () => {
  await using world = await ContractWorld.on('sqlite', contract(versions, notes), offered);
  const as = async (payload: JsonObject) => ({ authorization: `Bearer ${await world.issuer.token('ed', { payload })}` });
  const ada = await as({ sub: 'ada' });
  const made = await world.request('/v2/keys', { headers: ada, json: { name: 'a', scopes: ['notes:*'] } });
  const [id, key] = [String(made.json['id']), { authorization: `Bearer ${String(made.json['key'])}` }];
  for (let round = 0; round < 5; round++) expect((await world.request('/v2/notes', { headers: key })).status).toBe(200);
  expect((await world.request('/v2/notes', { headers: key, json: { text: 'a' } })).status).toBe(201);
  const use = async (headers: Readonly<Record<string, string>>) => world.request(`/v2/usage?key=${id}`, { headers });
  const settled = await eventually('all is settled', async () => {
    const { json: { days } } = await use(ada);
    return Array.isArray(days) && (days[0] as JsonObject | undefined)?.['unsettled'] === 0 && (days as JsonObject[]);
  });
  expect(settled).toMatchObject([{ reads: 5, writes: 1, streams: 0 }]);
  expect((await use(await as({ sub: 'root', roles: ['admin'] }))).json['days']).toEqual(settled);
  expect((await use(await as({ sub: 'eve' }))).status).toBe(404);
  // It is part of what its owner has used, who is asked for no more than that.
  const { json: { month: own } } = await world.request('/v2/usage', { headers: ada });
  expect((own as JsonObject)['used']).toBeGreaterThanOrEqual(6);
});

test('on SQLite: what was refused was not used with a key either', async () => {
  const bench = [{ limit: 1_000_000, seconds: 60 }];
  const few = plans({ anonymous: 'bench', signedIn: 'few', plans: { bench, few: [{ limit: 20, seconds: 600 }] } });
  await using world = await ContractWorld.on('sqlite', contract(versions, notes), few);
  const ada = { authorization: `Bearer ${await world.issuer.token('ed', { payload: { sub: 'ada' } })}` };
  const made = await world.request('/v2/keys', { headers: ada, json: { name: 'a', scopes: ['notes:*'] } });
  const [id, key] = [String(made.json['id']), { authorization: `Bearer ${String(made.json['key'])}` }];
  const passed = await Promise.all(Array.from({ length: 60 }, async () => (await world.request('/v2/notes', { headers: key })).status));
  expect(passed).toContain(429);
  const used = async (query: string) => ((await world.request(`/v2/usage${query}`, { headers: ada })).json['month'] as JsonObject)['used'];
  const own = Number(await used(''));
  // A lease of the key's counter is settled when it ends, after two seconds.
  await Bun.sleep(2_500);
  expect(Number(await used(`?key=${id}`))).toBeLessThanOrEqual(own);
});
