/** Alerts of quotas, from the request that comes to 80 % to the document that its owner and their tenant's admin read and watch. */
import { expect, test } from 'bun:test';
import { plans } from '../../../shared/limits/plans.ts';
import { served } from '../../../shared/resources/all.ts';
import type { JsonObject } from '../../../shared/wire/values.ts';
import { ContractWorld } from '../../support/contract-world.ts';
import { eventually } from '../../support/eventually.ts';
import { engines } from '../../support/whole-world.ts';

const month = `${new Date().toISOString().slice(0, 7)}-01`;
const offered = plans({
  anonymous: 'bench', signedIn: 'monthly',
  plans: {
    bench: [{ limit: 1_000_000, seconds: 60 }], free: [{ limit: 100_000, seconds: 60 }],
    monthly: { windows: [{ limit: 9, seconds: 1 }], month: 10 },
  },
});

test.each(engines)('on %s: each share is one document of a caller and month, for them and who administers their tenant', async (engine) => {
  await using world = await ContractWorld.on(engine, served, offered);
  const as = async (payload: JsonObject) => ({ authorization: `Bearer ${await world.issuer.token('ed', { payload })}` });
  const ada = await as({ sub: 'ada', tenant: 'odeon' });
  const listed = async (headers: Readonly<Record<string, string>>) => {
    const { status, json } = await world.request('/v2/usage-alerts?sort=-createdAt', { headers });
    expect(status).toBe(200);
    return (json['data'] as JsonObject[]).sort((a, b) => Number(a['share']) - Number(b['share']));
  };
  const free = { plan: 'free' };
  const asAda = await as({ sub: 'ada', tenant: 'odeon', ...free });
  const { stream } = await world.follow('/v2/usage-alerts/changes', await as({ sub: 'olga', roles: ['admin'], tenant: 'odeon', ...free }));
  // The origin is away meanwhile, and is told when it is back.
  world.isAway = true;
  const isUsed = async () => (await world.request('/v2/films', { headers: ada })).json['code'] === 'quota_exceeded';
  await eventually('the quota is used', isUsed, { everyMs: 120 });
  world.isAway = false;
  const seen = await eventually('both shares', async () => {
    const found = await listed(asAda);
    return found.length === 2 && found;
  });
  const about = { subject: 'ada', tenant: 'odeon', plan: 'monthly', quota: 10, month };
  expect(seen).toMatchObject([{ ...about, share: 80 }, { ...about, share: 100 }]);
  const events = [await stream.next(), await stream.next()].map((event) => event?.data);
  expect(events.join()).toContain('"share":80');
  await stream.close();
  expect(await listed(await as({ sub: 'olga', roles: ['admin'], tenant: 'odeon', ...free }))).toEqual(seen);
  expect(await listed(await as({ sub: 'mallory', roles: ['admin'], tenant: 'ritz', ...free }))).toEqual([]);
  expect(await listed(await as({ sub: 'bob', tenant: 'odeon', ...free }))).toEqual([]);
  // What the edge tells is for the edge alone to tell, and nobody writes an alert.
  const forged = { plan: 'free', share: 100, quota: 1, month };
  expect((await world.request('/v2/.usage/alerts', { headers: asAda, json: forged })).status).toBe(404);
  const written = { id: 'a'.repeat(64), subject: 'ada', ...forged };
  expect((await world.request('/v2/usage-alerts', { headers: asAda, json: written })).status).toBe(403);
});
