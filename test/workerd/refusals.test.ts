/** What the edge refuses by itself, how it says so, and that the origin never hears of it. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { connect } from 'node:net';
import { World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ corsOrigins: 'https://app.test,http://localhost:3000', silent: true });
});
afterAll(() => world.close());

const json = { 'content-type': 'application/json' };
const film = JSON.stringify({ title: 'A', year: 2_000 });

async function refused(path: string, init: RequestInit, status: number, code: string): Promise<Response & { problem: { detail?: string; errors?: { at: string }[]; instance: string } }> {
  const asked = world.origin.seen.length;
  const response = await fetch(world.edge.url + path, init);
  const problem = (await response.json()) as { status: number; code: string; instance: string };
  expect({ status: response.status, code: problem.code }).toEqual({ status, code });
  expect(problem.status).toBe(status);
  expect(response.headers.get('content-type')).toBe('application/problem+json');
  expect(problem.instance).toBe(`urn:tombolo:request:${response.headers.get('x-request-id')}`);
  expect(response.headers.get('x-content-type-options')).toBe('nosniff');
  expect(response.headers.get('cache-control')).toBe('no-store');
  expect(world.origin.seen.length).toBe(asked);
  return Object.assign(response, { problem });
}

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
    for (const path of ['/', '/v1', '/v1/', '/v1/films/', '/v1/films/a/b', '/v1/nothing', '/films', '/v1/films/export', '/v1/films/changes', '/v1//films', '/favicon.ico', '/.tombolo/other', '/v1/films/..%2f..%2fetc', '/v1/__proto__', '/v1/constructor'])
      await refused(path, {}, path.includes('%2f') ? 400 : 404, path.includes('%2f') ? 'path_invalid' : 'route_not_found');
    await refused('/v9/films', {}, 404, 'version_unknown');
  });

  test('a method that a path does not have, and names those it has', async () => {
    for (const [method, path, allow] of [
      ['DELETE', '/v1/films', 'GET, POST, HEAD, OPTIONS'],
      ['POST', '/v1/films/a', 'GET, PUT, PATCH, DELETE, HEAD, OPTIONS'],
      ['GET', '/v1/films/import', 'POST, OPTIONS'],
      ['PROPFIND', '/v1/films', 'GET, POST, HEAD, OPTIONS'],
      ['POST', '/health', 'GET, HEAD, OPTIONS'],
      ['GET', '/.tombolo/changes', 'POST, OPTIONS'],
    ] as const) expect((await refused(path, { method }, 405, 'method_not_allowed')).headers.get('allow')).toBe(allow);
  });

  test('ids that are not text or not one segment', async () => {
    for (const path of ['/v1/films/%ff', '/v1/films/%', '/v1/films/a%00b', '/v1/films/a%2Fb', '/v1/films/a%5cb', `/v1/films/${'x'.repeat(129)}`]) await refused(path, {}, 400, 'path_invalid');
  });

  test('no id for being the name of something in JavaScript', async () => {
    for (const id of ['constructor', '__proto__', 'toString']) {
      await fetch(`${world.edge.url}/v1/places/${id}`);
      expect(world.lastAsked().path).toBe(`/v1/places/${id}`);
    }
  });

  test('targets, headers and bodies past their bounds', async () => {
    await refused(`/v1/films?title=${'x'.repeat(8_200)}`, {}, 414, 'target_too_long');
    await refused('/v1/films', { headers: { 'x-long': 'x'.repeat(14_400) } }, 431, 'headers_too_large');
    await refused('/v1/films/a', { headers: { 'if-none-match': `"${'x'.repeat(1_024)}"` } }, 431, 'headers_too_large');
    await refused('/v1/films', { method: 'POST', headers: json, body: 'x'.repeat(1_048_577) }, 413, 'body_too_large');
  });

  test('a body that grows past its bound while it is read', async () => {
    await refused('/v1/films', { method: 'POST', headers: json, body: streamed(2_621_440) }, 413, 'body_too_large');
  });

  test('a body that is still being sent, and its sender gets to read why', async () => {
    // A reset depends on which of the two is faster: three times in ten where nothing is read on.
    for (let round = 0; round < 20; round++) {
      await refused('/v1/films', { method: 'POST', headers: json, body: 'x'.repeat(3_000_000) }, 413, 'body_too_large');
      await refused('/v1/films', { method: 'POST', headers: json, body: streamed(2_621_440) }, 413, 'body_too_large');
      await refused('/v1/nothing', { method: 'POST', headers: json, body: streamed(2_621_440) }, 404, 'route_not_found');
      await refused('/v1/films', { method: 'POST', headers: { ...json, authorization: 'Bearer no' }, body: 'x'.repeat(1_000_000) }, 401, 'token_invalid');
    }
  });

  test('a body that never ends, after a bounded wait for it', async () => {
    let sending = true;
    const body = new ReadableStream({ pull: (controller) => (sending ? Bun.sleep(5).then(() => controller.enqueue(new Uint8Array(1))) : controller.close()) });
    await refused('/v1/nothing', { method: 'POST', headers: json, body }, 404, 'route_not_found');
    sending = false;
  });
});

describe('a token is refused, on public routes too, when it', () => {
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  const isRefused = async (token: string, detail?: string) => {
    const { headers, problem } = await refused('/v1/films', bearer(token), 401, 'token_invalid');
    expect(headers.get('www-authenticate')).toStartWith('Bearer realm="tombolo", error="invalid_token", error_description="');
    if (detail !== undefined) expect(problem.detail).toContain(detail);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const told = [JSON.stringify(problem), ...(await world.logged(headers.get('x-request-id') ?? '-'))].join();
    for (const part of [header, payload, signature]) if (part.length > 8) expect(told).not.toContain(part);
  };

  test('has expired', async () => isRefused(await world.issuer.token('ed', { expiresIn: -60 }), 'expired'));
  test('is of another issuer', async () => isRefused(await world.issuer.token('ed', { issuer: 'https://evil.test' }), '"iss"'));
  test('is for another audience', async () => isRefused(await world.issuer.token('ed', { audience: 'billing' }), '"aud"'));
  test('is not valid yet', async () => isRefused(await world.issuer.token('ed', { payload: { nbf: Math.floor(Date.now() / 1_000) + 60 } }), '"nbf"'));
  test('names nobody', async () => {
    await isRefused(await world.issuer.token('ed', { payload: { sub: '' } }), 'subject');
    await isRefused(await world.issuer.token('ed', { payload: { sub: undefined as never } }), '"sub"');
  });
  test('is of another type', async () => {
    for (const typ of ['id+jwt', '', 1, true, null, ['JWT'], { toLowerCase: 'JWT' }]) await isRefused(await world.issuer.token('ed', { header: { typ: typ as string } }), 'type');
  });
  test('has roles that are no texts', async () => {
    for (const roles of [7, true, { editor: true }, ['editor', 7], [['editor']]]) await isRefused(await world.issuer.token('ed', { payload: { roles } }), 'roles');
  });
  test('does not end', async () => {
    const { SignJWT, generateKeyPair } = await import('jose');
    const { privateKey } = await generateKeyPair('EdDSA');
    await isRefused(await new SignJWT({ sub: 'a' }).setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: 'ed' }).setIssuer(world.issuer.issuer).setAudience(world.issuer.audience).sign(privateKey));
  });
  test('is signed by a key that the issuer does not have', async () => {
    const { Issuer } = await import('../support/issuer.ts');
    const stranger = new Issuer();
    await stranger.addKey('ed');
    await stranger.addKey('unknown');
    await isRefused(await stranger.token('ed'));
    await isRefused(await stranger.token('unknown'));
  });
  test('is not signed, or signed with the public key as a shared secret', async () => {
    const { SignJWT, UnsecuredJWT } = await import('jose');
    const claims = { sub: 'a', iss: world.issuer.issuer, aud: world.issuer.audience, exp: Math.floor(Date.now() / 1_000) + 60 };
    const unsecured = new UnsecuredJWT(claims).encode();
    await isRefused(unsecured);
    const header = Buffer.from('{"alg":"none","typ":"JWT"}').toString('base64url');
    await isRefused(`${header}.${unsecured.split('.')[1]}.AAAA`, 'algorithm');
    const publicKey = new TextEncoder().encode(JSON.stringify(await world.issuer.publicJwk('ed')));
    await isRefused(await new SignJWT(claims).setProtectedHeader({ alg: 'HS256', typ: 'JWT', kid: 'ed' }).sign(publicKey), 'algorithm');
  });
  test('is written in another way than the canonical one', async () => {
    const token = await world.issuer.token('ed');
    const [header = '', payload = '', signature = ''] = token.split('.');
    const last = signature.at(-1) ?? '';
    const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
    const twin = alphabet[alphabet.indexOf(last) + 1] ?? '';
    expect(Buffer.from(`${signature.slice(0, -1)}${twin}`, 'base64url').equals(Buffer.from(signature, 'base64url'))).toBe(true);
    await isRefused(`${header}.${payload}.${signature.slice(0, -1)}${twin}`, 'canonical');
    await isRefused(`${header}.${payload}.${signature}==`, 'canonical');
    await isRefused(`${header}.${payload}`, 'canonical');
    await isRefused(`${token}.${payload}`, 'canonical');
    await isRefused('not-a-token', 'canonical');
  });
  test('is longer than any real one', async () => isRefused(await world.issuer.token('ed', { payload: { padding: 'x'.repeat(6_200) } }), 'characters'));
  test('comes by another scheme', async () => {
    for (const authorization of ['Basic YTpi', 'Bearer', 'Bearer ', 'Bearer a b', `Bearer a, Bearer b`]) await refused('/v1/films', { headers: { authorization } }, 401, 'token_invalid');
  });
  test('is good, it passes, also in lower case and again', async () => {
    const token = await world.issuer.token('ed', { payload: { roles: ['editor'], tenant: 'acme', nested: { a: 1 }, age: 3 } });
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) expect((await fetch(`${world.edge.url}/v1/films`, { headers: { authorization: `${scheme} ${token}` } })).status).toBe(200);
    const principal = JSON.parse(Buffer.from(world.lastAsked().headers.get('tombolo-principal') ?? '', 'base64url').toString()) as unknown;
    expect(principal).toEqual({ subject: 'usr_1', roles: ['editor'], claims: { tenant: 'acme', age: 3 } });
  });
});

describe('validation refuses', () => {
  test('representations that are not spoken here', async () => {
    for (const accept of ['text/html', 'application/xml', 'application/json;q=0', 'application/json;q=0, */*', 'application/json;q=0.000', 'image/*']) await refused('/v1/films', { headers: { accept } }, 406, 'not_acceptable');
    for (const accept of ['*/*', 'application/*', 'text/html, */*;q=0.1', 'application/json; charset=utf-8', 'APPLICATION/JSON', 'application/json;q=abc', 'application/json;q=', 'application/json;q=-1', 'application/json;q=0.0001']) expect((await fetch(`${world.edge.url}/v1/films`, { headers: { accept } })).status).toBe(200);
  });

  test('bodies of another type, each with what it takes', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'application/json; charset=latin1', 'application/jsonp', '']) await refused('/v1/films', { method: 'POST', headers: { 'content-type': type }, body: film }, 415, 'media_type_unsupported');
    await refused('/v1/films', { method: 'POST', headers: { ...json, 'content-encoding': 'gzip' }, body: film }, 415, 'media_type_unsupported');
    const patch = await refused('/v1/films/a', { method: 'PATCH', headers: json, body: '{}' }, 415, 'media_type_unsupported');
    expect(patch.headers.get('accept-patch')).toBe('application/merge-patch+json');
    await refused('/v1/films/import', { method: 'POST', headers: json, body: film }, 415, 'media_type_unsupported');
  });

  test('no charset that is UTF-8 by another spelling', async () => {
    for (const charset of ['utf-8', 'UTF-8', '"utf-8"', 'utf8', 'UTF8', '"utf8"'])
      expect([charset, (await fetch(`${world.edge.url}/v1/films`, { method: 'POST', headers: { 'content-type': `application/json;charset=${charset}` }, body: film })).status]).toEqual([charset, 200]);
  });

  test('parameters that nobody knows, and names each', async () => {
    expect((await refused('/v1/films?colour=red&size=1', {}, 400, 'query_invalid')).problem.errors?.map(({ at }) => at)).toEqual(['colour', 'size']);
    expect((await refused('/v1/films/a?limit=1', {}, 400, 'query_invalid')).problem.errors?.map(({ at }) => at)).toEqual(['limit']);
    await refused('/v1/films?limit=201', {}, 400, 'query_invalid');
    await refused('/v1/films?year=2000', {}, 400, 'query_not_served');
    await refused('/v1/films?genres[regex]=.*', {}, 400, 'query_invalid');
    await refused('/v1/films/a?x=1', { method: 'DELETE' }, 400, 'query_invalid');
    await refused('/v1/films?x=1', { method: 'POST', headers: json, body: film }, 400, 'query_invalid');
    await refused('/v1/films/import?mode=fast', { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: film }, 400, 'query_invalid');
  });

  test('thousands of mistakes in a few words, in the answer and in the log', async () => {
    const names = Array.from({ length: 1_500 }, (_, index) => `a${index.toString(36)}`);
    const many = (text: string) => ({ method: 'POST', headers: json, body: text });
    for (const [path, init, status, code, errors] of [
      [`/v1/films?${names.join('&')}`, {}, 400, 'query_invalid', 1_500],
      [`/v1/films?fields=${names.join()}`, {}, 400, 'query_invalid', 1_500],
      [`/v1/films?sort=${names.join()}`, {}, 400, 'query_invalid', 1_500],
      ['/v1/films', many(JSON.stringify({ title: 'A', year: 2_000, ...Object.fromEntries(names.map((name) => [name, 1])) })), 422, 'document_invalid', 1_500],
      ['/v1/films', many(JSON.stringify({ title: 'A', year: 2_000, ['\u0001'.repeat(60_000)]: 1, ['€'.repeat(60_000)]: 1 })), 422, 'document_invalid', 2],
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
    for (const body of ['', '{', '{"title":}', 'null x', new Uint8Array([0x7b, 0x22, 0xff, 0x22, 0x7d])]) await refused('/v1/films', { method: 'POST', headers: json, body }, 400, 'body_malformed');
  });

  test('documents that are wrong, and points at each field', async () => {
    const { problem } = await refused('/v1/films', { method: 'POST', headers: json, body: '{"title":"","year":"2000","colour":1,"genres":[1]}' }, 422, 'document_invalid');
    expect(problem.errors?.map(({ at }) => at).sort()).toEqual(['/colour', '/genres/0', '/title', '/year']);
    await refused('/v1/films/a', { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: '{"year":"x"}' }, 422, 'document_invalid');
    await refused('/v1/films/a', { method: 'PUT', headers: json, body: '[]' }, 422, 'document_invalid');
    await refused('/v1/films', { method: 'POST', headers: json, body: '{"title":"A","year":2000,"__proto__":{"a":1}}' }, 422, 'document_invalid');
  });

  test('conditions that are no entity tags', async () => {
    for (const name of ['if-match', 'if-none-match']) for (const value of ['abc', '"a', '"a" "b"', '"a""b"', '*, "a"', '*,', 'W/ "a"', 'w/"a"', '"a b"', ' , ,x']) await refused('/v1/films/a', { headers: { [name]: value } }, 400, 'header_invalid');
  });
});

