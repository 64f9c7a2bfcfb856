/**
 * A rule becomes stricter, and edge and origin are deployed one after the other, in both orders, over the same
 * store and the same cache on disk: nothing stored under the old contract is served by the new one, what the new
 * origin refuses is refused, and the stored answers of resources that are declared as before stay right.
 */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { eventually } from '../../support/eventually.ts';
import { createFilm, toPlace } from '../../support/film.ts';
import { type Asking, freshWithinMs, startWorld, type World } from '../../support/whole-world.ts';

const stricter = { contractModule: 'test/proofs/scopes/stricter-contract.ts' };
const film = '0198c0de-0000-7000-8000-0000000000dd';

describe('a stricter rule', () => {
  let world: World;
  let alice: string;
  let paths: readonly string[];
  let etags: ReadonlyMap<string, string>;

  beforeEach(async () => {
    world = await startWorld({ engine: 'sqlite' });
    alice = await world.token();
    const { path } = await createFilm(world, { title: 'Public once', genres: ['Deploy'] });
    const review = await world.request('/v2/reviews', {
      token: alice,
      json: { film, author: 'alice', status: 'published', rating: 5, text: 'public once' },
    });
    paths = [path, '/v2/films?genres=Deploy', `/v2/reviews/${review.json<{ id: string }>().id}`, `/v2/reviews?film=${film}`];
    await Promise.all(paths.slice(0, 2).map((one) => world.mustHit(one)));
    // What may be cached for each caller is cached now.
    for (let times = 0; times < 2; times++) {
      for (const one of paths) {
        await Promise.all([world.request(one), world.request(one, { token: alice })]);
      }
    }
    etags = new Map(await Promise.all(paths.map(async (one) => [one, (await world.request(one)).etag] as const)));
  });
  afterEach(() => world.close());

  /** Targets of a resource that is declared as before. */
  const places = ['/v2/places/12345', '/v2/places?state=ZZ'];

  /** A feed that was silent for a moment makes the edge ask whether what it has stored still holds. */
  const kept = expect.stringMatching(/^tombolo; (hit|fwd=stale; fwd-status=304; stored)$/);

  /** Expects them from the cache once the origin reports, and until then no bytes sent anew. */
  async function expectPlacesKept(): Promise<void> {
    for (const path of places) {
      await eventually(`a hit for ${path}`, async () => {
        const { isHit, cacheStatus } = await world.request(path);
        expect(cacheStatus).not.toContain('fwd-status=200');
        return isHit;
      });
      for (let round = 0; round < 5; round++) expect([path, (await world.request(path)).cacheStatus]).toEqual([path, kept]);
    }
  }

  async function storePlaces(): Promise<void> {
    expect((await world.request(places[0] ?? '', { method: 'PUT', token: alice, json: toPlace() })).status).toBe(201);
    for (const path of places) await world.mustHit(path);
  }

  test('of one resource leaves the stored answers of the others, when the origin is deployed first', async () => {
    await storePlaces();
    await world.origin.stop();
    await world.origin.start(stricter);
    await Promise.all(paths.map((path) => eventually(`a refusal of ${path}`, async () => !(await shows(path)), { msMax: freshWithinMs })));
    await expectPlacesKept();
    await expectRefusals();
    await world.edge.restart(stricter);
    await expectPlacesKept();
    await expectRefusals();
  });

  test('of one resource leaves the stored answers of the others, when the edge is deployed first', async () => {
    await storePlaces();
    await world.edge.restart(stricter);
    await expectPlacesKept();
    for (const path of paths) {
      const answer = await world.request(path);
      expect([path, answer.isHit, answer.cacheStatus.includes('stored')]).toEqual([path, false, false]);
    }
    await world.origin.stop();
    await world.origin.start(stricter);
    await expectPlacesKept();
    await expectRefusals();
  });

  const shows = async (path: string, asking: Asking = {}): Promise<boolean> => {
    const { status, text } = await world.request(path, asking);
    return status === 304 || /public once/i.test(text);
  };

  const answersAlice = () => eventually('an answer to alice', () => shows(paths[0] ?? '', { token: alice }));

  async function deployBoth(): Promise<void> {
    await Promise.all([world.origin.stop(), world.edge.restart(stricter)]);
    await world.origin.start(stricter);
    await answersAlice();
  }

  /** Expects that nobody is shown anything unless signed in, plainly or by a condition, whoever else asks at the same time. */
  async function expectRefusals(): Promise<void> {
    for (let round = 0; round < 8; round++) {
      for (const path of paths) {
        const etag = etags.get(path) ?? '';
        const [plain, conditional, signedIn] = await Promise.all([
          shows(path),
          shows(path, { headers: { 'if-none-match': etag } }),
          shows(path, { token: alice }),
        ]);
        expect([round, path, plain, conditional, signedIn]).toEqual([round, path, false, false, true]);
      }
    }
  }

  test('binds within the bound when the origin is deployed first, and when it is away again', async () => {
    await world.origin.stop();
    await world.origin.start(stricter);
    await Promise.all(paths.map((path) => eventually(`a refusal of ${path}`, async () => !(await shows(path)), { msMax: freshWithinMs })));
    await expectRefusals();
    // What it refused is not shown in its name while it is away, once the bound is over within which the edge hears of it.
    await Bun.sleep(freshWithinMs);
    await world.origin.kill9();
    for (let round = 0; round < 60; round++) {
      for (const path of paths) {
        expect([round, path, await shows(path)]).toEqual([round, path, false]);
      }
    }
    await Promise.all([world.origin.start(stricter), world.edge.restart(stricter)]);
    await answersAlice();
    await expectRefusals();
  });

  test('serves nothing of the old cache when the edge is deployed first', async () => {
    await world.edge.restart(stricter);
    for (let round = 0; round < 5; round++) {
      for (const path of paths) {
        // The old origin still allows it; the edge has nothing of its own to give.
        const answer = await world.request(path);
        expect([path, answer.isHit, answer.cacheStatus.includes('stored')]).toEqual([path, false, false]);
      }
    }
    await world.origin.stop();
    for (const path of paths) expect([path, await shows(path)]).toEqual([path, false]);
    await world.origin.start(stricter);
    await answersAlice();
    await expectRefusals();
  });

  test('binds although the edge is rolled back to the old contract and finds its old cache', async () => {
    await deployBoth();
    await world.edge.restart();
    await expectRefusals();
  });

  test('finds its old cache again when both are rolled back, which shows that it was there all the time', async () => {
    await deployBoth();
    await Promise.all([world.origin.stop(), world.edge.restart()]);
    await world.origin.start();
    const answer = await eventually('an answer', async () => {
      const seen = await world.request(paths[1] ?? '');
      return seen.status === 200 ? seen : undefined;
    });
    // The answer was stored before the deploys and nothing of it has changed: a hit, or the origin's 304.
    expect(answer.isHit || answer.cacheStatus.includes('fwd-status=304')).toBe(true);
  });
});
