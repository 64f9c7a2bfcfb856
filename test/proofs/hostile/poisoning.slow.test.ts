/**
 * Inputs that are no part of a cached answer's name: whoever fills the cache with them, and whoever asks a
 * filled one with them, changes nothing of what others are answered.
 */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { createFilm } from '../../support/film.ts';
import { send, signHop } from '../../support/signed-hop.ts';
import { type Asking, stacks, startWorld, type World } from '../../support/whole-world.ts';

const declared = 'https://app.test';
describe.each([...stacks])('the cache, in %s', (stack) => {
  let world: World;
  let alice: string;
  beforeAll(async () => {
    world = await startWorld({ engine: 'sqlite', stack, corsOrigins: declared });
    alice = await world.token();
    for (const title of ['One', 'Two', 'Three']) await createFilm(world, { title, genres: ['Poison'] });
  });
  afterAll(() => world.close());

  /** The answer of the origin, without any edge. */
  const truth = async (path: string): Promise<string> => (await send(signHop(world.keys, { url: `${world.origin.url}${path}` }))).text;

  const attacks = (): readonly (readonly [what: string, asking: Asking])[] => [
    ...['application/json;q=0', 'text/html', 'application/vnd.tombolo.v9+json', '*/*;q=0.1', 'application/problem+json', 'text/csv'].map(
      (accept) => [`accept ${accept}`, { headers: { accept } }] as const,
    ),
    ...['v0', 'v9', '../v2'].map((version) => [`api-version ${version}`, { headers: { 'api-version': version } }] as const),
    ...['https://evil.test', 'null', declared, 'file://'].map((origin) => [`origin ${origin}`, { headers: { origin } }] as const),
    ...['bytes=0-1', 'bytes=-1', 'bytes=0-0,2-3'].map((range) => [`range ${range}`, { headers: { range, 'if-range': '"a"' } }] as const),
    ...['Bearer nonsense', 'Basic YTpi', 'bearer '].map(
      (authorization) => [`authorization ${authorization}`, { headers: { authorization } }] as const,
    ),
    ['somebody signed in', { token: alice }],
    ...['no-store', 'no-cache', 'max-age=0', 'only-if-cached', 'max-stale=1000'].map(
      (value) => [`cache-control ${value}`, { headers: { 'cache-control': value, pragma: 'no-cache' } }] as const,
    ),
    ...['*', '"evil"', 'W/"evil"'].map((value) => [`if-none-match ${value}`, { headers: { 'if-none-match': value } }] as const),
    ['if-match', { headers: { 'if-match': '"evil"' } }],
    [
      'if-modified-since',
      { headers: { 'if-modified-since': 'Tue, 01 Jan 2999 00:00:00 GMT', 'if-unmodified-since': 'Thu, 01 Jan 1970 00:00:00 GMT' } },
    ],
    [
      'a host and its kin',
      {
        headers: {
          'x-forwarded-host': 'evil.test', 'x-forwarded-scheme': 'http', 'x-forwarded-port': '1', 'x-original-url': '/v2/orders',
          forwarded: 'host=evil.test',
        },
      },
    ],
    ['a cookie', { headers: { cookie: 'tombolo-position=evil' } }],
    ['a browser', { headers: { 'sec-fetch-site': 'cross-site', 'sec-fetch-mode': 'no-cors' } }],
    [
      'encodings',
      { headers: { 'accept-encoding': 'gzip;q=1.0, br, zstd', 'accept-language': 'xx', 'accept-charset': 'utf-7', te: 'trailers' } },
    ],
    ['HEAD', { method: 'HEAD' }],
    ['OPTIONS', { method: 'OPTIONS', headers: { origin: declared, 'access-control-request-method': 'DELETE' } }],
    ['a trace', { headers: { traceparent: '00-00000000000000000000000000000001-0000000000000001-01', 'x-request-id': 'evil' } }],
  ];

  async function expectClean(what: string, path: string): Promise<void> {
    const answer = await world.request(path);
    expect([what, answer.status, answer.text]).toEqual([what, 200, await truth(path)]);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(JSON.stringify([...answer.headers])).not.toMatch(/evil|set-cookie|content-range|content-encoding/);
    expect([what, answer.headers.has('access-control-allow-origin')]).toEqual([what, false]);
    expect([what, (answer.headers.get('vary') ?? '').split(', ').sort()]).toEqual([what, ['Accept', 'Origin']]);
  }

  describe('others are answered the same', () => {
    test('after whoever filled the cache', async () => {
      for (const [index, [what, asking]] of attacks().entries()) {
        const path = `/v2/films?genres=Poison&limit=${100 + index}`;
        await world.request(path, asking);
        await expectClean(what, path);
        await expectClean(what, path);
      }
    });

    test('after whoever asks a filled one', async () => {
      const path = '/v2/films?genres=Poison';
      await world.mustHit(path);
      for (const [what, asking] of attacks()) {
        await world.request(path, asking);
        await expectClean(what, path);
      }
      expect((await world.mustHit(path)).text).toBe(await truth(path));
    });

    test('however the query is spelt', async () => {
      const path = '/v2/films?genres=Poison&limit=90&sort=-year,title';
      for (const spelt of [
        '/v2/films?sort=-year%2Ctitle&limit=90&genres=Poison',
        '/v2/films?genres=%50oison&limit=90&sort=-year,title,id',
        '/v2/films?limit=90&genres[in]=Poison,Poison',
        '/v2/films?genres=Poison&limit=90',
      ]) {
        expect((await world.request(spelt)).json()).toEqual(JSON.parse(await truth(spelt)));
        await expectClean(spelt, path);
      }
    });
  });

  test('pages of an origin that is not declared, the null origin among them, may read nothing', async () => {
    for (const origin of [
      'null', 'https://evil.test', 'https://app.test.evil.test', 'http://app.test', 'https://app.test:8443', '*',
      'HTTPS://APP.TEST',
    ]) {
      for (const path of ['/v2/films?genres=Poison', '/v2/nothing', '/v2/orders']) {
        const answer = await world.request(path, { headers: { origin } });
        expect([
          origin,
          path,
          answer.headers.has('access-control-allow-origin'),
          answer.headers.has('access-control-allow-credentials'),
        ]).toEqual([origin, path, false, false]);
      }
    }
  });

  test('a part of a document is never served for the whole', async () => {
    const { path } = await createFilm(world, { title: 'Ranged' });
    await world.mustHit(path);
    const answer = await world.request(path, { headers: { range: 'bytes=0-3' } });
    expect([answer.status, answer.film.title]).toEqual([200, 'Ranged']);
  });
});
