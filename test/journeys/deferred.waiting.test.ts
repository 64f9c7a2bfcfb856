/** Operations behind their answers, as clients of the edge use them: asked for, looked at, fetched, and left by a killed origin. */
import { beforeAll, describe, expect, test } from 'bun:test';
import { deferredLimits } from '../../shared/deferred/limits.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { eventually } from '../support/eventually.ts';
import { type World, worldsOfBoth } from '../support/whole-world.ts';
import { worldsAtOnce } from '../support/worlds-at-once.ts';

const filmsOf = (title: string, count: number) => `{"title":"${title}","year":1949}\n`.repeat(count);

const worldOf = worldsAtOnce();

/** What somebody asks of one world. */
function asking(world: World, token: string) {
  const importLater = async (body: string) => {
    const headers = { prefer: 'respond-async', 'content-type': 'application/x-ndjson' };
    return world.request('/v2/films/import', { method: 'POST', token, body, headers });
  };
  const status = async (path: string) => JSON.parse((await world.request(path, { token })).text) as JsonObject;
  const ended = (path: string) => eventually('it ends', async () => {
    const shown = await status(path);
    return shown['endedAt'] === undefined ? undefined : shown;
  }, { msMax: 2 * deferredLimits.aliveMs, everyMs: 100 });
  const found = async (title: string) => {
    const { text } = await world.request(`/v2/films?title=${title}&limit=1&count=exact`);
    return (JSON.parse(text) as { page: { total: number } }).page.total;
  };
  return { importLater, status, ended, found };
}

describe.each(worldsOfBoth)('behind its answer on %s in %s', (engine, stack) => {
  let world: World;
  let token: string;
  beforeAll(async () => {
    world = worldOf(engine, stack);
    token = await world.token();
  });

  test('an import is answered with where its status is, which nothing keeps, and its report is fetched', async () => {
    const { importLater, ended } = asking(world, token);
    const answer = await importLater(filmsOf('Asked', 300));
    const told = ['preference-applied', 'cache-control'].map((name) => answer.headers.get(name));
    expect([answer.status, ...told]).toEqual([202, 'respond-async', 'no-store']);
    const path = answer.headers.get('location') ?? '';
    expect(path).toMatch(/^\/v2\/operations\/[0-9a-f]{24}$/);
    const shown = await ended(path);
    expect(shown).toMatchObject({ state: 'done', rows: 300, summary: { imported: 300, complete: true } });
    for (let asked = 0; asked < 3; asked++) {
      const again = await world.request(path, { token });
      expect([again.status, again.isHit]).toEqual([200, false]);
    }
    const other = await world.token({ subject: 'mallory', roles: ['editor'] });
    expect([(await world.request(path, { token: other })).status, (await world.request(path)).status]).toEqual([404, 401]);
    const report = await world.request(`${path}/result`, { token });
    expect(JSON.parse(report.text)).toEqual({ summary: shown['summary'] });
    expect((await world.request(path, { method: 'DELETE', token })).status).toBe(200);
    expect((await world.request(path, { token })).status).toBe(404);
  });

  test('a key sees what it asked for, and nothing else of its owner', async () => {
    const { ended } = asking(world, token);
    const made = await world.request('/v2/keys', { token, json: { name: 'export', scopes: ['films:export'] } });
    const { key } = JSON.parse(made.text) as { key: string };
    const headers = { prefer: 'respond-async' };
    const [ofKey, ofOwner] = [
      await world.request('/v2/films/export', { token: key, headers }), await world.request('/v2/films/export', { token, headers }),
    ].map((answer) => answer.headers.get('location') ?? '');
    await ended(ofKey ?? '');
    await ended(ofOwner ?? '');
    const seen = [ofKey, ofOwner].map(async (path) => (await world.request(`${path}/result`, { token: key })).status);
    expect(await Promise.all(seen)).toEqual([200, 404]);
    const { text } = await world.request(`${ofKey}/result`, { token: key });
    expect(text.trimEnd().split('\n').at(-1)).toContain('"complete":true');
  });

  test('an older version, and HEAD, answer directly', async () => {
    const headers = { prefer: 'respond-async' };
    const answer = await world.request('/v1/films/export', { token, headers });
    expect([answer.status, answer.headers.get('preference-applied')]).toEqual([200, null]);
    const head = await world.request('/v2/films/export', { method: 'HEAD', token, headers });
    expect([head.status, head.headers.get('location')]).toEqual([200, null]);
  });
});

// Its failure is told when the origin that ran it has been silent for long enough.
test.concurrent.each(worldsOfBoth)('on %s in %s one whose origin was killed failed, what was committed stays', async (engine, stack) => {
  const world = worldOf(engine, stack);
  const { importLater, status, ended, found } = asking(world, await world.token());
  const path = (await importLater(filmsOf('Killed', 30_000))).headers.get('location') ?? '';
  await eventually('it runs', async () => (await status(path))['state'] === 'running', { everyMs: 5 });
  await world.origin.kill9();
  await world.origin.start();
  const shown = await ended(path);
  const detail = expect.stringContaining('the origin ended');
  expect(shown).toMatchObject({ state: 'failed', problem: { code: 'operation_interrupted', detail } });
  const committed = await found('Killed');
  expect(committed).toBeLessThan(30_000);
  expect(committed).toBeGreaterThanOrEqual(Number(shown['rows']));
}, 60_000);
