/** The coordinator: which reports it believes, what survives, and what a silent feed means to the cache. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { type Report, toDeclared } from '../../shared/hop/purge-report.ts';
import { codeOf, film, World } from '../support/world.ts';

const revalidated = 'tombolo; fwd=stale; fwd-status=304; stored';

describe('a report', () => {
  let world: World;
  beforeAll(async () => {
    world = await World.start({ silent: true });
  });
  afterAll(() => world.close());

  const report = (given: Partial<Report> = {}) => world.feed.idle(given);

  test('is not accepted before anything is known, and the answer says so', async () => {
    const answer = await world.feed.send(report());
    expect(answer).toEqual({ accepted: false, epoch: null, through: null, now: answer.now, knowsContract: false });
    expect(Math.abs(answer.now - Date.now())).toBeLessThan(10_000);
  });

  test('from nowhere begins: everything is raised to its end', async () => {
    world.at = 5;
    expect(await world.feed.send(report({ from: null }))).toMatchObject({ accepted: true, epoch: world.epoch, through: world.order(5) });
  });

  test('that leaves a gap changes nothing', async () => {
    expect(await world.feed.send(report({ from: world.order(6), through: world.order(7) }))).toMatchObject({
      accepted: false, through: world.order(5),
    });
    expect(await world.feed.send(report({ from: world.order(5), through: world.order(5) }))).toMatchObject({
      accepted: true, through: world.order(5),
    });
  });

  test('that overlaps is accepted, and one that ends earlier lowers nothing', async () => {
    expect(await world.feed.send(report({ from: world.order(3), through: world.order(8) }))).toMatchObject({
      accepted: true, through: world.order(8),
    });
    expect(await world.feed.send(report({ from: world.order(3), through: world.order(4) }))).toMatchObject({
      accepted: true, through: world.order(8),
    });
    expect(await world.feed.send(report({ from: null, through: world.order(6) }))).toMatchObject({
      accepted: true, through: world.order(8),
    });
  });

  test('of another epoch is accepted from nowhere alone, and the old epoch does not come back', async () => {
    const other = 'b'.repeat(16);
    expect(await world.feed.send(report({ epoch: other, from: world.order(8), through: world.order(8) }))).toMatchObject({
      accepted: false, epoch: world.epoch,
    });
    expect(await world.feed.send(report({ epoch: other, from: null, through: world.order(2) }))).toMatchObject({
      accepted: true, epoch: other, through: world.order(2),
    });
    expect(await world.feed.send(report({ from: null, through: world.order(9) }))).toMatchObject({
      accepted: false, epoch: other, through: world.order(2),
    });
  });

  test('is refused when positions are of another width or lie past its end', async () => {
    for (const wrong of [
      { from: '00000001' }, { whole: { films: world.order(99) } }, { raised: { films: { '1': '00000001' } } },
      { raised: { films: { '1': world.order(99) } } },
    ]) {
      const answer = await fetch(world.origin.toReport(world.edge.url, report({ epoch: 'b'.repeat(16), ...wrong })));
      expect([answer.status, await codeOf(answer)]).toEqual([422, 'document_invalid']);
    }
  });

  test('is believed by its signature alone', async () => {
    const { edge, origin } = world;
    const [key] = origin.keys;
    const unsigned = new Request(`${edge.url}/.tombolo/changes`, {
      method: 'POST', body: JSON.stringify(report()), headers: { 'content-type': 'application/json' },
    });
    const now = Math.floor(Date.now() / 1_000);
    const refusals: [Request, string][] = [
      [unsigned, 'hop_unsigned'],
      [origin.toReport(edge.url, report(), { key: { ...key, secret: new Uint8Array(32) } }), 'hop_invalid'],
      [origin.toReport(edge.url, report(), { key: { ...key, id: 'k9' } }), 'hop_invalid'],
      [origin.toReport(edge.url, report(), { tag: 'tombolo-hop' }), 'hop_invalid'],
      [origin.toReport(edge.url, report(), { digestOf: 'another body' }), 'hop_invalid'],
      [origin.toReport(edge.url, report(), { created: now - 31 }), 'hop_expired'],
      [origin.toReport(edge.url, report(), { created: now + 32 }), 'hop_expired'],
    ];
    for (const [request, code] of refusals) {
      const answer = await fetch(request);
      expect([answer.status, await codeOf(answer)]).toEqual([401, code]);
    }
    expect((await fetch(origin.toReport(edge.url, report(), { key: origin.keys[1] ?? key }))).status).toBe(200);
  });

  test('is refused when it comes twice', async () => {
    const nonce = 'n'.repeat(22);
    expect((await fetch(world.origin.toReport(world.edge.url, report(), { nonce }))).status).toBe(200);
    const again = await fetch(world.origin.toReport(world.edge.url, report(), { nonce }));
    expect([again.status, await codeOf(again)]).toEqual([401, 'hop_replayed']);
  });

  test('without a digest, too large or malformed is refused', async () => {
    const signed = world.origin.toReport(world.edge.url, report());
    signed.headers.delete('content-digest');
    expect((await fetch(signed)).status).toBe(401);
    expect((await fetch(world.origin.toReport(world.edge.url, { padding: 'x'.repeat(2_200_000) }))).status).toBe(413);
    expect((await fetch(`${world.edge.url}/.tombolo/changes`)).status).toBe(405);
  });

  test('may say more than this edge knows, so that an origin can say it first', async () => {
    expect((await fetch(world.origin.toReport(world.edge.url, { ...report(), surprise: 1 }))).status).toBe(200);
  });

  test('says what its origin declares until the answer says that this is known', async () => {
    const { contract, resources } = toDeclared(world.contract);
    expect(await world.feed.send(report({ contract }))).toMatchObject({ knowsContract: false });
    expect(await world.feed.send(report({ contract, resources }))).toMatchObject({ knowsContract: true });
    expect(await world.feed.send(report({ contract }))).toMatchObject({ knowsContract: true });
    // The coordinator keeps the resources of a few contracts.
    for (let other = 0; other < 8; other++) await world.feed.send(report({ contract: other.toString(16).padStart(16, '0'), resources }));
    expect(await world.feed.send(report({ contract }))).toMatchObject({ knowsContract: false });
    const tooMany = Object.fromEntries(Array.from({ length: 2_001 }, (_, index) => [`r${index}`, '0'.repeat(16)]));
    for (const wrong of [tooMany, { __proto__x: '0'.repeat(16) }, { films: 'x' }]) {
      expect((await fetch(world.origin.toReport(world.edge.url, report({ contract, resources: wrong })))).status).toBe(422);
    }
  });
});

describe('the cache', () => {
  test('takes nothing for fresh while the feed is silent, and again once it speaks', async () => {
    const world = await World.start({ feedSilentMs: 1_000 });
    await world.change('a', film('A'));
    await world.mustHit('/v2/films/a');
    await world.feed.pause();
    // The first finding of silence, and every later one, is asked of the origin.
    expect(await world.noHit('/v2/films/a')).toBe(revalidated);
    for (let round = 0; round < 2; round++) expect(await world.cacheStatus('/v2/films/a')).toBe(revalidated);
    await world.feed.resume();
    await world.mustHit('/v2/films/a');
    await world.close();
  });

  test('does not believe a report that says it is complete in the future, or was long ago', async () => {
    const world = await World.start({ silent: true, feedSilentMs: 1_000 });
    await world.feed.begin();
    await world.feed.send(world.feed.idle({ asOf: world.feed.now() - 5_000 }));
    await world.get('/v2/films');
    expect(await world.cacheStatus('/v2/films')).toBe(revalidated);
    await world.feed.send(world.feed.idle({ asOf: world.feed.now() + 60_000 }));
    await world.pastMemo();
    expect(await world.cacheStatus('/v2/films')).toBe('tombolo; hit');
    expect(await world.noHit('/v2/films')).toBe(revalidated);
    await world.close();
  });

  test('stores nothing while no origin has reported', async () => {
    const world = await World.start({ silent: true });
    for (let round = 0; round < 3; round++) expect(await world.cacheStatus('/v2/films')).toBe('tombolo; fwd=uri-miss; fwd-status=200');
    await world.close();
  });

  test('falls whole when a resource or everything is raised', async () => {
    const world = await World.start({ silent: true });
    await world.feed.begin();
    await world.feed.tell();
    await world.get('/v2/films?genres=Drama');
    world.at++;
    const raised = { from: world.order(world.at - 1), asOf: world.feed.now(), whole: { films: world.order() } };
    expect(await world.feed.send(world.feed.idle(raised))).toMatchObject({ accepted: true });
    await world.pastMemo();
    expect(await world.cacheStatus('/v2/films?genres=Drama')).toStartWith('tombolo; fwd=stale');
    world.at++;
    await world.feed.begin();
    await world.feed.tell();
    await world.pastMemo();
    expect(await world.cacheStatus('/v2/films?genres=Drama')).toStartWith('tombolo; fwd=stale');
    await world.pastMemo();
    expect(await world.cacheStatus('/v2/films?genres=Drama')).toBe('tombolo; hit');
    await world.close();
  });

  test('starts anew with a new epoch, although its positions are lower', async () => {
    const world = await World.start({ silent: true });
    world.at = 100;
    world.documents.set('a', film('Old'));
    await world.feed.begin();
    await world.feed.tell();
    await world.get('/v2/films/a');
    expect(await world.cacheStatus('/v2/films/a')).toBe('tombolo; hit');
    world.epoch = 'c'.repeat(16);
    world.at = 1;
    world.documents.set('a', film('Restored'));
    await world.feed.begin();
    await world.feed.tell();
    await world.pastMemo();
    const answer = await world.get('/v2/films/a');
    expect(await answer.json()).toMatchObject({ title: 'Restored' });
    expect(await world.cacheStatus('/v2/films/a')).toBe('tombolo; hit');
    await world.close();
  });
});

describe('after a restart', () => {
  const persistDir = mkdtempSync(join(tmpdir(), 'tombolo-coordinator-'));
  afterAll(() => rmSync(persistDir, { recursive: true, force: true }));

  test('the coordinator stands where it stood, and is fresh again with the next report', async () => {
    const world = await World.start({ persistDir, silent: true });
    world.at = 7;
    await world.feed.begin();
    world.write('a', film('A'));
    await world.feed.tell();
    await world.edge.restart();
    await world.get('/v2/films/a');
    expect(await world.cacheStatus('/v2/films/a')).toBe(revalidated);
    expect(await world.feed.send(world.feed.idle({ asOf: world.feed.now() }))).toMatchObject({ accepted: true, through: world.order(8) });
    await world.pastMemo();
    expect(await world.cacheStatus('/v2/films/a')).toBe('tombolo; hit');
    // The write that is on disk tells a state from before it.
    world.origin.script = (seen) => world.answer(seen, 7);
    expect(await world.cacheStatus('/v2/films/a?fields=title')).toBe('tombolo; fwd=uri-miss; fwd-status=200');
    await world.close();
  });

  test('without its state it knows nothing, refuses to join, and begins anew when told everything', async () => {
    const world = await World.start({ silent: true });
    await world.feed.begin();
    await world.feed.tell();
    await world.get('/v2/films');
    expect(await world.cacheStatus('/v2/films')).toBe('tombolo; hit');
    await world.edge.restart();
    expect(await world.cacheStatus('/v2/films')).toBe('tombolo; fwd=uri-miss; fwd-status=200');
    expect(await world.feed.tell()).toMatchObject({ accepted: false, epoch: null, through: null });
    expect(await world.feed.begin()).toMatchObject({ accepted: true, through: world.order() });
    await world.feed.tell();
    await world.pastMemo();
    await world.get('/v2/films');
    expect(await world.cacheStatus('/v2/films')).toBe('tombolo; hit');
    await world.close();
  });
});
