/** The origin trusts nobody but a signed edge: what reaches it past the edge is refused, and changes nothing. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { toFilm } from '../support/film.ts';
import { forgeToken } from '../support/forged-token.ts';
import { principalHeader, send, type SignedHop, signHop } from '../support/signed-hop.ts';
import { engines, startWorld, type World } from '../support/whole-world.ts';

describe.each([...engines])('the hop on %s', (engine) => {
  let world: World;
  beforeAll(async () => void (world = await startWorld({ engine })));
  afterAll(() => world.close());

  const filmsThere = async (): Promise<number> =>
    (await world.request('/v2/films?sort=-year,title&limit=200', { headers: { 'cache-control': 'no-cache' } })).page.data.length;
  const creation = (title: string, more: Partial<Parameters<typeof signHop>[1]> = {}): SignedHop =>
    signHop(world.keys, {
      url: `${world.origin.url}/v2/films`, method: 'POST', body: JSON.stringify(toFilm({ title })),
      headers: { 'content-type': 'application/json', 'tombolo-principal': principalHeader('eve', ['editor']) }, ...more,
    });

  test('answers what its edge signs', async () => {
    expect((await send(creation('Signed'))).status).toBe(201);
    expect((await send(signHop(world.keys, { url: `${world.origin.url}/v2/films?limit=1` }))).status).toBe(200);
  });

  test('has room for the longest token, target and headers that the edge lets in', async () => {
    const token = await forgeToken(world, { payload: { groups: 'x'.repeat(5_750) } });
    expect(token.length).toBeGreaterThan(7_900);
    const headers = {
      accept: `application/json, application/${'x'.repeat(900)}`,
      'if-none-match': `"${'x'.repeat(1_000)}"`,
      'cache-control': 'no-store',
    };
    const answer = await world.request(`/v2/films?limit=1&fields=${'title,'.repeat(1_350)}year`, { token, headers });
    expect([answer.status, answer.text.slice(0, 8)]).toEqual([200, '{"data":']);
  });

  test('refuses whoever comes directly, and tells him nothing', async () => {
    for (const path of [
      '/v2/films', '/v2/films/1', '/', '/metrics', '/v2/films/import', '/v2/films/health', '/v2/films?x=/health',
      '/v2/.well-known/jwks.json',
    ]) {
      for (const method of ['GET', 'POST', 'DELETE']) {
        const { status, code } = await send({
          url: `${world.origin.url}${path}`,
          init: { method, headers: { authorization: `Bearer ${await world.token()}` }, body: null },
        });
        expect([method, path, status, code]).toEqual([method, path, 401, 'hop_unsigned']);
      }
    }
  });

  test('refuses a foreign key, an old signature, and anything changed after the signing', async () => {
    const before = await filmsThere();
    const foreign = { id: 'dev-1', secret: new Uint8Array(32) };
    const good = creation('Changed');
    const cases: readonly [what: string, hop: SignedHop, code: string][] = [
      ['a foreign key under a known name', creation('Foreign', { key: foreign }), 'hop_invalid'],
      ['a key that is not known', creation('Unknown', { key: { ...foreign, id: 'nobody' } }), 'hop_key_unknown'],
      ['a signature of a minute ago', creation('Old', { secondsOld: 61 }), 'hop_expired'],
      ['a signature from the future', creation('Early', { secondsOld: -61 }), 'hop_expired'],
      ['another path', { ...good, url: `${world.origin.url}/v2/places` }, 'hop_invalid'],
      ['a query', { ...good, url: `${good.url}?x=1` }, 'hop_invalid'],
      [
        'another principal',
        {
          ...good,
          init: { ...good.init, headers: { ...good.init.headers, 'tombolo-principal': principalHeader('root', ['editor', 'admin']) } },
        },
        'hop_invalid',
      ],
      [
        'a header that the signature covers',
        { ...good, init: { ...good.init, headers: { ...good.init.headers, accept: 'text/csv' } } },
        'hop_invalid',
      ],
      [
        'a header more in the list of what is covered',
        { ...good, init: { ...good.init, headers: covering(good.init.headers, 'if-match', '*') } },
        'hop_invalid',
      ],
      ['another method', { ...good, init: { ...good.init, method: 'PUT' } }, 'hop_invalid'],
    ];
    for (const [what, hop, code] of cases) {
      const answer = await send(hop);
      expect([what, answer.status, answer.code]).toEqual([what, 401, code]);
    }
    const otherBody = await send({ ...good, init: { ...good.init, body: JSON.stringify(toFilm({ title: 'Swapped' })) } });
    expect([400, 401]).toContain(otherBody.status);
    expect(await filmsThere()).toBe(before);
  });

  test('does not see a header that the signature does not cover', async () => {
    const hop = creation('Uncovered');
    // A POST that carried a condition would be refused.
    expect((await send({ ...hop, init: { ...hop.init, headers: { ...hop.init.headers, 'if-match': '"x"' } } })).status).toBe(201);
  });

  test('takes a header that it does not know, so that an edge may sign one more first', async () => {
    expect(
      (
        await send(
          creation('Newer', {
            headers: { 'content-type': 'application/json', 'tombolo-principal': principalHeader('eve', ['editor']), 'tombolo-newer': 'x' },
          }),
        )
      ).status,
    ).toBe(201);
  });

  test('takes a write once: a replay is refused, also after the origin was killed', async () => {
    const hop = creation('Once');
    expect((await send(hop)).status).toBe(201);
    const there = await filmsThere();
    const replayed = await send(hop);
    expect([replayed.status, replayed.code]).toEqual([401, 'hop_replayed']);
    await world.origin.kill9();
    await world.origin.start();
    const again = await send(hop);
    expect([again.status, again.code]).toEqual([401, 'hop_replayed']);
    expect(await filmsThere()).toBe(there);
  });
});

/** The list of covered components with one more, and the header beside it. */
function covering(headers: Readonly<Record<string, string>>, name: string, value: string): Record<string, string> {
  return { ...headers, [name]: value, 'signature-input': (headers['signature-input'] ?? '').replace(');created', ` "${name}");created`) };
}
