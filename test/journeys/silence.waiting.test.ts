/** A feed that says nothing never makes the cache look fresh. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createFilm } from '../support/film.ts';
import { eventually } from '../support/eventually.ts';
import { promised } from '../support/promised.ts';
import { engines, freshWithinMs, startWorld, type World } from '../support/whole-world.ts';

describe.each([...engines])('a silent feed on %s', (engine) => {
  let world: World;
  beforeEach(async () => void (world = await startWorld({ engine })));
  afterEach(() => world.close());

  test('makes every answer ask the origin, and is healed by the feed alone', async () => {
    const { path, film } = await createFilm(world, { title: 'Before' });
    await world.mustHit(path);
    world.feed.cut();
    await world.foreign.set('films', film.id, { title: 'After' });
    const isSeen = eventually('the write, although nobody tells the edge', async () => (await world.request(path)).film.title === 'After');
    expect(await promised(2 * freshWithinMs, isSeen)).toBe(true);
    const revalidated = await world.request(path);
    expect([revalidated.status, revalidated.isHit, revalidated.film.title]).toEqual([200, false, 'After']);
    world.feed.mend();
    expect((await world.mustHit(path)).film.title).toBe('After');
  });

  test('serves no hit while the origin is frozen, and says so when it serves what it has', async () => {
    const { path } = await createFilm(world, { title: 'Kept' });
    await world.mustHit(path);
    world.origin.freeze();
    const isOver = eventually('no more plain hits', async () => {
      const answer = await Promise.race([world.request(path), Bun.sleep(50).then(() => undefined)]);
      return answer === undefined || !answer.isHit;
    });
    expect(await promised(2 * freshWithinMs, isOver)).toBe(true);
    world.origin.thaw();
    expect((await world.mustHit(path)).film.title).toBe('Kept');
  });

  test('gives no plain hit once the origin is gone: a refusal, or what it has, marked', async () => {
    const { path } = await createFilm(world, { title: 'Kept' });
    await world.mustHit(path);
    await world.origin.kill9();
    const answer = await promised(3 * freshWithinMs, eventually('no more plain hits', async () => {
      const asked = await world.request(path);
      return asked.isHit && !asked.cacheStatus.includes('fwd') ? undefined : asked;
    }));
    if (answer === undefined) throw new Error('there are still plain hits');
    expect(answer.status === 200 ? answer.film.title : answer.code).toBe(answer.status === 200 ? 'Kept' : 'origin_unavailable');
    await world.origin.start();
    expect((await world.mustHit(path)).film.title).toBe('Kept');
  });
});
