/** `Cache-Control` of a request (RFC 9111 §5.2.1): what a client may ask of the edge's cache, and what it cannot. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { codeOf, film, World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

describe("a client's own directives", () => {
  const ask = async (id: string, directives: string, headers: Readonly<Record<string, string>> = {}) => {
    const answer = await world.get(`/v2/films/${id}`, { 'cache-control': directives, ...headers });
    return `${answer.status} ${answer.headers.get('cache-status')}`;
  };
  const hit = '200 tombolo; hit';
  const asked = '200 tombolo; fwd=request; fwd-status=304; stored';

  test('are a list, and what stands in a quoted value is none of them', async () => {
    await world.change('listed', film('Listed'));
    await world.mustHit('/v2/films/listed');
    for (const directives of [
      'foo="no-cache"', 'foo="a, no-store"', 'x-no-cache', 'no-cached', 'foo="\\\\", bar="no-cache"', 'foo="\\", no-store"',
      'max-age=soon', 'max-age=-1', 'max-stale', 'min-fresh=0', ',,', 'foo="no-cache',
    ]) {
      expect([directives, await ask('listed', directives)]).toEqual([directives, hit]);
    }
    for (const directives of [
      'NO-CACHE', 'max-age=100,no-cache', 'foo="bar", no-cache', 'foo="\\\\" , no-cache', 'no-cache=x', 'min-fresh=1',
    ]) {
      expect([directives, await ask('listed', directives)]).toEqual([directives, asked]);
    }
    expect(await ask('listed', 'foo="bar" ,No-Store')).toContain('fwd=bypass');
  });

  test('no-cache asks the origin although the answer is fresh', async () => {
    await world.change('insist', film('Insist'));
    await world.get('/v2/films/insist');
    const answer = await world.get('/v2/films/insist', { 'cache-control': 'no-cache' });
    expect(answer.headers.get('cache-status')).toBe('tombolo; fwd=request; fwd-status=304; stored');
  });

  test('max-age has an older answer validated, and a younger one served', async () => {
    await world.change('aging', film('Aging'));
    await world.aged('/v2/films/aging');
    expect(await ask('aging', 'max-age=600')).toBe(hit);
    expect(await ask('aging', 'max-age=0')).toBe('200 tombolo; fwd=stale; fwd-status=304; stored');
    expect(await ask('aging', 'max-age=0')).toBe(hit);
  });

  test('only-if-cached is answered from what is stored, or 504, and never by the origin', async () => {
    await world.change('stored', film('Stored'));
    await world.change('fresh', film('Fresh'));
    const before = world.origin.seen.length;
    const refused = await world.get('/v2/films/stored', { 'cache-control': 'only-if-cached' });
    expect([refused.status, await codeOf(refused), refused.headers.get('cache-status')]).toEqual([
      504,
      'not_cached',
      'tombolo; detail=only-if-cached',
    ]);
    expect(world.origin.seen.length).toBe(before);
    await world.mustHit('/v2/films/stored');
    expect(await ask('stored', 'only-if-cached')).toBe(hit);
    expect(await ask('stored', 'max-age=60, only-if-cached', { 'if-none-match': '*' })).toBe('304 tombolo; hit');
    const filled = world.origin.seen.length;
    for (const directives of ['only-if-cached, no-cache', 'only-if-cached, no-store']) {
      expect(await ask('stored', directives)).toBe('504 tombolo; detail=only-if-cached');
    }
    await world.change('stored', film('Changed'));
    expect(await ask('stored', 'only-if-cached')).toBe('504 tombolo; detail=only-if-cached');
    expect((await world.get('/v2/orders/changes', { 'cache-control': 'only-if-cached' })).status).toBe(504);
    expect(world.origin.seen.length).toBe(filled);
    // It is what the client wanted: nothing failed here.
    expect((await world.logged('not_cached')).every((line) => line.includes('"level":"info"'))).toBe(true);
  });

  test('only-if-cached says nothing to a write', async () => {
    const answer = await fetch(`${world.edge.url}/v2/reviews/0198c0de-0000-7000-8000-0000000000ee`, {
      method: 'DELETE',
      headers: { 'cache-control': 'only-if-cached' },
    });
    expect(answer.status).not.toBe(504);
  });
});
