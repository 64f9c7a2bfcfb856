/** Whatever is restarted, killed or restored: never an old answer, nothing acknowledged lost. */
import { afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { createFilm, patchFilm } from '../support/film.ts';
import { eventually } from '../support/eventually.ts';
import { promised } from '../support/promised.ts';
import { freshWithinMs, startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';

describe.each(worldsOfBoth)('restarts on %s in %s', (engine, stack) => {
  let world: World;
  beforeEach(async () => void (world = await startWorld({ engine, stack })));
  afterEach(() => world.close());

  const titleOf = async (path: string): Promise<string> => (await world.request(path)).film.title;

  // The coordinator of one process has no state to keep: it begins anew, like the cache.
  test.each(stack === 'workerd' ? [true, false] : [false])(
    'an edge that comes back serves no answer from before a write that it missed; its coordinator has its state: %p',
    async (keepsEdgeState) => {
      await world.close();
      world = await startWorld({ engine, stack, keepsEdgeState });
      const { path, film } = await createFilm(world, { title: 'Before' });
      await world.mustHit(path);
      const restarting = world.edge.restart();
      await world.foreign.set('films', film.id, { title: 'Missed' });
      await restarting;
      expect(await titleOf(path)).toBe('Missed');
      expect((await world.mustHit(path)).film.title).toBe('Missed');
    },
  );

  test('an origin that was killed has every write that it acknowledged, and hits come back', async () => {
    const { path } = await createFilm(world);
    for (let round = 0; round < 5; round++) {
      const { position } = await patchFilm(world, path, { title: `Acknowledged ${round}` });
      await world.origin.kill9();
      await world.origin.start();
      const read = await eventually('an answer', () => world.request(path, { headers: { 'tombolo-position': position } }));
      expect([read.status, read.film.title]).toEqual([200, `Acknowledged ${round}`]);
    }
    expect((await world.mustHit(path)).film.title).toBe('Acknowledged 4');
  });

  test('a write while the origin was down is seen with the first answers after its start', async () => {
    const { path, film } = await createFilm(world, { title: 'Before' });
    await world.mustHit(path);
    await world.origin.stop();
    await world.foreign.set('films', film.id, { title: 'Meanwhile' });
    await world.origin.start();
    await eventually('the write', async () => (await titleOf(path)) === 'Meanwhile', { msMax: freshWithinMs });
    expect((await world.mustHit(path)).film.title).toBe('Meanwhile');
  });

  test('an older database put in place of the present one is what everybody sees', async () => {
    const { path } = await createFilm(world, { title: 'Backed up' });
    const putBack = await world.foreign.backup();
    for (let round = 0; round < 30; round++) await patchFilm(world, path, { title: `Lost ${round}` });
    expect((await world.mustHit(path)).film.title).toBe('Lost 29');
    await world.restore(putBack);
    const isRestored = eventually('the restored state', async () => (await titleOf(path)) === 'Backed up');
    expect(await promised(2 * freshWithinMs, isRestored)).toBe(true);
    for (let reads = 0; reads < 20; reads++) expect(await titleOf(path)).toBe('Backed up');
    expect((await world.mustHit(path)).film.title).toBe('Backed up');
    // Its history goes on from there, and positions of the lost one are not believed to be reached.
    await patchFilm(world, path, { title: 'Goes on' });
    const isNext = eventually('the first write after it', async () => (await titleOf(path)) === 'Goes on');
    expect(await promised(freshWithinMs, isNext)).toBe(true);
  });

  test('a stop asked of the origin finishes what runs and takes less than ten seconds', async () => {
    await createFilm(world);
    const { code, ms } = await world.origin.stop();
    expect(code).toBe(0);
    expect(ms).toBeLessThan(10_000);
  });
});
