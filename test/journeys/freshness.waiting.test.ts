/** The promise that Tombolo exists for: a write anywhere expires what the edge has cached, within the bound. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createFilm, patchFilm, toFilm } from '../support/film.ts';
import { eventually } from '../support/eventually.ts';
import { freshWithinMs, startWorld, type World, worlds } from '../support/whole-world.ts';

describe.each(worlds)('freshness on %s in %s', (engine, stack) => {
  let world: World;
  beforeAll(async () => void (world = await startWorld({ engine, stack })));
  afterAll(() => world.close());

  /** Reads as anyone would until the answer satisfies; throws past the bound. */
  const freshly = (path: string, isFresh: (text: string, status: number) => boolean): Promise<true> =>
    eventually(`a fresh answer of ${path}`, async () => {
      const { text, status, cacheStatus } = await world.request(path);
      if (!isFresh(text, status)) throw new Error(`${status} ${cacheStatus} ${text.slice(0, 200)}`);
      return true as const;
    }, { msMax: freshWithinMs, everyMs: 20 });

  test('shows a write to another client within the bound, in the document and in the pages that list it', async () => {
    const { path } = await createFilm(world, { title: 'Before', year: 1950, genres: ['Journey'] });
    const list = '/v2/films?genres=Journey&sort=-year,title';
    await Promise.all([world.mustHit(path), world.mustHit(list)]);
    await patchFilm(world, path, { title: 'After' });
    await Promise.all([
      freshly(path, (text) => text.includes('"After"')),
      freshly(list, (text) => text.includes('"After"') && !text.includes('"Before"')),
    ]);
    expect((await world.mustHit(path)).film.title).toBe('After');
  });

  test('shows a write at once to whoever brings its position', async () => {
    const { path } = await createFilm(world);
    for (let round = 0; round < 20; round++) {
      await world.mustHit(path);
      const written = await patchFilm(world, path, { title: `Round ${round}` });
      const read = await world.request(path, { headers: { 'tombolo-position': written.position } });
      expect(read.film.title).toBe(`Round ${round}`);
    }
  });

  test('shows a removal within the bound', async () => {
    const { path } = await createFilm(world);
    await world.mustHit(path);
    expect((await world.request(path, { method: 'DELETE', token: await world.token() })).status).toBe(204);
    await freshly(path, (_, status) => status === 404);
  });

  test('keeps what a write does not touch in the cache', async () => {
    // Ids and states are fixed: so are the buckets that they fall into, and none of the four is shared.
    const editor = await world.token();
    for (const [id, state] of [
      ['10001', 'LL'],
      ['20002', 'RR'],
    ]) {
      await world.request('/v2/places', { token: editor, json: { id, state, latitude: 0, longitude: 0, city: 'Here', county: 'There' } });
    }
    const [one, left] = ['/v2/places/10001', '/v2/places?state=LL&sort=city'];
    await Promise.all([world.mustHit(one), world.mustHit(left)]);
    await patchFilm(world, '/v2/places/20002', { city: 'Touched' });
    await freshly('/v2/places/20002', (text) => text.includes('Touched'));
    expect((await world.request(one)).isHit).toBe(true);
    expect((await world.request(left)).isHit).toBe(true);
  });

  test('shows what another program inserts, updates, replaces and deletes behind its back, within the bound', async () => {
    const list = '/v2/films?genres=Foreign&sort=-year,title';
    const path = '/v2/films/01890a5d-ac96-774b-bcce-b302099a8057';
    const id = path.split('/').at(-1) ?? '';
    const doc = (title: string) => ({
      ...toFilm({ title, genres: ['Foreign'] }),
      rev: 1,
      createdAt: '2026-01-01T00:00:00.000Z',
      updatedAt: '2026-01-01T00:00:00.000Z',
    });
    await world.mustHit(list);
    const { foreign } = world;
    const steps: readonly [write: () => Promise<void>, title: string | undefined][] = [
      [() => foreign.insert('films', id, doc('Inserted')), 'Inserted'],
      [() => foreign.set('films', id, { title: 'Updated' }), 'Updated'],
      [() => foreign.replace('films', id, doc('Replaced')), 'Replaced'],
      [() => foreign.remove('films', id), undefined],
    ];
    for (const [write, title] of steps) {
      await write();
      await Promise.all([
        freshly(path, (text, status) => (title === undefined ? status === 404 : text.includes(`"${title}"`))),
        freshly(list, (text) => (title === undefined ? !text.includes(id) : text.includes(`"${title}"`))),
      ]);
      expect((await world.mustHit(list)).page.data.map((film) => film.title)).toEqual(title === undefined ? [] : [title]);
      if (title !== undefined) await world.mustHit(path);
    }
  });

  // In one process no wire is between the two that could hold an answer up.
  if (stack === 'workerd') test('never stores a fill that raced a write as fresh', async () => {
    const { path, film } = await createFilm(world, { title: 'Old' });
    world.hop.hold();
    const racing = world.request(path);
    await eventually('the old answer on the wire', () => world.hop.heldBytes > 0);
    await world.foreign.set('films', film.id, { title: 'New' });
    // The feed must have told the edge before the old bytes arrive: that is the race.
    const told = world.feed.arrived;
    await eventually('three reports after the write', () => world.feed.arrived >= told + 3);
    world.hop.release();
    expect((await racing).film.title).toBe('Old');
    // From here on nobody may see the state before the write.
    await freshly(path, (text) => text.includes('"New"'));
    for (let reads = 0; reads < 50; reads++) expect((await world.request(path)).film.title).toBe('New');
  });
});
