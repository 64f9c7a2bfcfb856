/**
 * Edge and origin agree resource by resource (SEMANTICS §2): while an origin declares one otherwise than the edge,
 * nothing stored of that one is fresh, and everything of the others is.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, afterEach, beforeEach, describe, expect, test } from 'bun:test';
import { contract } from '../../shared/contract/contract.ts';
import { type Declared, toDeclared } from '../../shared/hop/purge-report.ts';
import { served } from '../../shared/resources/all.ts';
import { film, World } from '../support/world.ts';
import { versions } from '../../shared/resources/versions.ts';

test('the cache takes nothing for fresh while an origin serves another contract, and again once it is gone', async () => {
  const world = await World.start();
  await world.mustHit('/v2/films');
  await world.feed.send(world.feed.idle({ contract: '0'.repeat(16) }));
  await world.pastMemo();
  expect(await world.cacheStatus('/v2/films')).toBe('tombolo; fwd=stale; fwd-status=304; stored');
  expect(await world.cacheStatus('/v2/films')).toBe('tombolo; fwd=stale; fwd-status=304; stored');
  await world.mustHit('/v2/films');
  await world.close();
});

describe('while an origin declares one resource otherwise', () => {
  const otherwise = '0'.repeat(16);
  const changed = toDeclared(
    contract(versions, ...[...served.resources.values()].map((one) => (one.name === 'films' ? { ...one, digest: otherwise } : one))),
  );
  const persistDir = mkdtempSync(join(tmpdir(), 'tombolo-declarations-'));
  let world: World;
  const place = '/v2/places/a';
  const idle = (declared: Declared) => world.feed.idle({ asOf: world.feed.now(), ...declared });
  beforeEach(async () => {
    world = await World.start({ silent: true, persistDir });
    world.documents.set('a', film('A'));
    await world.feed.begin();
    await world.feed.tell();
    await Promise.all([world.mustHit('/v2/films/a'), world.mustHit(place)]);
  });
  afterEach(() => world.close());
  afterAll(() => rmSync(persistDir, { recursive: true, force: true }));

  const statuses = async () => [await world.cacheStatus('/v2/films/a'), await world.cacheStatus(place)];
  const filmsAlone = ['tombolo; fwd=stale; fwd-status=304', 'tombolo; hit'];
  const neither = ['tombolo; fwd=stale; fwd-status=304; stored', 'tombolo; fwd=stale; fwd-status=304; stored'];
  const deployed = () => {
    const reads = (path: string) => (path === place ? world.readHeader('places') : `${world.position()};${otherwise};public`);
    world.origin.script = (seen) => ({ ...world.answer(seen), read: reads(seen.path) });
  };

  test('takes nothing of that one for fresh, and all of the others, from the first report on', async () => {
    deployed();
    await world.feed.send(idle(changed));
    await world.pastMemo();
    const asked = world.asked(place);
    for (let round = 0; round < 3; round++) expect(await statuses()).toEqual(filmsAlone);
    expect(world.asked(place)).toBe(asked);
  });

  test('and another as this edge does, all that report now must agree', async () => {
    await world.feed.send(idle(changed));
    await world.feed.tell();
    await world.pastMemo();
    expect((await statuses())[0]).toStartWith('tombolo; fwd=stale');
    expect((await statuses())[1]).toBe('tombolo; hit');
  });

  test('the digest of its whole contract is compared as long as it does not say which', async () => {
    const unheard = '2'.repeat(16);
    await world.feed.send(idle({ contract: unheard }));
    await world.pastMemo();
    expect(await statuses()).toEqual(neither);
    await world.feed.send(idle({ ...changed, contract: unheard }));
    deployed();
    await world.pastMemo();
    expect(await statuses()).toEqual(filmsAlone);
  });

  test('or does not have it at all, nothing of it is fresh', async () => {
    const { places: _gone, ...resources } = changed.resources ?? {};
    await world.feed.send(idle({ contract: '1'.repeat(16), resources }));
    await world.pastMemo();
    expect((await statuses())[1]).toStartWith('tombolo; fwd=stale');
  });

  test('it stays so after a restart of the coordinator, also while that origin is silent', async () => {
    deployed();
    await world.feed.send(idle(changed));
    await world.edge.restart();
    // Nobody has reported yet: nothing is known to be fresh, and an outage may be bridged where it was agreed alone.
    world.origin.script = () => ({ status: 503 });
    expect(await statuses()).toEqual(['tombolo; fwd=stale; fwd-status=503', 'tombolo; fwd=stale; detail=stale-if-error']);
    deployed();
    expect(await world.feed.send(idle({ contract: changed.contract }))).toMatchObject({ accepted: true, knowsContract: true });
    await world.pastMemo();
    await world.mustHit(place);
    expect(await statuses()).toEqual(filmsAlone);
  });
});

test('the cache gives nothing to whom a rule that became stricter at the origin excludes, although the edge is older', async () => {
  const world = await World.start();
  await world.mustHit('/v2/films');
  const headers = { 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer realm="tombolo"' };
  world.origin.script = () => ({ status: 401, body: '{"code":"token_missing"}', headers });
  await world.feed.send(world.feed.idle({ contract: '0'.repeat(16) }));
  await world.pastMemo();
  for (let round = 0; round < 3; round++) expect((await world.get('/v2/films')).status).toBe(401);
  await world.close();
});
