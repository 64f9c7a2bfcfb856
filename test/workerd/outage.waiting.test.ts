/** An origin that is away, breaks off or is silent: what callers get meanwhile, and what is not tried twice. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect, createServer } from 'node:net';
import { startEdge } from '../support/edge.ts';
import { eventually } from '../support/eventually.ts';
import { testKeys } from '../support/scripted-origin.ts';
import { codeOf, World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ silent: true });
});
afterAll(() => world.close());

const film = JSON.stringify({ title: 'A', year: 2_000 });
const post = (url: string) => fetch(`${url}/v2/films`, { method: 'POST', body: film, headers: { 'content-type': 'application/json' } });

describe('an origin', () => {
  test('that is away is told as such, with when to come back', async () => {
    const { port } = world.origin;
    await world.origin.stop();
    const read = await world.get('/v2/films');
    expect([read.status, await codeOf(read), read.headers.get('retry-after')]).toEqual([503, 'origin_unavailable', '1']);
    const write = await post(world.edge.url);
    expect([write.status, await codeOf(write)]).toEqual([503, 'origin_unavailable']);
    world.origin.start(port);
    expect((await world.get('/v2/films')).status).toBe(200);
  });

  test('whose connection breaks is asked once more for a read, and not for a write', async () => {
    const broken = await breakingProxy(world.origin.port);
    const { issuer, audience } = world.issuer;
    const other = await startEdge({
      originUrl: `http://127.0.0.1:${broken.port}`,
      keys: testKeys,
      issuer,
      audience,
      jwksUrl: `${world.origin.url}/.well-known/jwks.json`,
    });
    broken.breakNext(1);
    expect((await fetch(`${other.url}/v2/films`)).status).toBe(200);
    expect(broken.broken).toBe(1);
    broken.breakNext(1);
    const write = await post(other.url);
    expect([write.status, await codeOf(write)]).toEqual([503, 'origin_unavailable']);
    expect(broken.broken).toBe(2);
    broken.breakNext(100);
    // Retries are earned: an outage is not answered with twice the load.
    for (let index = 0; index < 30; index++) expect((await fetch(`${other.url}/v2/films?limit=${index + 1}`)).status).toBe(503);
    expect(broken.broken).toBeLessThan(2 + 30 + 15);
    await other.close();
    broken.close();
  });
});

describe('while the origin is away', () => {
  let away: World;
  beforeAll(async () => {
    away = await World.start({ feedSilentMs: 300, variables: { TOMBOLO_STALE_IF_ERROR_MS: '2000' } });
    away.documents.set('kept', { title: 'Kept', year: 2_000, genres: [], cast: [] });
  });
  afterAll(() => away.close());

  test('what was last known to be right stands in, marked, for a stated time, but not for whoever insists on more', async () => {
    await away.get('/v2/films/kept');
    await away.get('/v2/films/absent');
    await away.mustHit('/v2/films/kept');
    await away.feed.pause();
    const { port } = away.origin;
    await away.origin.stop();
    await away.noHit('/v2/films/kept');
    const known = performance.now();
    const stale = await away.get('/v2/films/kept');
    expect([stale.status, stale.headers.get('cache-status')]).toEqual([200, 'tombolo; fwd=stale; detail=stale-if-error']);
    expect(await stale.json()).toMatchObject({ title: 'Kept' });
    expect((await away.get('/v2/films/kept', { 'if-none-match': stale.headers.get('etag') ?? '' })).status).toBe(304);
    expect((await away.get('/v2/films/absent')).status).toBe(404);
    expect((await away.get('/v2/films/other')).status).toBe(503);
    expect((await away.get('/v2/films/kept', { 'cache-control': 'no-cache' })).status).toBe(503);
    expect((await away.get('/v2/films/kept', { 'tombolo-position': away.positionToken(away.position(away.at + 1)) })).status).toBe(503);
    expect((await away.get('/v2/films/kept', { 'tombolo-position': away.positionToken() })).status).toBe(200);
    // The answer was last known to be right before the origin stopped, and stands in for 2 s.
    while (performance.now() - known < 2_500) await Bun.sleep(20);
    expect((await away.get('/v2/films/kept')).status).toBe(503);
    away.origin.start(port);
    const known304 = 'tombolo; fwd=stale; fwd-status=304; stored';
    await eventually('an answer of the origin', async () => (await away.cacheStatus('/v2/films/kept')) === known304);
  });

  test('an origin that says so itself is stood in for as well', async () => {
    await away.feed.resume();
    await away.mustHit('/v2/films/kept');
    const { script } = away.origin;
    await away.feed.pause();
    away.origin.script = () => ({ status: 503, body: '{"code":"store_unavailable"}' });
    await away.noHit('/v2/films/kept');
    const answer = await away.get('/v2/films/kept');
    expect([answer.status, answer.headers.get('cache-status')]).toEqual([200, 'tombolo; fwd=stale; detail=stale-if-error']);
    away.origin.script = script;
    await away.feed.resume();
  });

  test('what is known to be wrong is not answered: a change was heard of, and the origin went', async () => {
    await away.mustHit('/v2/films/kept');
    const { script } = away.origin;
    away.origin.script = () => ({ status: 503, body: '{"code":"store_unavailable"}' });
    away.write('kept', undefined);
    await away.feed.tell();
    await away.noHit('/v2/films/kept');
    expect((await away.get('/v2/films/kept')).status).toBe(503);
    expect((await away.get('/v2/films/absent')).status).toBe(404);
    away.origin.script = script;
    expect((await away.get('/v2/films/kept')).status).toBe(404);
  });

  test('nor is what was written through here, before anybody has reported it', async () => {
    await away.feed.pause();
    away.write('own', { title: 'Own', year: 2_000, genres: [], cast: [] });
    await away.feed.resume();
    await away.feed.tell();
    // The refusal below must come from the write, not from this report.
    await away.pastMemo();
    await away.mustHit('/v2/films/own');
    await away.feed.pause();
    const { script } = away.origin;
    away.origin.script = () => ({ status: 204, headers: { 'tombolo-position': away.positionToken(away.position(away.at + 1)) } });
    const token = await away.issuer.token('ed', { payload: { roles: ['editor'] } });
    expect((await away.get('/v2/films/own', { authorization: `Bearer ${token}` }, 'DELETE')).status).toBe(204);
    away.origin.script = () => ({ status: 503, body: '{"code":"store_unavailable"}' });
    await away.noHit('/v2/films/own');
    expect((await away.get('/v2/films/own')).status).toBe(503);
    away.origin.script = script;
    await away.feed.resume();
  });
});

describe('an answer that does not come', () => {
  test('ends with the deadline', async () => {
    world.origin.script = () => new Promise(() => undefined);
    const started = performance.now();
    const answer = await world.get('/v2/films');
    expect([answer.status, await codeOf(answer)]).toEqual([504, 'deadline_exceeded']);
    expect(performance.now() - started).toBeWithin(9_500, 20_000);
  }, 60_000);
});

/** A TCP proxy that cuts the next connections at their first bytes. */
async function breakingProxy(port: number) {
  const state = { toBreak: 0, broken: 0 };
  const server = createServer((socket) => {
    socket.on('error', () => undefined);
    const upstream = connect(port, '127.0.0.1');
    upstream.on('error', () => undefined);
    socket.on('data', (chunk) => {
      if (chunk.includes('HTTP/1.1') && state.toBreak > 0) {
        state.toBreak--;
        state.broken++;
        socket.destroy();
        upstream.destroy();
      } else upstream.write(chunk);
    });
    upstream.on('data', (chunk) => socket.write(chunk));
    upstream.on('close', () => socket.destroy());
    socket.on('close', () => upstream.destroy());
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', () => resolve()));
  const address = server.address();
  return {
    port: typeof address === 'object' && address !== null ? address.port : 0,
    get broken() {
      return state.broken;
    },
    breakNext: (count: number) => {
      state.toBreak = count;
    },
    close: () => server.close(),
  };
}
