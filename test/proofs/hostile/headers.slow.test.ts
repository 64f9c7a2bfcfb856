/** Headers that would forge a caller, join or split requests, or change a method. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { hopHeaders } from '../../../shared/hop/profile.ts';
import { createFilm, toFilm } from '../../support/film.ts';
import { principalHeader, signHop } from '../../support/signed-hop.ts';
import { stacks, startWorld, type World } from '../../support/whole-world.ts';
import { type RawRequest, sendRaw } from './raw-http.ts';

describe.each([...stacks])('headers, in %s', (stack) => {
  let world: World;
  let editor: string;
  let path: string;
  let draft: string;
  beforeAll(async () => {
    world = await startWorld({ engine: 'sqlite', stack });
    editor = await world.token();
    ({ path } = await createFilm(world, { title: 'Untouched' }));
    const review = { film: crypto.randomUUID(), author: 'alice', status: 'draft', rating: 1, text: 'alice alone' };
    draft = `/v2/reviews/${(await world.request('/v2/reviews', { token: editor, json: review })).json<{ id: string }>().id}`;
  });
  afterAll(() => world.close());

  const send = (request: RawRequest) => sendRaw(world.edge.url, request);
  const films = async (): Promise<string> =>
    (await world.request('/v2/films?limit=200', { headers: { 'cache-control': 'no-store' } })).text;
  const film = JSON.stringify(toFilm({ title: 'Smuggled' }));

  describe('a client that speaks as the edge does', () => {
    const asEditor = `tombolo-principal: ${principalHeader('alice', ['editor', 'staff'])}`;

    test('is nobody all the same, also with every header that the hop knows', async () => {
      const before = await films();
      const lies = [
        asEditor,
        'tombolo-request: req_mine',
        'tombolo-deadline: 0',
        'tombolo-after: 0000000000000000.0000',
        'tombolo-read: x;y;z',
        'tombolo-scope: public',
      ];
      expect(
        (await send({ method: 'POST', target: '/v2/films', headers: [...lies, 'content-type: application/json'], body: film })).status,
      ).toBe(401);
      expect((await send({ target: draft, headers: lies })).status).toBe(404);
      const answer = await send({ target: path, headers: lies });
      expect(answer.status).toBe(200);
      expect(answer.head).not.toContain('req_mine');
      expect(await films()).toBe(before);
    });

    test('gains nothing by a signature, not even by a true one', async () => {
      const { init } = signHop(world.keys, {
        url: `${world.origin.url}${draft}`,
        headers: { 'tombolo-principal': principalHeader('alice', []) },
      });
      const headers = Object.entries(init.headers).map(([name, value]) => `${name}: ${value}`);
      expect((await send({ target: draft, headers })).status).toBe(404);
      expect((await send({ target: path, headers: ['signature: hop=:AAAA:', 'signature-input: hop=()'] })).status).toBe(200);
    });

    test('sees nothing of what edge and origin say to one another', async () => {
      for (const target of [path, draft, '/v2/films', '/v2/nothing']) {
        expect((await send({ target })).head.toLowerCase()).not.toMatch(/tombolo-(read|principal|request|deadline|after)|signature/);
      }
    });
  });

  test('headers that proxies believe change neither method, target nor who asks', async () => {
    const before = await films();
    const plain = await send({ target: path });
    for (const line of [
      'x-http-method-override: DELETE', 'x-http-method: DELETE', 'x-method-override: DELETE', 'x-original-url: /v2/orders',
      'x-rewrite-url: /v2/orders', 'x-forwarded-host: evil.test',
      'x-forwarded-proto: gopher', 'x-forwarded-prefix: /evil', 'forwarded: host=evil.test', 'x-forwarded-for: 127.0.0.1',
      'host: evil.test', 'x-host: evil.test', 'via: 1.1 evil', 'x-user: root', 'x-real-ip: ::1',
    ]) {
      const answer = await send({ target: path, headers: [line] });
      expect([line, answer.status, answer.body, /evil|gopher/.test(answer.head)]).toEqual([line, 200, plain.body, false]);
      const written = await send({ method: 'POST', target: path, headers: [line, `authorization: Bearer ${editor}`], body: '' });
      expect([line, written.status]).toEqual([line, 405]);
    }
    expect(await films()).toBe(before);
  });

  test('a header given twice is refused or means nothing, and never the one that pleases', async () => {
    const before = await films();
    const bearer = `authorization: Bearer ${editor}`;
    const post = (headers: readonly string[]) =>
      send({ method: 'POST', target: '/v2/films', headers: ['content-type: application/json', ...headers], body: film });
    expect((await post([bearer, bearer])).status).toBe(401);
    expect((await post(['authorization: Basic YTpi', bearer])).status).toBe(401);
    expect((await post([bearer, 'idempotency-key: a', 'idempotency-key: b'])).status).toBe(400);
    expect((await post([bearer, 'content-type: text/plain'])).status).toBe(415);
    expect((await send({ target: path, headers: ['tombolo-position: a', 'tombolo-position: b'] })).status).toBe(400);
    expect((await send({ method: 'DELETE', target: path, headers: [bearer, 'if-match: "a"', 'if-match: "b"'] })).status).toBe(412);
    expect(await films()).toBe(before);
  });

  test('one request is not two: lengths that disagree carry nothing in', async () => {
    const before = await films();
    // It has no token: were it taken for a part of the outer one, or for the same caller's next, it would be let in.
    const inner = `POST /v2/films HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\nContent-Length: ${film.length}\r\n\r\n${film}`;
    const common = ['content-type: application/json', `authorization: Bearer ${editor}`];
    const cases: readonly RawRequest[] = [
      {
        method: 'POST',
        target: '/v2/films',
        headers: [...common, 'content-length: 4', 'transfer-encoding: chunked'],
        body: `0\r\n\r\n${inner}`,
      },
      { method: 'POST', target: '/v2/films', headers: [...common, 'content-length: 0', `content-length: ${inner.length}`], body: inner },
      { method: 'POST', target: '/v2/films', headers: [...common, 'transfer-encoding: xchunked'], body: `0\r\n\r\n${inner}` },
      { method: 'POST', target: '/v2/films', headers: [...common, 'transfer-encoding: identity, chunked'], body: `0\r\n\r\n${inner}` },
      { target: path, headers: [`content-length: ${inner.length}`], body: inner },
    ];
    for (const request of cases) {
      const answer = await send(request);
      expect([request.headers, answer.status < 500 || !answer.isOurs, /201 Created/.test(answer.body)]).toEqual([
        request.headers,
        true,
        false,
      ]);
    }
    expect(await films()).toBe(before);
  });

  test('what is no header text ends in a refusal, and never in a failure', async () => {
    for (const name of [...hopHeaders, 'authorization', 'cookie', 'accept', 'origin', 'cache-control', 'traceparent', 'x-request-id']) {
      await Promise.all(
        [
          '', 'é', '\u00ff\u00fe', 'a'.repeat(9_000), '\t', '"',
          '((((',
          '=?utf-8?',
          ',,,,',
          '*',
          ';q=x',
          '\u0000',
          'tombolo-position=%00; tombolo-position=;',
        ].map(async (value) => {
          const { status } = await send({ target: path, headers: [`${name}: ${value}`] });
          // A null byte is no HTTP: the connection may end over it.
          expect([name, value.slice(0, 20), status < 500 && (status > 0 || value === '\u0000')]).toEqual([name, value.slice(0, 20), true]);
        }),
      );
    }
  });
});
