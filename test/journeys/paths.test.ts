/** Documents with others in them: asked for, ordered, hidden, heard of and dropped from the cache by their paths (SEMANTICS §14). */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { EventStream } from '../support/event-stream.ts';
import { engines, freshWithinMs, startWorld, type World } from '../support/whole-world.ts';

const nested = { contractModule: 'test/support/nested-contract.ts' };
const movies = { a: ['Alien', 8.5, 100], b: ['Brazil', 7.9, 40], c: ['Clue', 8, 70], d: ['Dune', 6.3, 10] } as const;
const restaurants = {
  r1: ['Ample', '10462', ['A', 'B']], r2: ['Basil', '10462', ['B']], r3: ['Citron', '11225', ['C', 'A']],
} as const;

describe.each([...engines])('what stands inside others, on %s', (engine) => {
  let world: World;
  beforeAll(async () => {
    // A feed that is late on a busy machine makes nothing unknown here: what stays a hit is looked at.
    world = await startWorld({ engine, feedSilentMs: 10_000 });
    await world.edge.restart(nested);
    await world.origin.stop();
    await world.origin.start(nested);
    for (const [id, [title, rating, votes]] of Object.entries(movies)) await create('movies', { id, title, imdb: { rating, votes } });
    for (const [id, [name, zipcode, grades]] of Object.entries(restaurants)) {
      const graded = grades.map((grade, score) => ({ grade, score }));
      await create('restaurants', { id, name, address: { street: 'Bronx Street', zipcode }, grades: graded });
    }
  });
  afterAll(() => world.close());

  async function create(name: string, json: object): Promise<void> {
    const { status, text } = await world.request(`/v2/${name}`, { token: await world.token(), json });
    expect([status, text]).toEqual([201, expect.any(String)]);
  }
  const found = async (path: string) => (await world.request(path)).json<{ data: readonly Readonly<Record<string, unknown>>[] }>().data;
  const becomes = (read: () => Promise<readonly unknown[]>, wanted: readonly unknown[]) =>
    eventually('the list', async () => (expect(await read()).toEqual([...wanted]), true), { msMax: freshWithinMs, everyMs: 20 });
  const ids = async (path: string) => (await found(path)).map(({ id }) => id);

  test('is filtered, ordered, paged and shown by paths', async () => {
    expect(await ids('/v2/movies?imdb.rating[gte]=7.9&sort=-imdb.rating')).toEqual(['a', 'c', 'b']);
    expect(await ids('/v2/movies?imdb.rating[lt]=8.5&sort=imdb.rating')).toEqual(['d', 'b', 'c']);
    expect(await found('/v2/movies?imdb.rating[gte]=8.5&fields=imdb.rating')).toEqual([{ id: 'a', imdb: { rating: 8.5 } }]);
    expect(await ids('/v2/restaurants?grades.grade=A')).toEqual(['r1', 'r3']);
    expect(await ids('/v2/restaurants?address.zipcode=10462')).toEqual(['r1', 'r2']);
    expect(await found('/v2/restaurants?grades.grade=C&fields=grades.grade')).toEqual([
      { id: 'r3', grades: [{ grade: 'C' }, { grade: 'A' }] },
    ]);
    const { page } = (await world.request('/v2/movies?limit=2')).json<{ page: { next: string } }>();
    expect(await ids(`/v2/movies?limit=2&after=${page.next}`)).toEqual(['b', 'd']);
    expect((await world.request('/v2/movies?imdb.nope=1')).code).toBe('query_invalid');
  });

  test('is dropped from the cache where another program changes it, and stays where it changes something else', async () => {
    const [ofA, ofB, rated] = ['/v2/restaurants?grades.grade=A', '/v2/restaurants?grades.grade=B', '/v2/movies?imdb.rating[gte]=7'];
    await world.mustHit(rated);
    await world.foreign.set('movies', 'd', { imdb: { rating: 9, votes: 11 } });
    await becomes(() => ids(rated), ['d', 'a', 'c', 'b']);
    await world.foreign.set('restaurants', 'r3', { address: { street: 'Bronx Street', zipcode: '11226' } });
    await becomes(() => ids('/v2/restaurants?address.zipcode=11226'), ['r3']);
    // By now the edge has heard of all earlier changes of restaurants, too: a hit from here on stays one.
    await Promise.all([ofA, ofB].map((path) => world.mustHit(path)));
    await world.foreign.set('restaurants', 'r3', { grades: [{ grade: 'C', score: 1 }] });
    await becomes(() => ids(ofA), ['r1']);
    expect((await world.request(ofB)).isHit).toBe(true);
  });

  test('is hidden by its path in answers, filters and events', async () => {
    const token = await world.token();
    expect((await world.request('/v2/movies/a')).json<object>()).toMatchObject({ imdb: { rating: 8.5 } });
    expect((await world.request('/v2/movies/a')).text).not.toContain('votes');
    expect((await world.request('/v2/movies/a', { token })).json<object>()).toMatchObject({ imdb: { votes: 100 } });
    expect((await world.request('/v2/movies?imdb.votes=100')).code).toBe('forbidden');
    const stream = new EventStream(await fetch(`${world.edge.url}/v2/movies/changes`, { headers: { accept: 'text/event-stream' } }));
    await stream.heardFrom();
    await world.foreign.set('movies', 'a', { imdb: { rating: 8.4, votes: 101 } });
    const event = await stream.next();
    expect([event?.name, JSON.parse(event?.data ?? '')]).toMatchObject(['updated', { id: 'a', imdb: { rating: 8.4 } }]);
    expect(event?.data).not.toContain('votes');
    await stream.close();
  });
});
