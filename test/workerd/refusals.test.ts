/** What the edge refuses by itself, how it says so, and that the origin never hears of it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { documents } from '../../shared/operations/documents.ts';
import { sendRaw } from '../proofs/hostile/raw-http.ts';
import { refusedBy } from '../support/refused.ts';
import { World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ silent: true });
});
afterAll(() => world.close());

const refused = refusedBy(() => world);
const json = { 'content-type': 'application/json' };
const film = JSON.stringify({ title: 'A', year: 2_000 });

function streamed(bytes: number): ReadableStream<Uint8Array> {
  let left = bytes;
  return new ReadableStream({
    pull: (controller) => {
      if (left <= 0) return controller.close();
      controller.enqueue(new Uint8Array(Math.min(left, 65_536)));
      left -= 65_536;
    },
  });
}

describe('the guard refuses', () => {
  test('what is nowhere', async () => {
    for (const path of [
      '/', '/v2', '/v2/', '/v2/films/', '/v2/films/a/b', '/v2/nothing', '/nothing', '/v2/films/removed', '/v2/films/changes',
      '/v2//films', '/favicon.ico', '/.tombolo/other', '/v2/films/..%2f..%2fetc', '/v2/__proto__', '/v2/constructor',
    ]) {
      await refused(path, {}, path.includes('%2f') ? 400 : 404, path.includes('%2f') ? 'path_invalid' : 'route_not_found');
    }
    await refused('/v9/films', {}, 404, 'version_unknown');
  });

  test('a method that a path does not have, and names those it has', async () => {
    for (const [method, path, allow] of [
      ['PUT', '/v2/films', 'GET, POST, PATCH, DELETE, HEAD, OPTIONS'],
      ['POST', '/v2/films/a', 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS'],
      ['GET', '/v2/films/import', 'POST, OPTIONS'],
      ['PROPFIND', '/v2/films', 'GET, POST, PATCH, DELETE, HEAD, OPTIONS'],
      ['POST', '/health', 'GET, HEAD, OPTIONS'],
      ['GET', '/.tombolo/changes', 'POST, OPTIONS'],
    ] as const) expect((await refused(path, { method }, 405, 'method_not_allowed')).headers.get('allow')).toBe(allow);
  });

  test('ids that are not text or not one segment', async () => {
    for (const path of [
      '/v2/films/%ff', '/v2/films/%', '/v2/films/a%00b', '/v2/films/a%2Fb', '/v2/films/a%5cb',
      `/v2/films/${'x'.repeat(129)}`,
    ]) {
      await refused(path, {}, 400, 'path_invalid');
    }
  });

  test('no id for being the name of something in JavaScript', async () => {
    for (const id of ['constructor', '__proto__', 'toString']) {
      await fetch(`${world.edge.url}/v2/places/${id}`);
      expect(world.lastAsked().path).toBe(`/v2/places/${id}`);
    }
  });

  test('targets, headers and bodies past their bounds', async () => {
    await refused(`/v2/films?title=${'x'.repeat(8_200)}`, {}, 414, 'target_too_long');
    await refused('/v2/films', { headers: { 'x-long': 'x'.repeat(14_400) } }, 431, 'headers_too_large');
    await refused('/v2/films/a', { headers: { 'if-none-match': `"${'x'.repeat(1_024)}"` } }, 431, 'headers_too_large');
    await refused('/v2/films', { method: 'POST', headers: json, body: 'x'.repeat(1_048_577) }, 413, 'body_too_large');
    await refused('/v2/incoming/payments', { method: 'POST', headers: json, body: 'x'.repeat(61_441) }, 413, 'body_too_large');
  });

  test('a body that grows past its bound while it is read', async () => {
    await refused('/v2/films', { method: 'POST', headers: json, body: streamed(2_621_440) }, 413, 'body_too_large');
  });

  test('a body in chunks past its bound, whatever length it declares beside them', async () => {
    const headers = ['Content-Type: application/json', 'Content-Length: 5', 'Transfer-Encoding: chunked'];
    const body = `${(1_200_000).toString(16)}\r\n${'x'.repeat(1_200_000)}\r\n0\r\n\r\n`;
    const { status, body: told } = await sendRaw(world.edge.url, { method: 'POST', target: '/v2/films', headers, body });
    expect([status, told]).toEqual([413, expect.stringContaining('body_too_large')]);
  });

  test('a body that is still being sent, and its sender gets to read why', async () => {
    // A reset depends on which of the two is faster: three times in ten where nothing is read on.
    for (let round = 0; round < 20; round++) {
      await refused('/v2/films', { method: 'POST', headers: json, body: 'x'.repeat(3_000_000) }, 413, 'body_too_large');
      await refused('/v2/films', { method: 'POST', headers: json, body: streamed(2_621_440) }, 413, 'body_too_large');
      await refused('/v2/nothing', { method: 'POST', headers: json, body: streamed(2_621_440) }, 404, 'route_not_found');
      await refused(
        '/v2/films',
        { method: 'POST', headers: { ...json, authorization: 'Bearer no' }, body: 'x'.repeat(1_000_000) },
        401, 'token_invalid',
      );
    }
  });

  test('a body that never ends, after a bounded wait for it', async () => {
    let sending = true;
    const body = new ReadableStream({
      pull: (controller) => (sending ? Bun.sleep(5).then(() => controller.enqueue(new Uint8Array(1))) : controller.close()),
    });
    await refused('/v2/nothing', { method: 'POST', headers: json, body }, 404, 'route_not_found');
    sending = false;
  });
});

describe('validation refuses', () => {
  test('representations that are not spoken here', async () => {
    for (const accept of [
      'text/html', 'application/xml',
      'application/json;q=0',
      'application/json;q=0, text/csv;q=0, */*',
      'application/json;q=0.000',
      'image/*',
    ]) {
      await refused('/v2/films', { headers: { accept } }, 406, 'not_acceptable');
    }
    for (const accept of [
      '*/*', 'application/*',
      'text/html, */*;q=0.1',
      'application/json; charset=utf-8',
      'APPLICATION/JSON',
      'application/json;q=abc',
      'application/json;q=',
      'application/json;q=-1',
      'application/json;q=0.0001',
    ]) {
      expect((await fetch(`${world.edge.url}/v2/films`, { headers: { accept } })).status).toBe(200);
    }
  });

  test('bodies of another type, each with what it takes', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', 'application/jsonp', '']) {
      await refused('/v2/films', { method: 'POST', headers: { 'content-type': type }, body: film }, 415, 'media_type_unsupported');
    }
    await refused(
      '/v2/films', { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: film }, 415, 'media_type_unsupported',
    );
    const patch = await refused('/v2/films/a', { method: 'PATCH', headers: json, body: '{}' }, 415, 'media_type_unsupported');
    expect(patch.headers.get('accept-patch')).toBe(documents.patch.takes.join(', '));
    await refused('/v2/films/import', { method: 'POST', headers: json, body: film }, 415, 'media_type_unsupported');
  });

  test('no charset that is UTF-8 by another spelling', async () => {
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8', 'UTF8', '"utf8"']) {
      expect([
        charset,
        (
          await fetch(`${world.edge.url}/v2/films`, {
            method: 'POST',
            headers: { 'content-type': `application/json;charset=${charset}` },
            body: film,
          })
        ).status,
      ]).toEqual([charset, 200]);
    }
  });

  test('parameters that nobody knows, and names each', async () => {
    expect((await refused('/v2/films?colour=red&size=1', {}, 400, 'query_invalid')).problem.errors?.map(({ at }) => at)).toEqual([
      'colour', 'size',
    ]);
    expect((await refused('/v2/films/a?limit=1', {}, 400, 'query_invalid')).problem.errors?.map(({ at }) => at)).toEqual(['limit']);
    await refused('/v2/films?limit=201', {}, 400, 'query_invalid');
    await refused('/v2/films?year=2000', {}, 400, 'query_not_served');
    await refused('/v2/films?genres[regex]=.*', {}, 400, 'query_invalid');
    await refused('/v2/films/a?x=1', { method: 'DELETE' }, 400, 'query_invalid');
    await refused('/v2/films?x=1', { method: 'POST', headers: json, body: film }, 400, 'query_invalid');
    await refused(
      '/v2/films/import?mode=fast', { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: film }, 400,
      'query_invalid',
    );
  });

  test('thousands of mistakes in a few words, in the answer and in the log', async () => {
    const names = Array.from({ length: 1_500 }, (_, index) => `a${index.toString(36)}`);
    const many = (text: string) => ({ method: 'POST', headers: json, body: text });
    for (const [path, init, status, code, errors] of [
      [`/v2/films?${names.join('&')}`, {}, 400, 'query_invalid', 1_500],
      [`/v2/films?fields=${names.join()}`, {}, 400, 'query_invalid', 1_500],
      [`/v2/films?sort=${names.join()}`, {}, 400, 'query_invalid', 1_500],
      [
        '/v2/films',
        many(JSON.stringify({ title: 'A', year: 2_000, ...Object.fromEntries(names.map((name) => [name, 1])) })),
        422, 'document_invalid', 1_500,
      ],
      [
        '/v2/films',
        many(JSON.stringify({ title: 'A', year: 2_000, ['\u0001'.repeat(60_000)]: 1, ['€'.repeat(60_000)]: 1 })),
        422, 'document_invalid', 2,
      ],
    ] as const) {
      const { headers, problem } = await refused(path, init, status, code);
      expect(JSON.stringify(problem).length).toBeLessThan(21_000);
      const listed = problem.errors?.length ?? 0;
      expect(listed).toBeGreaterThan(0);
      if (listed < errors) expect(problem.detail).toEndWith(`; and ${errors - listed} more`);
      else expect(problem.detail).toContain('…');
      for (const line of await world.logged(headers.get('x-request-id') ?? '-')) expect(line.length).toBeLessThan(21_000);
    }
  });

  test('bodies that are not JSON', async () => {
    for (const body of ['', '{', '{"title":}', 'null x', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])]) {
      await refused('/v2/films', { method: 'POST', headers: json, body }, 400, 'body_malformed');
    }
  });

  test('documents that are wrong, and points at each field', async () => {
    const { problem } = await refused(
      '/v2/films', { method: 'POST', headers: json, body: '{"title":"","year":"2000","colour":1,"genres":[1]}' }, 422,
      'document_invalid',
    );
    expect(problem.errors?.map(({ at }) => at).sort()).toEqual(['/colour', '/genres/0', '/title', '/year']);
    await refused(
      '/v2/films/a',
      { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: '{"year":"x"}' },
      422, 'document_invalid',
    );
    await refused('/v2/films/a', { method: 'PUT', headers: json, body: '[]' }, 422, 'document_invalid');
    await refused(
      '/v2/films', { method: 'POST', headers: json, body: '{"title":"A","year":2000,"__proto__":{"a":1}}' }, 422,
      'document_invalid',
    );
  });

  test('conditions that are no entity tags', async () => {
    for (const name of ['if-match', 'if-none-match']) {
      for (const value of ['abc', '"a', '"a" "b"', '"a""b"', '*, "a"', '*,', 'W/ "a"', 'w/"a"', '"a b"', ' , ,x']) {
        await refused('/v2/films/a', { headers: { [name]: value } }, 400, 'header_invalid');
      }
    }
  });
});

describe('a client that waits to be asked for its body', () => {
  test('is answered without waiting (Expect: 100-continue)', async () => {
    const answer = await sendRaw(world.edge.url, {
      method: 'POST',
      target: '/v2/films',
      headers: ['Expect: 100-continue', 'Content-Type: application/json'],
      body: '{"title":"","year":1}',
    });
    expect(answer.status).toBe(422);
  });
});
