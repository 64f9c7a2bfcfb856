/** Every refusal is a problem document that says what is wrong, and leaves nothing behind. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Answer } from '../support/answer.ts';
import { eventually } from '../support/eventually.ts';
import { createFilm, toFilm, toPlace } from '../support/film.ts';
import { forgeToken, respelled, unsecuredToken } from '../support/forged-token.ts';
import { type Asking, startWorld, type World, worldsOfBoth } from '../support/whole-world.ts';

/**
 * What is refused before it is read may be answered with a connection that closes while the client still
 * sends, and the reset overtakes the answer (RFC 9112 §9.6). A client then asks again.
 */
async function untilHeard(ask: () => Promise<Answer>): Promise<Answer> {
  return eventually('an answer', ask);
}

describe.each(worldsOfBoth)('refusals on %s in %s', (engine, stack) => {
  let world: World;
  let editor: string;
  beforeAll(async () => {
    world = await startWorld({ engine, stack });
    editor = await world.token();
  });
  afterAll(() => world.close());

  const filmsThere = async (): Promise<number | undefined> =>
    (await world.request('/v2/films?count=exact&limit=1', { headers: { 'cache-control': 'no-cache' } })).page.page.total;

  function expectProblem(answer: Answer, status: number, code: string): void {
    expect([answer.status, answer.code]).toEqual([status, code]);
    expect(answer.headers.get('content-type')).toBe('application/problem+json');
    expect(answer.json<{ instance: string }>().instance).toContain(answer.headers.get('x-request-id') ?? 'no request id');
    expect(answer.text).not.toMatch(/\bat .*\.(ts|js):\d+|SQLITE|sqlite|stack/);
  }

  test('refuses tokens that are expired, foreign, unsigned, for others, of another kind or misspelt, on public routes too', async () => {
    const now = Math.floor(Date.now() / 1_000);
    const tokens: Readonly<Record<string, string>> = {
      expired: await forgeToken(world, { payload: { exp: now - 3_600 } }),
      'not yet valid': await forgeToken(world, { payload: { nbf: now + 3_600 } }),
      'without an end': await forgeToken(world, { payload: { exp: undefined } }),
      'of a foreign key': await forgeToken(world, { foreignKey: true }),
      'of a foreign issuer': await forgeToken(world, { payload: { iss: 'https://issuer.example' } }),
      'for another audience': await forgeToken(world, { payload: { aud: 'another-api' } }),
      'of another type': await forgeToken(world, { header: { typ: 'id+jwt' } }),
      'without a subject': await forgeToken(world, { payload: { sub: '' } }),
      'not secured': unsecuredToken(world),
      'spelt otherwise': respelled(editor),
      'cut short': editor.slice(0, -10),
      'no token at all': 'nonsense',
    };
    const { path } = await createFilm(world);
    const before = await filmsThere();
    for (const [kind, token] of Object.entries(tokens)) {
      for (const asking of [{ path, token }, { path: '/v2/films', token, json: toFilm() }]) {
        const answer = await world.request(asking.path, asking);
        expect([kind, answer.status]).toEqual([kind, 401]);
        expectProblem(answer, 401, 'token_invalid');
        expect(answer.headers.get('www-authenticate')).toContain('Bearer');
      }
    }
    expect(await filmsThere()).toBe(before);
  });

  test('asks for a token where one is missing, and refuses one without the role', async () => {
    const before = await filmsThere();
    expectProblem(await world.request('/v2/films', { json: toFilm() }), 401, 'token_missing');
    expectProblem(await world.request('/v2/films', { token: await world.token({ roles: ['viewer'] }), json: toFilm() }), 403, 'forbidden');
    expect(await filmsThere()).toBe(before);
  });

  test('refuses what is malformed, too large, of a wrong type or unknown, naming the place', async () => {
    const large = 'x'.repeat(1_048_577);
    const cases: readonly [what: string, path: string, asking: Asking, status: number, code: string][] = [
      ['a route that is not there', '/v2/nothing', {}, 404, 'route_not_found'],
      ['a version that is not there', '/v9/films', {}, 404, 'version_unknown'],
      ['a method that is not there', '/v2/films', { method: 'PUT', token: editor }, 405, 'method_not_allowed'],
      ['an unknown parameter', '/v2/films?colour=red', {}, 400, 'query_invalid'],
      ['an operator as a parameter', '/v2/films?year[$gt]=1', {}, 400, 'query_invalid'],
      ['a value of a wrong type', '/v2/films?year[gte]=soon', {}, 400, 'query_invalid'],
      ['a shape that is not declared', '/v2/films?title=Laura&sort=-title', {}, 400, 'query_not_served'],
      ['a limit past the bound', '/v2/films?limit=201', {}, 400, 'query_invalid'],
      ['a cursor of nobody', '/v2/films?after=bm9uZQ.bm9uZQ', {}, 400, 'cursor_invalid'],
      ['an id that no document can have', '/v2/places/123', {}, 404, 'document_not_found'],
      ['a target past the bound', `/v2/films?title=${'a'.repeat(8_300)}`, {}, 414, 'target_too_long'],
      [
        'a body that is no JSON', '/v2/films',
        { token: editor, body: '{"title":', headers: { 'content-type': 'application/json' } },
        400, 'body_malformed',
      ],
      [
        'a body of another type', '/v2/films',
        { token: editor, body: 'title=1', headers: { 'content-type': 'application/x-www-form-urlencoded' } },
        415, 'media_type_unsupported',
      ],
      ['a body past the bound', '/v2/films', { token: editor, json: { ...toFilm(), extract: large } }, 413, 'body_too_large'],
      ['a field of a wrong type', '/v2/films', { token: editor, json: { ...toFilm(), year: '1949' } }, 422, 'document_invalid'],
      ['a field that is not declared', '/v2/films', { token: editor, json: { ...toFilm(), $where: '1' } }, 422, 'document_invalid'],
      [
        'a precondition that does not hold', '/v2/places/00000',
        { method: 'PUT', token: editor, json: toPlace(), headers: { 'if-match': '"never"' } }, 412, 'precondition_failed',
      ],
      [
        'a precondition on what is not there', '/v2/places/00000',
        { method: 'DELETE', token: editor, headers: { 'if-match': '"never"' } }, 404, 'document_not_found',
      ],
      [
        'a precondition of a POST', '/v2/films', { token: editor, json: toFilm(), headers: { 'if-none-match': '*' } }, 400,
        'header_invalid',
      ],
    ];
    const before = await filmsThere();
    for (const [what, path, asking, status, code] of cases) {
      const answer = await untilHeard(() => world.request(path, asking));
      expect([what, answer.status, answer.code]).toEqual([what, status, code]);
      expectProblem(answer, status, code);
    }
    expect(await filmsThere()).toBe(before);
  });

  test('counts what streams in without a length, and refuses it at the bound', async () => {
    const chunk = new TextEncoder().encode('x'.repeat(65_536));
    const toBody = (sent = 0) =>
      new ReadableStream<Uint8Array>({ pull: (controller) => (sent++ < 64 ? controller.enqueue(chunk) : controller.close()) });
    const before = await filmsThere();
    const answer = await untilHeard(() =>
      world.request('/v2/films', { token: editor, body: toBody(), headers: { 'content-type': 'application/json' } }),
    );
    expectProblem(answer, 413, 'body_too_large');
    expect(await filmsThere()).toBe(before);
  });

  test('refuses a cursor of another query', async () => {
    for (const title of ['One', 'Two', 'Three']) await createFilm(world, { title, genres: ['Cursor'] });
    const { page } = (await world.request('/v2/films?genres=Cursor&sort=-year,title&limit=1')).page;
    const answer = await world.request(`/v2/films?genres=Noir&sort=-year,title&limit=1&after=${page.next}`);
    expectProblem(answer, 400, 'cursor_invalid');
  });
});