describe('browsers', () => {
  test('of declared pages may read answers and refusals', async () => {
    for (const [path, status] of [['/v1/films', 200], ['/v1/nothing', 404], ['/v1/films?colour=red', 400], ['/health', 200]] as const) {
      const answer = await fetch(world.edge.url + path, { headers: { origin: 'https://app.test' } });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.test');
      expect(answer.headers.get('vary')).toContain('Origin');
      for (const name of ['WWW-Authenticate', 'Allow', 'Accept-Patch', 'ETag', 'Link', 'Location', 'RateLimit', 'Retry-After', 'Tombolo-Position']) expect(answer.headers.get('access-control-expose-headers')).toContain(name);
    }
  });

  test('of other pages may not, and the answer still varies by origin', async () => {
    for (const origin of ['https://evil.test', 'https://app.test.evil.test', 'null', 'http://app.test']) {
      const answer = await fetch(`${world.edge.url}/v1/films`, { headers: { origin } });
      expect(answer.headers.has('access-control-allow-origin')).toBe(false);
      expect(answer.headers.get('vary')).toContain('Origin');
      const preflight = await fetch(`${world.edge.url}/v1/films`, { method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' } });
      expect([preflight.status, ((await preflight.json()) as { code: string }).code]).toEqual([403, 'origin_not_allowed']);
    }
  });

  test('ask first, and are answered for two hours', async () => {
    const answer = await fetch(`${world.edge.url}/v1/films/a`, { method: 'OPTIONS', headers: { origin: 'http://localhost:3000', 'access-control-request-method': 'PATCH', 'access-control-request-headers': 'content-type,if-match' } });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET, PUT, PATCH, DELETE, HEAD, OPTIONS');
    for (const name of ['If-Match', 'Traceparent', 'Tracestate', 'Baggage', 'Cache-Control']) expect(answer.headers.get('access-control-allow-headers')?.split(', ')).toContain(name);
    expect(answer.headers.get('accept-patch')).toBe('application/merge-patch+json');
    expect(answer.headers.get('access-control-max-age')).toBe('7200');
  });

  test('and others learn by OPTIONS what a path allows', async () => {
    const answer = await fetch(`${world.edge.url}/v1/films`, { method: 'OPTIONS' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'GET, POST, HEAD, OPTIONS']);
    expect(answer.headers.has('accept-patch')).toBe(false);
    expect((await fetch(`${world.edge.url}/v1/films/a`, { method: 'OPTIONS' })).headers.get('accept-patch')).toBe('application/merge-patch+json');
    await refused('/v1/nothing', { method: 'OPTIONS' }, 404, 'route_not_found');
  });
});

describe('a client that waits to be asked for its body', () => {
  test('is answered without waiting (Expect: 100-continue)', async () => {
    const body = '{"title":"","year":1}';
    const answer = await raw(`POST /v1/films HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Type: application/json\r\nContent-Length: ${body.length}\r\nConnection: close\r\n\r\n${body}`);
    expect(answer).toContain('422');
  });
});

function raw(text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(Number(new URL(world.edge.url).port), '127.0.0.1', () => socket.write(text));
    let received = '';
    socket.on('data', (chunk) => (received += chunk.toString()));
    socket.on('error', reject);
    socket.on('close', () => resolve(received));
    // An edge that waits for ever must not hold the test.
    setTimeout(() => socket.destroy(), 500).unref();
  });
}
