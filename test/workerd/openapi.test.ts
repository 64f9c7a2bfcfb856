/** `GET /openapi.json` at the edge: cheap, validated, counted, and gone where a team wants it so. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { edgeLimits } from '../../edge/limits.ts';
import { toOpenapiText } from '../support/openapi.ts';
import { codeOf, World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start();
});
afterAll(() => world.close());

describe('the description of the API', () => {
  test('is answered by the edge alone, for anyone, and counted', async () => {
    const seen = world.origin.seen.length;
    const answer = await world.get('/openapi.json');
    expect(answer.status).toBe(200);
    expect(answer.headers.get('content-type')).toBe('application/json');
    expect(answer.headers.get('cache-control')).toBe('public, no-cache');
    expect(answer.headers.get('ratelimit')).not.toBeNull();
    const text = await answer.text();
    expect(text).toBe(await toOpenapiText());
    expect(text.length).toBeLessThan(edgeLimits.descriptionBytesMax / 5);
    expect(world.origin.seen.length).toBe(seen);
  });

  test('is validated by its tag, and HEAD has its fields without its bytes', async () => {
    const whole = await world.get('/openapi.json');
    const etag = whole.headers.get('etag') ?? '';
    const length = (await whole.arrayBuffer()).byteLength;
    expect(etag).toMatch(/^"[0-9a-f]{16}"$/);
    const known = await world.get('/openapi.json', { 'if-none-match': `"other", W/${etag}` });
    expect([known.status, known.headers.get('etag'), await known.text()]).toEqual([304, etag, '']);
    expect((await world.get('/openapi.json', { 'if-none-match': '"other"' })).status).toBe(200);
    expect((await world.get('/openapi.json', { 'if-none-match': 'no tag' })).status).toBe(400);
    const head = await world.get('/openapi.json', {}, 'HEAD');
    expect([head.status, head.headers.get('etag'), head.headers.get('content-length')]).toEqual([200, etag, String(length)]);
    expect(await head.text()).toBe('');
  });

  test('takes no parameters, no other method and no bad token', async () => {
    const refusal = async (answer: Response) => [answer.status, await codeOf(answer), answer.headers.get('allow')];
    expect(await refusal(await world.get('/openapi.json?x=1'))).toEqual([400, 'query_invalid', null]);
    expect(await refusal(await world.get('/openapi.json', {}, 'POST'))).toEqual([405, 'method_not_allowed', 'GET, HEAD, OPTIONS']);
    expect(await refusal(await world.get('/openapi.json', { authorization: 'Bearer x' }))).toEqual([401, 'token_invalid', null]);
    expect((await world.get('/openapi.json', {}, 'OPTIONS')).headers.get('allow')).toBe('GET, HEAD, OPTIONS');
  });
});

test('where it is switched off there is no such path, nor a page that shows it', async () => {
  const off = await World.start({ variables: { TOMBOLO_OPENAPI: 'off' }, silent: true });
  for (const path of ['/openapi.json', '/docs', '/docs/scalar.js'])
    for (const method of ['GET', 'POST', 'OPTIONS']) {
      const answer = await off.get(path, {}, method);
      expect([path, method, answer.status, await codeOf(answer)]).toEqual([path, method, 404, 'route_not_found']);
    }
  await off.close();
});
