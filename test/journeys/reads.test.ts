/** A reader's way through the cache: the first answer, the cached one, and the one that says nothing changed. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { createFilm } from '../support/film.ts';
import { freshWithinMs, startWorld, type World, worlds } from '../support/whole-world.ts';

describe.each(worlds)('reads on %s in %s', (engine, stack) => {
  let world: World;
  beforeAll(async () => void (world = await startWorld({ engine, stack })));
  afterAll(() => world.close());

  test('answers a document first from the origin, then from the cache with the same bytes and an Age', async () => {
    const { path, film } = await createFilm(world);
    const first = await world.request(path);
    expect([first.status, first.isHit]).toEqual([200, false]);
    const cached = await world.mustHit(path);
    expect(cached.text).toBe(first.text);
    expect(cached.etag).toBe(first.etag);
    expect(Number(cached.headers.get('age'))).toBeGreaterThanOrEqual(0);
    expect(cached.film.id).toBe(film.id);
  });

  test('answers a page from the cache, and another order of the same parameters with it', async () => {
    await createFilm(world, { title: 'Laura', year: 1944, genres: ['Noir', 'Mystery'] });
    const path = '/v2/films?genres=Mystery&sort=-year,title&limit=5';
    const first = await world.mustHit(path);
    expect(first.page.data.map(({ title }) => title)).toEqual(['Laura']);
    // Each order is asked once, so that none is kept by its own name; on a busy machine the edge may not hear of the feed for a moment.
    const [limit, sort, genres] = ['limit=5', 'sort=-year,title', 'genres=Mystery'];
    const orders = [[limit, sort, genres], [sort, limit, genres], [sort, genres, limit]];
    const found = [];
    for (const order of orders) found.push(await world.request(`/v2/films?${order.join('&')}`));
    expect(found.map(({ text }) => text)).toEqual(orders.map(() => first.text));
    expect(found.some(({ isHit }) => isHit)).toBe(true);
  });

  test('answers 304 without a body to a reader who has the present bytes', async () => {
    const { path } = await createFilm(world);
    const { etag } = await world.request(path);
    for (const when of ['from the origin or the cache', 'from the cache for sure']) {
      const again = await world.request(path, { headers: { 'if-none-match': `"other", W/${etag}` } });
      expect([when, again.status, again.text, again.etag]).toEqual([when, 304, '', etag]);
      await world.mustHit(path);
    }
  });

  test('caches that a document is not there, until it is', async () => {
    const path = '/v2/places/99999';
    expect((await world.request(path)).status).toBe(404);
    expect((await world.mustHit(path)).status).toBe(404);
    const created = await world.request('/v2/places', {
      token: await world.token(),
      json: { id: '99999', latitude: 1, longitude: 2, city: 'Nowhere', state: 'ZZ', county: 'None' },
    });
    expect(created.status).toBe(201);
    expect((await world.request(path, { headers: { 'tombolo-position': created.position } })).status).toBe(200);
    await eventually('the document, without its position', async () => (await world.request(path)).status === 200, {
      msMax: freshWithinMs,
    });
  });

  test('answers HEAD with the headers of GET and no body', async () => {
    const { path } = await createFilm(world);
    const got = await world.request(path);
    const head = await world.request(path, { method: 'HEAD' });
    expect([head.status, head.text, head.etag]).toEqual([200, '', got.etag]);
  });

  test('answers HEAD with the length of GET or with none, and of what it keeps with the length', async () => {
    const { path } = await createFilm(world);
    await world.mustHit(path);
    const token = await world.token();
    const lengthOf = async (target: string, method: string) => {
      const { headers } = await world.request(target, { method, ...(target === '/v2/usage' ? { token } : {}) });
      return headers.get('content-length');
    };
    for (const kept of [path, '/docs', '/openapi.json']) {
      expect([kept, await lengthOf(kept, 'HEAD')]).toEqual([kept, await lengthOf(kept, 'GET')]);
    }
    for (const target of ['/health', '/live', '/docs/scalar.js', '/v2/usage', '/v2/films?sort=nothing', '/v2/films/export', '/nothing']) {
      expect([null, await lengthOf(target, 'GET')]).toContain(await lengthOf(target, 'HEAD'));
    }
  });

  test('never serves a signed-in caller what was stored for another scope', async () => {
    const { path } = await createFilm(world);
    await world.mustHit(path);
    // Films are public, so one stored answer serves everyone; a bad token is refused before the cache is asked.
    const refused = await world.request(path, { token: 'not.a.token' });
    expect([refused.status, refused.isHit]).toEqual([401, false]);
  });
});
