/** Related documents as clients see them: kept at the edge until a document of either side changes, and in each version's form. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createFilm, patchFilm } from '../support/film.ts';
import { eventually } from '../support/eventually.ts';
import { freshWithinMs, startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';

interface Shown {
  readonly id: string;
  readonly title?: string;
  readonly thumbnail?: string;
  readonly image?: object;
}
interface Review {
  readonly id: string;
  readonly text: string;
  readonly film: string | Shown | null;
}
interface FilmWithReviews extends Shown {
  readonly reviews: readonly Review[];
}

describe.each(worldsOfBoth)('related documents on %s in %s', (engine, stack) => {
  let world: World;
  beforeAll(async () => void (world = await startWorld({ engine, stack })));
  afterAll(() => world.close());

  const review = async (film: string, fields: object = {}) => {
    const answer = await world.request('/v2/reviews', {
      token: await world.token({ subject: 'rita' }),
      json: { film, author: 'rita', rating: 5, text: 'Seen.', status: 'published', ...fields },
    });
    if (answer.status !== 201) throw new Error(answer.text);
    return answer.json<Review>();
  };
  const filmsOf = (text: string) => (JSON.parse(text) as { data: Review[] }).data.map(({ film }) => film);
  const isSeen = (what: string, path: string, has: (text: string) => boolean) =>
    eventually(what, async () => has((await world.request(path)).text), { msMax: freshWithinMs, everyMs: 20 });

  test('a page of reviews with their film is kept until the film changes, and no longer', async () => {
    const [{ film, path: filmPath }, { path: otherPath }] = [await createFilm(world, { title: 'Before' }), await createFilm(world)];
    await review(film.id);
    const path = `/v2/reviews?film=${film.id}&expand=film`;
    await isSeen('the review', path, (text) => filmsOf(text).length === 1);
    const kept = await world.mustHit(path);
    expect(filmsOf(kept.text)).toEqual([expect.objectContaining({ id: film.id, title: 'Before' })]);
    expect((await world.request(path, { headers: { 'if-none-match': kept.etag } })).status).toBe(304);
    await patchFilm(world, otherPath, { title: 'Another' });
    await world.mustHit(path);

    const changed = await patchFilm(world, filmPath, { title: 'After' });
    const seen = await world.request(path, { headers: { 'tombolo-position': changed.position } });
    expect(filmsOf(seen.text)).toEqual([expect.objectContaining({ title: 'After' })]);
    await world.mustHit(path);
    await patchFilm(world, filmPath, { title: 'Last' });
    await isSeen('the new title', path, (text) => text.includes('Last'));
    await world.request(filmPath, { method: 'DELETE', token: await world.token() });
    await isSeen('that it is gone', path, (text) => filmsOf(text)[0] === null);
  });

  test('a film shows the reviews that its caller may see, newest first, and falls with one that is published', async () => {
    const { film, path } = await createFilm(world);
    const expanded = `${path}?expand=reviews`;
    const textsOf = (text: string) => (JSON.parse(text) as FilmWithReviews).reviews.map((each) => each.text);
    await isSeen('the film', expanded, (text) => textsOf(text).length === 0);
    await world.mustHit(expanded);
    await review(film.id, { text: 'First.' });
    await isSeen('the first', expanded, (text) => textsOf(text).join() === 'First.');
    const draft = await review(film.id, { text: 'Second.', status: 'draft' });
    expect(textsOf((await world.mustHit(expanded)).text)).toEqual(['First.']);
    const rita = { token: await world.token({ subject: 'rita' }) };
    expect(textsOf((await world.mustHit(expanded, rita)).text)).toEqual(['Second.', 'First.']);
    await world.request(`/v2/reviews/${draft.id}`, {
      ...rita, method: 'PATCH', body: '{"status":"published"}', headers: { 'content-type': 'application/merge-patch+json' },
    });
    await isSeen('what was published', expanded, (text) => textsOf(text).join() === 'Second.,First.');
  });

  test('what is removed is not shown to whoever may restore it either, and is again once it is restored', async () => {
    const { film, path } = await createFilm(world);
    const expanded = `${path}?expand=reviews`;
    const moderator = { token: await world.token({ subject: 'mia', roles: ['moderator'] }) };
    const isShown = (what: string, shown: boolean) =>
      eventually(what, async () => (await world.request(expanded, moderator)).text.includes('Seen.') === shown, {
        msMax: freshWithinMs, everyMs: 20,
      });
    const { id } = await review(film.id);
    await isShown('the review', true);
    await world.mustHit(expanded, moderator);
    const removed = await world.request(`/v2/reviews/${id}`, { ...moderator, method: 'DELETE' });
    await isShown('that it is gone', false);
    await world.mustHit(expanded, moderator);
    const restored = await world.request(`/v2/reviews/${id}/restore`, { ...moderator, method: 'POST' });
    expect([removed.status, restored.status]).toEqual([204, 200]);
    await isShown('the restored one', true);
  });

  test('an older version has each document in its own form, kept beside that of the current one', async () => {
    const { film, path } = await createFilm(world);
    await patchFilm(world, path, { image: { url: 'https://example.org/t.jpg' } });
    await review(film.id);
    const query = `reviews?film=${film.id}&expand=film`;
    await isSeen('the review', `/v2/${query}`, (text) => filmsOf(text).length === 1 && text.includes('t.jpg'));
    const now = await world.mustHit(`/v2/${query}`);
    const old = await world.mustHit(`/v1/${query}`);
    expect(filmsOf(old.text)).toEqual([expect.objectContaining({ id: film.id, thumbnail: 'https://example.org/t.jpg' })]);
    expect(old.text).not.toContain('"image"');
    expect(old.etag).not.toBe(now.etag);
    expect((await world.request(`/v1/${query}`, { headers: { 'if-none-match': old.etag } })).status).toBe(304);
    const around = await world.request(`/v1/films/${film.id}?expand=reviews.film&fields=thumbnail`);
    expect(around.json<FilmWithReviews>()).toMatchObject({
      id: film.id, thumbnail: 'https://example.org/t.jpg', reviews: [{ film: { thumbnail: 'https://example.org/t.jpg' } }],
    });
    expect(around.text).not.toContain('"image"');
  });

  test('what cannot be expanded is refused by name, before the origin is asked', async () => {
    for (const [path, detail] of [
      ['/v2/reviews?author=rita&expand=director', 'unknown relation'], ['/v2/places?state=MA&expand=film', 'places has none'],
      ['/v1/films?expand=reviews&limit=200', 'may be 4000 documents'], ['/v2/films?expand=reviews.film.reviews', '3 levels'],
    ] as const) {
      const answer = await world.request(path);
      expect([path, answer.status, answer.text.includes(detail)]).toEqual([path, 400, true]);
    }
  });
});
