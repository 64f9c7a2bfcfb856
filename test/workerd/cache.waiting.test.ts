/** The edge's cache: what is served from it, what is asked again, and what is never kept. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { film, World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

describe('a stored answer', () => {
  test('is served without asking the origin while nothing it depends on has changed', async () => {
    await world.change('hit', film('Hit'));
    const first = await world.get('/v2/films/hit');
    expect(first.headers.get('cache-status')).toBe('tombolo; fwd=uri-miss; fwd-status=200; stored');
    const asked = world.origin.seen.length;
    for (let round = 0; round < 20; round++) {
      const again = await world.get('/v2/films/hit');
      expect(again.headers.get('cache-status')).toBe('tombolo; hit');
      expect(await again.json()).toEqual({ id: 'hit', ...film('Hit') });
    }
    await world.pastMemo();
    expect(await world.cacheStatus('/v2/films/hit')).toBe('tombolo; hit');
    expect(world.origin.seen.length).toBe(asked);
  });

  test('is asked for again after its document changed, and not before', async () => {
    world.write('changed', film('Before'));
    await world.change('other', film('Other', ['Comedy']));
    await world.get('/v2/films/changed');
    await world.get('/v2/films/other');
    await world.change('changed', film('After'));
    const answer = await world.get('/v2/films/changed');
    expect(answer.headers.get('cache-status')).toBe('tombolo; fwd=stale; fwd-status=200; stored');
    expect(await answer.json()).toMatchObject({ title: 'After' });
    expect(await world.cacheStatus('/v2/films/other')).toBe('tombolo; hit');
    expect(await world.cacheStatus('/v2/films/changed')).toBe('tombolo; hit');
  });

  test('of a list falls with a document that enters it, and stands when one enters another list', async () => {
    await world.get('/v2/films?genres=Western');
    await world.get('/v2/films?genres=Noir');
    await world.change('western', film('Western', ['Western']));
    expect(await world.cacheStatus('/v2/films?genres=Noir')).toBe('tombolo; hit');
    const western = await world.get('/v2/films?genres=Western');
    expect(western.headers.get('cache-status')).toStartWith('tombolo; fwd=stale');
    expect(await western.text()).toContain('Western');
  });

  test('is one for all spellings of a query', async () => {
    await world.get('/v2/films?genres=Epic&limit=20');
    expect(await world.cacheStatus('/v2/films?limit=20&genres=Epic&sort=-year,title')).toBe('tombolo; hit');
    expect(await world.cacheStatus('/v2/films?genres=Epic&limit=21')).toStartWith('tombolo; fwd=uri-miss');
    expect(await world.cacheStatus('/v2/films?genres=Epic&limit=20&fields=id')).toStartWith('tombolo; fwd=uri-miss');
  });

  test('may say that a document does not exist, until it does', async () => {
    await world.get('/v2/films/absent');
    const asked = world.asked('/v2/films/absent');
    const absent = await world.get('/v2/films/absent');
    expect(absent.status).toBe(404);
    expect(absent.headers.get('cache-status')).toBe('tombolo; hit');
    expect(absent.headers.get('content-type')).toBe('application/problem+json');
    expect(await absent.json()).toMatchObject({ instance: `urn:tombolo:request:${absent.headers.get('x-request-id')}` });
    expect(world.asked('/v2/films/absent')).toBe(asked);
    await world.change('absent', film('Here'));
    expect((await world.get('/v2/films/absent')).status).toBe(200);
  });

  test('that the origin confirms is served from memory and fresh again', async () => {
    await world.change('confirmed', film('Same'));
    await world.get('/v2/films/confirmed');
    await world.change('confirmed', film('Same'));
    const answer = await world.get('/v2/films/confirmed');
    expect(answer.headers.get('cache-status')).toBe('tombolo; fwd=stale; fwd-status=304; stored');
    expect(answer.status).toBe(200);
    expect(await answer.json()).toMatchObject({ title: 'Same' });
    expect(await world.cacheStatus('/v2/films/confirmed')).toBe('tombolo; hit');
  });

  test('carries its age, its tag and what others may do with it', async () => {
    await world.change('aged', film('Aged'));
    const first = await world.get('/v2/films/aged');
    expect(first.headers.get('age')).toBe('0');
    const hit = await world.aged('/v2/films/aged');
    expect([hit.headers.get('cache-status'), hit.headers.get('age')]).toEqual(['tombolo; hit', '1']);
    expect(hit.headers.get('cache-control')).toBe('public, no-cache');
    expect(hit.headers.get('etag')).toBe(first.headers.get('etag'));
    for (const name of ['tombolo-read', 'signature', 'signature-input', 'tombolo-entry']) expect(hit.headers.has(name)).toBe(false);
  });

  test('answers HEAD without a body, and HEAD fills it', async () => {
    await world.change('head', film('Head'));
    const filled = await world.get('/v2/films/head', {}, 'HEAD');
    expect(world.lastAsked().method).toBe('GET');
    expect(filled.status).toBe(200);
    expect(await filled.text()).toBe('');
    const hit = await world.get('/v2/films/head', {}, 'HEAD');
    expect(hit.headers.get('cache-status')).toBe('tombolo; hit');
    expect(hit.headers.get('content-length')).toBe(String((await (await world.get('/v2/films/head')).text()).length));
  });
});

describe("a client's own condition", () => {
  test('is met from the stored answer, weakly compared', async () => {
    await world.change('conditional', film('Conditional'));
    const etag = (await world.get('/v2/films/conditional')).headers.get('etag') ?? '';
    for (const condition of [etag, `W/${etag}`, `"else", ${etag}`, '*']) {
      const answer = await world.get('/v2/films/conditional', { 'if-none-match': condition });
      expect(answer.status).toBe(304);
      expect(answer.headers.get('etag')).toBe(etag);
      expect(answer.headers.get('cache-control')).toBe('public, no-cache');
      expect(await answer.text()).toBe('');
    }
    expect((await world.get('/v2/films/conditional', { 'if-none-match': '"else"' })).status).toBe(200);
  });

  test('does not keep an answer from being stored', async () => {
    await world.change('unkept', film('Unkept'));
    const { etag } = world.answer({
      path: '/v2/films/unkept', query: '', headers: new Headers(), method: 'GET', body: new Uint8Array(), nonce: '',
    }).headers as { etag: string };
    const first = await world.get('/v2/films/unkept', { 'if-none-match': etag });
    expect(first.status).toBe(304);
    expect(first.headers.get('cache-status')).toBe('tombolo; fwd=uri-miss; fwd-status=200; stored');
    const second = await world.get('/v2/films/unkept');
    expect([second.status, second.headers.get('cache-status')]).toEqual([200, 'tombolo; hit']);
  });

  test('If-Match on a read is the origin’s to decide', async () => {
    await world.get('/v2/films/conditional', { 'if-match': '"x"' });
    expect(world.lastAsked().headers.get('if-match')).toBe('"x"');
  });
});

describe('nothing is stored', () => {
  const spoiled = async (id: string, spoil: (answer: ReturnType<World['answer']>) => ReturnType<World['answer']>) => {
    world.write(id, film(id));
    await world.feed.tell();
    await world.pastMemo();
    const script = world.origin.script;
    world.origin.script = (seen) => spoil(world.answer(seen));
    for (let round = 0; round < 3; round++) {
      const answer = await world.get(`/v2/films/${id}`);
      expect(answer.status).toBe(200);
      expect(answer.headers.get('cache-status')).toBe('tombolo; fwd=uri-miss; fwd-status=200');
    }
    world.origin.script = script;
    expect(world.asked(`/v2/films/${id}`)).toBe(3);
  };

  test('of an answer that says nothing of its state', () => spoiled('stateless', ({ read: _read, ...answer }) => answer));
  test('when edge and origin differ in the declaration', () =>
    spoiled('digest', (answer) => ({ ...answer, read: `${world.position()};${'0'.repeat(16)};public` })));
  test('when the origin applied another scope', () =>
    spoiled('scope', (answer) => ({ ...answer, read: `${world.position()};${world.resource('films').digest};${'0'.repeat(16)}` })));
  test('of a state older than a change already heard of', () =>
    spoiled('lagging', (answer) => ({ ...answer, read: world.readHeader('films', world.at - 1) })));
  test('of another epoch', () =>
    spoiled('epoch', (answer) => ({ ...answer, read: `${'b'.repeat(16)}.${world.order()};${world.resource('films').digest};public` })));
  test('when the origin forbids it', () =>
    spoiled('forbidden', (answer) => ({ ...answer, headers: { ...answer.headers, 'cache-control': 'no-store' } })));
  test('of an answer larger than an entry may be, which streams through whole', async () => {
    world.write('huge', { ...film('Huge'), extract: 'x'.repeat(1_200_000) });
    await world.feed.tell();
    for (let round = 0; round < 2; round++) {
      const answer = await world.get('/v2/films/huge');
      expect(answer.headers.get('cache-status')).not.toContain('hit');
      expect((await answer.text()).length).toBeGreaterThan(1_200_000);
    }
    expect(world.asked('/v2/films/huge')).toBe(2);
  });
});

describe('a fill that raced a write', () => {
  test('is not served after the write was reported', async () => {
    await world.change('raced', film('Before'));
    const script = world.origin.script;
    world.origin.script = async (seen) => {
      const old = world.answer(seen);
      world.write('raced', film('After'));
      await world.feed.tell();
      return old;
    };
    expect(await (await world.get('/v2/films/raced')).json()).toMatchObject({ title: 'Before' });
    world.origin.script = script;
    await world.pastMemo();
    const next = await world.get('/v2/films/raced');
    expect(await next.json()).toMatchObject({ title: 'After' });
    expect(next.headers.get('cache-status')).toStartWith('tombolo; fwd=stale');
  });
});

describe('a demanded position', () => {
  test('is met by an entry read at or after it', async () => {
    await world.change('own', film('Own'));
    await world.get('/v2/films/own');
    const { headers } = await world.get('/v2/films/own', { 'tombolo-position': world.positionToken() });
    expect(headers.get('cache-status')).toBe('tombolo; hit');
  });

  test('that the edge has not heard of goes to the origin, which is told', async () => {
    await world.change('own-ahead', film('Before'));
    await world.get('/v2/films/own-ahead');
    await world.feed.pause();
    world.write('own-ahead', film('After'));
    const position = world.position();
    const answer = await world.get('/v2/films/own-ahead', { 'tombolo-position': world.positionToken() });
    expect(await answer.json()).toMatchObject({ title: 'After' });
    expect(world.lastAsked().headers.get('tombolo-after')).toBe(position);
    await world.feed.resume();
  });

  test('is met by an older entry once the feed is complete through it', async () => {
    await world.change('own-other', film('Mine'));
    await world.get('/v2/films/own-other');
    world.write('elsewhere', film('Elsewhere', ['Silent']));
    const token = world.positionToken();
    await world.feed.tell();
    await world.pastMemo();
    expect(await world.cacheStatus('/v2/films/own-other', { 'tombolo-position': token })).toBe('tombolo; hit');
  });

  test('counts from the cookie too, and a forged one is refused', async () => {
    await world.change('own-cookie', film('Cookie'));
    await world.get('/v2/films/own-cookie');
    await world.feed.pause();
    world.write('own-cookie', film('Later'));
    const answer = await world.get('/v2/films/own-cookie', { cookie: `a=b; tombolo-position=${world.positionToken()}` });
    expect(await answer.json()).toMatchObject({ title: 'Later' });
    await world.feed.resume();
    for (const token of ['nonsense', `${world.position()}.${'A'.repeat(22)}`, world.positionToken().slice(0, -1)]) {
      const refused = await world.get('/v2/films/own-cookie', { 'tombolo-position': token });
      expect(refused.status).toBe(400);
      expect(await refused.json()).toMatchObject({ code: 'header_invalid', errors: [{ at: 'Tombolo-Position', in: 'header' }] });
    }
    const taken = await world.get('/v2/films/own-cookie', { cookie: 'tombolo-position=nonsense' });
    expect(taken.headers.get('set-cookie')).toContain('Max-Age=0');
  });

  test('that the origin signed with an older key of the ring still counts', async () => {
    const [, old] = world.origin.keys;
    const { macOf } = await import('../support/scripted-origin.ts');
    if (old === undefined) throw new Error('the ring has one key');
    const token = `${world.position()}.${macOf(old, `tombolo-position ${world.position()}`).subarray(0, 16).toString('base64url')}`;
    expect((await world.get('/v2/films/own', { 'tombolo-position': token })).status).toBe(200);
  });
});
