/** The hop to the origin: what goes over it, what comes back, and what a caller sees when it fails. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { uploadEndBytes } from '../../shared/hop/upload-end.ts';
import { scopeDigest, scopeOf } from '../../shared/contract/scope.ts';
import { hopHeaders } from '../../shared/hop/profile.ts';
import { eventually } from '../support/eventually.ts';
import { digestOf } from '../support/scripted-origin.ts';
import { served } from '../support/notes-contract.ts';
import { codeOf, World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ contract: served, contractModule: 'test/support/notes-contract.ts' });
});
afterAll(() => world.close());
afterEach(() => {
  world.origin.script = (seen) => world.answer(seen);
});

const film = JSON.stringify({ title: 'A', year: 2_000 });
const post = (path: string, body: string | ReadableStream<Uint8Array>, headers: Record<string, string> = {}) =>
  fetch(world.edge.url + path, { method: 'POST', body, headers: { 'content-type': 'application/json', ...headers } });

describe('the origin hears', () => {
  test('only what the profile covers, however much a client sends', async () => {
    await world.get('/v2/ticks', {
      signature: 'hop=:AAAA:', 'signature-input': 'hop=()', 'tombolo-principal': 'e30', 'tombolo-request': 'mine',
      'tombolo-after': world.position(), 'tombolo-deadline': '1',
      'content-digest': 'sha-256=:AAAA:', 'content-type': 'text/plain', cookie: 'a=b', 'x-forwarded-for': '10.0.0.1',
      'x-request-id': 'mine', 'user-agent': 'test', forwarded: 'for=10.0.0.1', 'last-event-id': '7',
    });
    const { headers } = world.lastAsked();
    const transport = [
      'signature', 'signature-input', 'host', 'connection', 'content-length', 'cf-worker', 'accept-encoding', 'cache-control',
      'pragma',
    ];
    for (const [name] of headers) expect([...hopHeaders, ...transport]).toContain(name);
    for (const name of ['tombolo-principal', 'tombolo-after', 'content-digest', 'content-type']) expect(headers.has(name)).toBe(false);
    expect(headers.get('tombolo-request')).toMatch(/^req_[0-9a-f]{32}$/);
    expect(Number(headers.get('tombolo-deadline'))).toBeGreaterThan(9_000);
    // A list does not read it.
    expect(headers.get('last-event-id')).toBeNull();
    expect(world.origin.refused).toEqual([]);
  });

  test('the bytes that were sent, with their digest', async () => {
    const body = ' {"title" : "Ünï",\n"year":2000.0 }\n';
    world.origin.script = () => ({
      status: 201,
      body: '{}',
      headers: { 'tombolo-position': world.positionToken(), 'cache-control': 'no-store' },
    });
    const answer = await post('/v2/films', body, { 'idempotency-key': 'k1' });
    expect(answer.status).toBe(201);
    const { body: got, headers } = world.lastAsked();
    expect(new TextDecoder().decode(got)).toBe(body);
    expect(headers.get('content-digest')).toBe(digestOf(body));
    expect(headers.get('idempotency-key')).toBe('k1');
    expect(answer.headers.get('cache-status')).toBe('tombolo; fwd=method; fwd-status=201');
    expect(answer.headers.get('age')).toBe('0');
    expect(answer.headers.has('set-cookie')).toBe(false);
  });

  test('paths and queries as they were signed, whatever is in them', async () => {
    for (const target of [
      '/v2/films/a%20b', "/v2/films/it's", '/v2/films/%C3%BC', '/v2/films/a+b', '/v2/films/~a!b(c)', '/v2/films/a|b^c',
      '/v2/films/%7Bx%7D', '/v2/films?title=%27a%22b%20c',
      "/v2/films?title='x'+|^`{}",
      '/v2/films?title=ü',
      '/v2/films?',
      '/v2/./films/a',
    ]) {
      expect([target, (await world.get(target)).status]).toEqual([target, target.includes('/films/') ? 404 : 200]);
    }
    expect(world.origin.refused).toEqual([]);
  });

  test('one trace, the caller’s if it is valid', async () => {
    const valid = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';
    await world.get('/v2/ticks', { traceparent: valid });
    expect(world.lastAsked().headers.get('traceparent')).toBe(valid);
    for (const traceparent of [
      '00-00000000000000000000000000000000-00f067aa0ba902b7-01',
      '01-x',
      'ff-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01',
    ]) {
      await world.get('/v2/ticks', { traceparent });
      expect(world.lastAsked().headers.get('traceparent')).toMatch(/^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
    }
  });

  test('no header that it could read otherwise than it was signed', async () => {
    const answer = await post('/v2/films', film, { 'idempotency-key': 'k\u00e9' });
    expect([answer.status, await codeOf(answer)]).toEqual([400, 'header_invalid']);
    expect(world.origin.refused).toEqual([]);
  });
});

describe('preconditions', () => {
  const write = (path: string, method: string, headers: Readonly<Record<string, string>>) => fetch(world.edge.url + path, {
    method, body: method === 'DELETE' ? null : '{"text":"a"}',
    headers: { 'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json', ...headers },
  });

  test('go on as lists without empty elements, and tags that only bytes past ASCII tell apart as none', async () => {
    for (const [sent, carried] of [['"a",,"b",', '"a", "b"'], ['"\u00e9", W/"c"', '"", W/"c"'], [' * ', '*'], [',', '""']] as const) {
      await write('/v2/pins/a', 'PUT', { 'if-match': sent, 'if-none-match': sent });
      expect([world.lastAsked().headers.get('if-match'), world.lastAsked().headers.get('if-none-match')]).toEqual([carried, carried]);
    }
    expect(world.origin.refused).toEqual([]);
  });

  test('that a resource demands are demanded before the origin is asked', async () => {
    const asked = world.origin.seen.length;
    for (const [method, headers] of [
      ['PUT', {}],
      ['PUT', { 'if-none-match': '"a"' }],
      ['PATCH', {}],
      ['PATCH', { 'if-none-match': '*' }],
      ['DELETE', {}],
      ['DELETE', { 'if-none-match': '*' }],
    ] as const) {
      const answer = await write('/v2/pins/a', method, headers);
      expect([method, answer.status, await codeOf(answer)]).toEqual([method, 428, 'precondition_required']);
    }
    expect(world.origin.seen.length).toBe(asked);
    for (const [method, headers] of [
      ['PUT', { 'if-match': '"a"' }],
      ['PUT', { 'if-none-match': '*' }],
      ['PATCH', { 'if-match': '*' }],
      ['DELETE', { 'if-match': '"a"' }],
      ['POST', {}],
    ] as const) {
      expect(
        (
          await write(
            method === 'POST' ? '/v2/pins/import' : '/v2/pins/a',
            method,
            method === 'POST' ? { 'content-type': 'application/x-ndjson' } : headers,
          )
        ).status,
      ).not.toBe(428);
    }
    expect(world.origin.seen.length).toBe(asked + 5);
  });

  test('of a POST are refused', async () => {
    for (const name of ['if-match', 'if-none-match']) expect((await post('/v2/films', film, { [name]: '*' })).status).toBe(400);
  });
});

describe('bodies', () => {
  test('of an import stream through, without a digest', async () => {
    const rows = 20_000;
    let row = 0;
    const body = new ReadableStream({
      pull: (controller) => (row++ < rows ? controller.enqueue(new TextEncoder().encode(`${film}\n`)) : controller.close()),
    });
    world.origin.script = ({ body: got }) => ({ body: `{"summary":${got.length}}\n`, headers: { 'content-type': 'application/x-ndjson' } });
    const answer = await post('/v2/films/import', body, { 'content-type': 'application/x-ndjson' });
    expect(await answer.json()).toEqual({ summary: rows * (film.length + 1) + uploadEndBytes });
    expect(world.lastAsked().headers.has('content-digest')).toBe(false);
    expect(Number(world.lastAsked().headers.get('tombolo-deadline'))).toBeGreaterThan(500_000);
  });

  test('of answers stream through as they are made', async () => {
    let release = () => undefined as void;
    const gate = new Promise<void>((resolve) => (release = resolve));
    world.origin.script = () => ({
      body: new ReadableStream({
        async start(controller) {
          controller.enqueue(new TextEncoder().encode('first\n'));
          await gate;
          controller.enqueue(new TextEncoder().encode('second\n'));
          controller.close();
        },
      }),
      headers: { 'content-type': 'application/x-ndjson' },
    });
    const answer = await post('/v2/films/import', film, { 'content-type': 'application/x-ndjson' });
    const reader = answer.body?.getReader();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('first\n');
    release();
    expect(new TextDecoder().decode((await reader?.read())?.value)).toBe('second\n');
  });
});

describe('answers', () => {
  test('come back without what is between edge and origin', async () => {
    world.origin.script = () => ({
      body: '{}',
      read: world.readHeader('ticks'),
      headers: { 'content-type': 'application/json', 'keep-alive': 'timeout=5', link: '</v2/ticks?after=a>; rel="next"' },
    });
    const answer = await world.get('/v2/ticks');
    for (const name of ['tombolo-read', 'signature', 'signature-input', 'keep-alive']) expect(answer.headers.has(name)).toBe(false);
    expect(answer.headers.get('link')).toContain('rel="next"');
    expect(answer.headers.get('cache-status')).toBe('tombolo; fwd=bypass; fwd-status=200');
    expect(answer.headers.get('api-version')).toBe('v2');
    expect(answer.headers.get('server-timing')).toContain('forward;dur=');
  });

  test('of a write leave their position with a browser', async () => {
    const token = world.positionToken();
    world.origin.script = () => ({ status: 201, body: '{}', headers: { 'tombolo-position': token } });
    const answer = await post('/v2/films', film, { 'sec-fetch-site': 'same-origin' });
    expect(answer.headers.get('set-cookie')).toBe(`tombolo-position=${token}; Path=/; Max-Age=60; HttpOnly; Secure; SameSite=Lax`);
    expect(answer.headers.get('tombolo-position')).toBe(token);
  });

  test('that depend on who asks are kept for those whom the rules cannot tell apart', async () => {
    const as = async (sub: string, roles: string[]) => ({
      authorization: `Bearer ${await world.issuer.token('ed', { payload: { sub, roles } })}`,
    });
    const scopeFor = (subject: string, roles: string[]) => scopeDigest(scopeOf(world.resource('notes'), { subject, roles, claims: {} }));
    world.documents.set('n1', { text: 'secret', by: 'usr_1' });
    world.scope = scopeFor('usr_1', ['auditor']);
    const first = await world.get('/v2/notes', await as('usr_1', ['auditor']));
    expect([first.headers.get('cache-status'), first.headers.get('cache-control')]).toEqual([
      'tombolo; fwd=uri-miss; fwd-status=200; stored',
      'private, no-cache',
    ]);
    expect(world.principalAsked()).toMatchObject({ roles: ['auditor'] });
    const alike = await as('usr_1', ['auditor', 'other']);
    await eventually('a hit', async () => await world.cacheStatus('/v2/notes', alike) === 'tombolo; hit');
    for (const headers of [await as('usr_2', ['auditor']), await as('usr_1', []), {}]) {
      expect(await world.cacheStatus('/v2/notes', headers)).not.toContain('hit');
    }
    world.scope = 'public';
  });

  test('of a resource that says so are never stored', async () => {
    const before = world.asked('/v2/ticks');
    for (let round = 0; round < 3; round++) {
      expect(await world.cacheStatus('/v2/ticks')).toBe('tombolo; fwd=bypass; fwd-status=200');
    }
    expect(world.asked('/v2/ticks')).toBe(before + 3);
  });
});

describe('an origin', () => {
  test('that does not believe the edge is not the caller’s fault', async () => {
    world.origin.script = () => ({
      status: 401,
      body: '{"code":"hop_expired"}',
      headers: { 'content-type': 'application/problem+json', 'tombolo-hop': 'hop_expired' },
    });
    const answer = await world.get('/v2/ticks');
    expect([answer.status, await codeOf(answer)]).toEqual([503, 'origin_unavailable']);
    expect((await world.logged(answer.headers.get('x-request-id') ?? '-')).join()).toContain('"originCode":"hop_expired"');
  });

  test('that asks for a token is heard', async () => {
    world.origin.script = () => ({
      status: 401,
      body: '{"code":"token_missing"}',
      headers: { 'content-type': 'application/problem+json', 'www-authenticate': 'Bearer realm="tombolo"' },
    });
    const answer = await world.get('/v2/ticks');
    expect([answer.status, answer.headers.get('www-authenticate'), await codeOf(answer)]).toEqual([
      401,
      'Bearer realm="tombolo"',
      'token_missing',
    ]);
  });

  test('that redirects is not followed', async () => {
    world.origin.script = () => ({ status: 302, headers: { location: 'http://127.0.0.1:1/' } });
    const answer = await fetch(`${world.edge.url}/v2/ticks`, { redirect: 'manual' });
    expect(answer.status).toBe(302);
  });

  test('that refuses is passed on, and not stored', async () => {
    world.origin.script = () => ({
      status: 503,
      body: '{"code":"store_busy"}',
      headers: { 'content-type': 'application/problem+json', 'retry-after': '3' },
    });
    const answer = await world.get('/v2/films/busy');
    expect([
      answer.status,
      answer.headers.get('retry-after'),
      answer.headers.get('cache-status'),
      answer.headers.get('cache-control'),
    ]).toEqual([503, '3', 'tombolo; fwd=uri-miss; fwd-status=503', 'no-store']);
    world.origin.script = (seen) => world.answer(seen);
    expect((await world.get('/v2/films/busy')).status).toBe(404);
  });
});
