/** What the edge tells of itself to who has the token, in workerd before an origin that the test writes. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { metricsOf, mustSamples } from '../support/openmetrics.ts';
import { expressions } from '../support/scraped-origin.ts';
import { codeOf, film, World } from '../support/world.ts';

const token = 'a-token-of-32-characters-or-more';
const path = '/.tombolo/metrics';

describe('an edge with a token of metrics', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ variables: { TOMBOLO_METRICS_TOKEN: token } });
  });
  afterAll(() => world.close());

  const ask = (authorization?: string) => fetch(world.edge.url + path, { headers: authorization === undefined ? {} : { authorization } });
  const scrape = async () => {
    const answer = await ask(`Bearer ${token}`);
    expect([answer.status, answer.headers.get('content-type'), answer.headers.get('cache-control')]).toEqual([
      200, 'application/openmetrics-text; version=1.0.0; charset=utf-8', 'no-store',
    ]);
    return mustSamples(await answer.text());
  };
  const sum = (samples: Awaited<ReturnType<typeof scrape>>, name: string, labels: Readonly<Record<string, string>> = {}) => samples
    .filter((sample) => sample.name === `tombolo_edge_${name}`)
    .filter((sample) => Object.entries(labels).every(([key, value]) => sample.labels[key] === value))
    .reduce((all, { value }) => all + value, 0);

  test('tells answers by operation, status, reason and cache, units, and the times of the origin', async () => {
    await world.change('a', film('A'));
    const before = await scrape();
    const requests = (labels: Readonly<Record<string, string>>) => async () => sum(await scrape(), 'requests_total', labels) -
      sum(before, 'requests_total', labels);
    for (let round = 0; round < 3; round++) expect((await world.get('/v2/films/a')).status).toBe(200);
    expect((await world.get('/v2/films?nope=1')).status).toBe(400);
    expect((await world.get('/v2/nothing')).status).toBe(404);
    expect(await requests({ operation: 'get', status: '2xx' })()).toBe(3);
    expect(await requests({ operation: 'get', status: '2xx', cache: 'hit' })()).toBeGreaterThan(0);
    expect(await requests({ operation: 'list', status: '4xx', reason: 'query_invalid' })()).toBe(1);
    expect(await requests({ operation: 'none', status: '4xx', reason: 'route_not_found' })()).toBe(1);
    const after = await scrape();
    // Refusals behind the caller's plan are paid for as well.
    expect(sum(after, 'units_spent_total') - sum(before, 'units_spent_total')).toBe(4);
    const origin = new URL(world.origin.url).origin;
    expect(sum(after, 'origin_seconds_count', { origin })).toBeGreaterThan(0);
    expect(sum(after, 'origin_seconds_bucket', { origin, le: '+Inf' })).toBe(sum(after, 'origin_seconds_count', { origin }));
    expect(after.filter(({ name }) => name === 'tombolo_edge_breaker_open')).toEqual([
      { name: 'tombolo_edge_breaker_open', labels: { origin }, value: 0 },
    ]);
  });

  test('tells each metric of the edge that the dashboard and the alerts ask for, and no other', async () => {
    const told = new Set((await scrape()).map(({ name }) => name));
    const used = new Set(expressions.flatMap(metricsOf).filter((name) => name.startsWith('tombolo_edge_')));
    expect([...used].filter((metric) => !told.has(metric))).toEqual([]);
    expect([...told].filter((metric) => !used.has(metric) && !/_(sum|count)$/.test(metric))).toEqual([]);
  });

  test('is not there for whoever has not the token', async () => {
    for (const authorization of [undefined, 'Bearer', `Bearer ${token}x`, `Basic ${token}`, token, `bearer ${token}`]) {
      const answer = await ask(authorization);
      expect([authorization, answer.status, await codeOf(answer)]).toEqual([authorization, 404, 'route_not_found']);
    }
  });

  test('tells nothing that a caller sent, and no more series for a thousand paths and parameters', async () => {
    const count = (await scrape()).length;
    for (let index = 0; index < 100; index++) {
      await world.get(`/v2/films?planted${index}=1`);
      await world.get(`/v2/planted${index}`);
    }
    const text = await (await ask(`Bearer ${token}`)).text();
    expect(text).not.toContain('planted');
    expect(mustSamples(text).length).toBeLessThanOrEqual(count + 1);
  });
});

test('an edge without one has no such path', async () => {
  const world = await World.start();
  const answer = await world.get(path, { authorization: 'Bearer ' });
  expect([answer.status, await codeOf(answer)]).toEqual([404, 'route_not_found']);
  await world.close();
});
