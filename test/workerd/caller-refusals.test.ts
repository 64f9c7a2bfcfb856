/** Callers whom the edge refuses by itself: with a token that does not hold, or from a page that is not declared. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { documents } from '../../shared/operations/documents.ts';
import { respelled } from '../support/forged-token.ts';
import { refusedBy } from '../support/refused.ts';
import { codeOf, World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ corsOrigins: 'https://app.test,http://localhost:3000', silent: true });
});
afterAll(() => world.close());

const refused = refusedBy(() => world);

describe('a token is refused, on public routes too, when it', () => {
  const bearer = (token: string) => ({ headers: { authorization: `Bearer ${token}` } });
  const isRefused = async (token: string, detail?: string) => {
    const { headers, problem } = await refused('/v2/films', bearer(token), 401, 'token_invalid');
    expect(headers.get('www-authenticate')).toStartWith('Bearer realm="tombolo", error="invalid_token", error_description="');
    if (detail !== undefined) expect(problem.detail).toContain(detail);
    const [header = '', payload = '', signature = ''] = token.split('.');
    const told = [JSON.stringify(problem), ...(await world.logged(headers.get('x-request-id') ?? '-'))].join();
    for (const part of [header, payload, signature]) if (part.length > 8) expect(told).not.toContain(part);
  };

  test('has expired', async () => isRefused(await world.issuer.token('ed', { expiresIn: -60 }), 'expired'));
  test('is of another issuer', async () => isRefused(await world.issuer.token('ed', { issuer: 'https://evil.test' }), '"iss"'));
  test('is for another audience', async () => isRefused(await world.issuer.token('ed', { audience: 'billing' }), '"aud"'));
  test('is not valid yet', async () =>
    isRefused(await world.issuer.token('ed', { payload: { nbf: Math.floor(Date.now() / 1_000) + 60 } }), '"nbf"'));
  test('names nobody', async () => {
    await isRefused(await world.issuer.token('ed', { payload: { sub: '' } }), 'subject');
    await isRefused(await world.issuer.token('ed', { payload: { sub: undefined as never } }), '"sub"');
  });
  test('is of another type', async () => {
    for (const typ of ['id+jwt', '', 1, true, null, ['JWT'], { toLowerCase: 'JWT' }]) {
      await isRefused(await world.issuer.token('ed', { header: { typ: typ as string } }), 'type');
    }
  });
  test('has roles that are no texts', async () => {
    for (const roles of [7, true, { editor: true }, ['editor', 7], [['editor']]]) {
      await isRefused(await world.issuer.token('ed', { payload: { roles } }), 'roles');
    }
  });
  test('does not end', async () => {
    const { SignJWT, generateKeyPair } = await import('jose');
    const { privateKey } = await generateKeyPair('EdDSA');
    await isRefused(
      await new SignJWT({ sub: 'a' })
        .setProtectedHeader({ alg: 'EdDSA', typ: 'JWT', kid: 'ed' })
        .setIssuer(world.issuer.issuer)
        .setAudience(world.issuer.audience)
        .sign(privateKey),
    );
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
    const twin = respelled(token);
    expect(Buffer.from(twin.split('.')[2] ?? '', 'base64url').equals(Buffer.from(signature, 'base64url'))).toBe(true);
    await isRefused(twin, 'canonical');
    await isRefused(`${header}.${payload}.${signature}==`, 'canonical');
    await isRefused(`${header}.${payload}`, 'canonical');
    await isRefused(`${token}.${payload}`, 'canonical');
    await isRefused('not-a-token', 'canonical');
  });
  test('is longer than any real one', async () =>
    isRefused(await world.issuer.token('ed', { payload: { padding: 'x'.repeat(6_200) } }), 'characters'));
  test('comes by another scheme', async () => {
    for (const authorization of ['Basic YTpi', 'Bearer', 'Bearer ', 'Bearer a b', `Bearer a, Bearer b`]) {
      await refused('/v2/films', { headers: { authorization } }, 401, 'token_invalid');
    }
  });
  test('is good, it passes, also in lower case and again', async () => {
    const token = await world.issuer.token('ed', { payload: { roles: ['editor'], tenant: 'acme', nested: { a: 1 }, age: 3 } });
    for (const scheme of ['Bearer', 'bearer', 'BEARER']) {
      expect((await fetch(`${world.edge.url}/v2/films`, { headers: { authorization: `${scheme} ${token}` } })).status).toBe(200);
    }
    expect(world.principalAsked()).toEqual({ subject: 'usr_1', roles: ['editor'], claims: { tenant: 'acme', age: 3 } });
  });
});

describe('browsers', () => {
  test('of declared pages may read answers and refusals', async () => {
    for (const [path, status] of [['/v2/films', 200], ['/v2/nothing', 404], ['/v2/films?colour=red', 400], ['/health', 200]] as const) {
      const answer = await fetch(world.edge.url + path, { headers: { origin: 'https://app.test' } });
      expect(answer.status).toBe(status);
      expect(answer.headers.get('access-control-allow-origin')).toBe('https://app.test');
      expect(answer.headers.get('vary')).toContain('Origin');
      for (const name of [
        'WWW-Authenticate', 'Allow', 'Accept-Patch', 'ETag', 'Link', 'Location', 'RateLimit', 'Retry-After', 'Tombolo-Position',
      ]) {
        expect(answer.headers.get('access-control-expose-headers')).toContain(name);
      }
    }
  });

  test('of other pages may not, and the answer still varies by origin', async () => {
    for (const origin of ['https://evil.test', 'https://app.test.evil.test', 'null', 'http://app.test']) {
      const answer = await fetch(`${world.edge.url}/v2/films`, { headers: { origin } });
      expect(answer.headers.has('access-control-allow-origin')).toBe(false);
      expect(answer.headers.get('vary')).toContain('Origin');
      const preflight = await fetch(`${world.edge.url}/v2/films`, {
        method: 'OPTIONS', headers: { origin, 'access-control-request-method': 'POST' },
      });
      expect([preflight.status, await codeOf(preflight)]).toEqual([403, 'origin_not_allowed']);
    }
  });

  test('ask first, and are answered for two hours', async () => {
    const answer = await fetch(`${world.edge.url}/v2/films/a`, {
      method: 'OPTIONS',
      headers: {
        origin: 'http://localhost:3000', 'access-control-request-method': 'PATCH',
        'access-control-request-headers': 'content-type,if-match',
      },
    });
    expect(answer.status).toBe(204);
    expect(answer.headers.get('access-control-allow-methods')).toBe('GET, PUT, PATCH, DELETE, HEAD, OPTIONS');
    for (const name of ['If-Match', 'Traceparent', 'Tracestate', 'Baggage', 'Cache-Control']) {
      expect(answer.headers.get('access-control-allow-headers')?.split(', ')).toContain(name);
    }
    expect(answer.headers.get('accept-patch')).toBe(documents.patch.takes.join(', '));
    expect(answer.headers.get('access-control-max-age')).toBe('7200');
  });

  test('and others learn by OPTIONS what a path allows', async () => {
    const answer = await fetch(`${world.edge.url}/v2/films/import`, { method: 'OPTIONS' });
    expect([answer.status, answer.headers.get('allow')]).toEqual([204, 'POST, OPTIONS']);
    expect(answer.headers.has('accept-patch')).toBe(false);
    expect((await fetch(`${world.edge.url}/v2/films/a`, { method: 'OPTIONS' })).headers.get('accept-patch')).toBe(
      documents.patch.takes.join(', '),
    );
    await refused('/v2/nothing', { method: 'OPTIONS' }, 404, 'route_not_found');
    const own = await fetch(`${world.edge.url}/health`, { method: 'OPTIONS' });
    expect([own.headers.get('allow'), own.headers.get('method'), own.headers.get('name')]).toEqual(['GET, HEAD, OPTIONS', null, null]);
  });
});
