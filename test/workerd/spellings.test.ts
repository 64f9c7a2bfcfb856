/** One cached answer for all spellings of what is asked for. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { eventually } from '../support/eventually.ts';
import { toFilm } from '../support/film.ts';
import { World } from '../support/world.ts';

const id = '0198f2aa-0000-7000-8000-00000000000a';
let world: World;
beforeAll(async () => void (world = await World.start()));
afterAll(() => world.close());

const statusOf = (answer: Response) => answer.headers.get('cache-status');

test('a document is cached under its UUID in any spelling, and falls with it', async () => {
  await world.get(`/v2/films/${id.toUpperCase()}`);
  await world.mustHit(`/v2/films/${id}`);
  world.write(id, toFilm({ title: 'Found' }));
  await world.feed.tell();
  await eventually('the document that was written', async () => (await world.get(`/v2/films/${id}`)).status === 200);
  await world.mustHit(`/v2/films/${id}`);
  const hit = await world.get(`/v2/films/${id.toUpperCase()}`);
  expect([statusOf(hit), await hit.json()]).toMatchObject(['tombolo; hit', { title: 'Found' }]);
});

test('a filter that is no UTF-8, twice there or outside the schema ends at the edge, by its name', async () => {
  const asked = world.origin.seen.length;
  for (const [query, at] of [
    ['genres=%ff', 'genres'],
    ['genres=a&genres=b', 'genres'],
    ['genres=a&genres[in]=b', 'genres[in]'],
    ['genres=', 'genres'],
  ] as const) {
    const answer = await world.get(`/v2/films?${query}`);
    expect([answer.status, ((await answer.json()) as { errors: { at: string }[] }).errors[0]?.at]).toEqual([400, at]);
  }
  for (const path of ['/v2/reviews?film=', '/v2/reviews?film=x']) expect((await world.get(path)).status).toBe(400);
  expect(world.origin.seen.length).toBe(asked);
});
