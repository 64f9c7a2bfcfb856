/**
 * The hop's profile against an independent implementation of RFC 9421: what the edge sends verifies there,
 * and what that one signs in the profile's form the edge believes.
 */
import { createHmac } from 'node:crypto';
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { createSignature, verifySignature } from 'http-message-sig';
import { hopHeaders } from '../../shared/hop/profile.ts';
import { digestOf, type HopSeen, randomNonce } from '../support/scripted-origin.ts';
import { World } from '../support/world.ts';

let world: World;
beforeAll(async () => {
  world = await World.start({ silent: true });
});
afterAll(() => world.close());

const mac = (data: Uint8Array) => new Uint8Array(createHmac('sha256', world.origin.keys[0].secret).update(data).digest());
const signer = { algorithm: 'hmac-sha256', sign: mac };
const verifier = {
  algorithm: 'hmac-sha256',
  verify: (data: Uint8Array, signature: Uint8Array) => Buffer.compare(mac(data), signature) === 0,
};

const present = (headers: Headers) => hopHeaders.filter((name) => headers.has(name));

function verify({ method, path, query, headers }: HopSeen, origin = world.origin.url) {
  return verifySignature(
    { kind: 'request', method, targetUri: origin + path + query, fields: [...headers].map(([name, value]) => ({ name, value })) },
    {
      label: 'hop',
      policy: {
        algorithms: ['hmac-sha256'],
        requiredComponents: ['@method', '@path', '@query', ...present(headers)],
        requiredParameters: ['created', 'nonce', 'keyid', 'alg', 'tag'],
        maxAge: 30,
        clockSkew: 5,
      },
      resolveVerifier: () => verifier,
    },
  );
}

test('every kind of request that the edge sends verifies there, all headers that the origin reads covered', async () => {
  const authorization = `Bearer ${await world.issuer.token('ed', { payload: { roles: ['editor'] } })}`;
  const json = { 'content-type': 'application/json' };
  const film = '{"title":"A","year":2000}';
  const requests: [string, RequestInit][] = [
    ['/v2/films', {}],
    ["/v2/films?genres=Com%20edy'&limit=3", { headers: { authorization, accept: 'application/json' } }],
    [
      '/v2/films/%C3%BC',
      { method: 'HEAD', headers: { 'if-none-match': 'W/"a", "b"', 'if-match': '*', 'tombolo-position': world.positionToken() } },
    ],
    ['/v2/films', { method: 'POST', headers: { ...json, authorization, 'idempotency-key': 'a b' }, body: film }],
    ['/v2/films/a', { method: 'PUT', headers: { ...json, 'if-match': '"x"' }, body: film }],
    ['/v2/films/a', { method: 'PATCH', headers: { 'content-type': 'application/merge-patch+json' }, body: '{"year":1999}' }],
    ['/v2/films/a', { method: 'DELETE' }],
    ['/v2/films/import?onDuplicate=skip', { method: 'POST', headers: { 'content-type': 'application/x-ndjson' }, body: film }],
  ];
  for (const [target, init] of requests) {
    await fetch(world.edge.url + target, init);
    const { parameters } = await verify(world.lastAsked());
    expect(parameters).toMatchObject({ keyid: 'k2', tag: 'tombolo-hop', nonce: world.lastAsked().nonce });
  }
  expect(world.origin.seen.length).toBe(requests.length);
  expect(new Set(world.origin.seen.map(({ nonce }) => nonce)).size).toBe(requests.length);
});

test('a request changed on its way verifies nowhere', async () => {
  await fetch(`${world.edge.url}/v2/films?limit=7`);
  const seen = world.lastAsked();
  const added = new Headers(seen.headers);
  added.set('tombolo-request', 'req_other');
  for (const changed of [
    { ...seen, method: 'DELETE' },
    { ...seen, path: '/v2/places' },
    { ...seen, query: '?limit=8' },
    { ...seen, headers: added },
  ]) {
    await expect(verify(changed)).rejects.toThrow();
  }
});

test('a report signed there is believed here', async () => {
  const body = JSON.stringify(world.feed.idle({ from: null }));
  const url = `${world.edge.url}/.tombolo/changes`;
  const headers = new Headers({ 'content-type': 'application/json', 'content-digest': digestOf(body) });
  const signed = await createSignature(
    { kind: 'request', method: 'POST', targetUri: url, fields: [...headers].map(([name, value]) => ({ name, value })) },
    {
      label: 'hop',
      components: ['@method', '@path', '@query', 'content-digest', 'content-type'],
      parameters: { created: Math.floor(Date.now() / 1_000), nonce: randomNonce(), keyid: 'k2', alg: 'hmac-sha256', tag: 'tombolo-report' },
      signer,
    },
  );
  headers.set('signature', signed.signature);
  headers.set('signature-input', signed.signatureInput);
  const answer = await fetch(url, { method: 'POST', headers, body });
  expect([answer.status, await answer.json()]).toMatchObject([200, { accepted: true }]);
});

test('an answer signed there is stored here', async () => {
  await world.feed.begin();
  await world.feed.tell();
  await world.pastMemo();
  world.origin.script = async ({ nonce }) => {
    const fields = { 'content-type': 'application/json', etag: '"e"', 'tombolo-read': world.readHeader() };
    const signed = await createSignature(
      { kind: 'response', status: 200, fields: Object.entries(fields).map(([name, value]) => ({ name, value })) },
      {
        label: 'hop',
        components: ['@status', ...Object.keys(fields)],
        parameters: { created: Math.floor(Date.now() / 1_000), nonce, keyid: 'k2', alg: 'hmac-sha256', tag: 'tombolo-answer' },
        signer,
      },
    );
    return { unsigned: true, body: '{}', headers: { ...fields, signature: signed.signature, 'signature-input': signed.signatureInput } };
  };
  expect(await world.cacheStatus('/v2/films?limit=9')).toBe('tombolo; fwd=uri-miss; fwd-status=200; stored');
});
