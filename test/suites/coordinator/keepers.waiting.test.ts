/** The suite on both keepers that the edge has: Durable Objects, and Redis, which two edges share. One file, so that all use one bundle. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { startEdge } from '../../support/edge.ts';
import { eventually } from '../../support/eventually.ts';
import { testThat } from '../../support/needs.ts';
import { redisServer, RestRedis } from '../../support/redis.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { film, World } from '../../support/world.ts';
import { exactPlans, expectExact, keeperSuite, workerModule } from './suite.ts';

const redisTest = testThat(redisServer);

let redis: RestRedis;
beforeAll(async () => {
  if (redisServer.met) redis = await RestRedis.start();
});
afterAll(() => redis?.[Symbol.asyncDispose]());

keeperSuite({ name: 'Durable Objects', variables: () => ({}), test, isMet: true });
keeperSuite({ name: 'Redis', variables: () => redis.variables, test: redisTest, isMet: redisServer.met });

redisTest('two edges on one Redis hear what one of them is told, by whichever origin, and count together', async () => {
  await redis.command('FLUSHALL');
  const variables = { TOMBOLO_ANONYMOUS_PLAN: '', ...redis.variables };
  const world = await World.start({ workerModule, silent: true, variables });
  const { issuer: { issuer, audience }, origin, feed } = world;
  const jwksUrl = `${origin.url}/.well-known/jwks.json`;
  const other = await startEdge({
    workerModule, originUrl: origin.url, keys: testKeys, issuer, audience, jwksUrl, memoMs: 200, feedSilentMs: 10_000, variables,
  });
  try {
    const tokenOf = async (plan: string, sub = plan) =>
      ({ authorization: `Bearer ${await world.issuer.token('ed', { payload: { sub, plan } })}` });
    const reader = await tokenOf('leased');
    const askOther = (path: string) => fetch(other.url + path, { headers: reader });
    await feed.begin();
    await world.change('a', film('A'));
    await feed.tell();
    await eventually('a hit at the other edge', async () =>
      (await askOther('/v2/films/a')).headers.get('cache-status') === 'tombolo; hit', { everyMs: 50 });
    await world.change('a', film('Told to the first'));
    expect(await (await askOther('/v2/films/a')).json()).toMatchObject({ title: 'Told to the first' });
    // Another origin reports to the other edge, from where the first origin has come to.
    const from = world.order();
    world.write('a', film('Told to the other'));
    const told = await origin.report(other.url, feed.idle({ from, whole: { films: world.order() }, asOf: feed.now() }));
    expect(told).toMatchObject({ accepted: true, through: world.order() });
    await world.pastMemo();
    expect(await (await world.get('/v2/films/a', reader)).json()).toMatchObject({ title: 'Told to the other' });
    origin.script = () => ({ status: 200, body: '{"data":[]}', headers: { 'content-type': 'application/json' } });
    for (const [plan, limit] of exactPlans) {
      let callers = 0;
      await expectExact(`${plan}: `, limit, async () => {
        const headers = await tokenOf(plan, `${plan}-${++callers}`);
        return Promise.all(Array.from({ length: 80 }, (_, index) =>
          fetch(`${index % 2 === 0 ? other.url : world.edge.url}/v2/notes`, { headers })));
      });
    }
  } finally {
    await other.close();
    await world.close();
  }
});
