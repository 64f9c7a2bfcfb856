/** The issuer's keys: asked for rarely, kept while it is away, renewed when it rotates. Time is the test's. */
import { afterEach, beforeEach, describe, expect, setSystemTime, spyOn, test } from 'bun:test';
import type { Host } from '../../../edge/host/host.ts';
import { Tokens } from '../../../edge/identity/tokens.ts';
import { readClaimPaths } from '../../../shared/settings/claim-paths.ts';
import { SettingsReader } from '../../../shared/settings/reader.ts';
import { eventually } from '../../support/eventually.ts';
import { Issuer } from '../../support/issuer.ts';

/** The module needs Workers' types; what the test uses of it is this. */
interface CachedKeys {
  readonly loadKeys: Host['keys']['load'];
  readonly storeKeys: Host['keys']['keep'];
}
const modulePath: string = '../../../edge/host/cached-keys.ts';
const { loadKeys, storeKeys } = (await import(modulePath)) as CachedKeys;

const minute = 60_000;
let issuer: Issuer;
let asked: number;
let up: boolean;
let server: ReturnType<typeof Bun.serve>;
let shelf: Map<string, Response>;
let background: Promise<unknown>[];
let logged: ReturnType<typeof spyOn<typeof console, 'warn'>>;

beforeEach(async () => {
  issuer = new Issuer();
  await issuer.addKey('one');
  asked = 0;
  up = true;
  background = [];
  shelf = new Map();
  server = Bun.serve({
    port: 0,
    fetch: async () => (asked++, up ? Response.json(await issuer.jwks()) : new Response('', { status: 500 })),
  });
  const cache = {
    match: async (key: string) => shelf.get(key)?.clone(),
    put: async (key: string, value: Response) => void shelf.set(key, value),
  };
  Object.assign(globalThis, { caches: { default: cache } });
  // An issuer that is away is logged, which is not for the report of the tests.
  logged = spyOn(console, 'warn').mockImplementation(() => undefined);
  setSystemTime(new Date('2026-11-21T12:00:00Z'));
});
afterEach(async () => {
  setSystemTime();
  logged.mockRestore();
  await server.stop(true);
});

const isolate = (store: Host['keys'] = { load: loadKeys, keep: storeKeys }) =>
  new Tokens({
    issuer: issuer.issuer,
    audience: issuer.audience,
    jwksUrl: `http://127.0.0.1:${server.port}/jwks`,
    claims: readClaimPaths(new SettingsReader({})),
  }, store);
const verify = async (tokens: Tokens, token: string) =>
  (await tokens.mustVerify(token, (work) => void background.push(work))).principal;
const pass = (ms: number) => setSystemTime(new Date(Date.now() + ms));

describe('the key set', () => {
  test('is asked for once by many requests, and not again for ten minutes', async () => {
    const tokens = isolate();
    const token = await issuer.token('one', { expiresIn: 86_400 });
    await Promise.all(Array.from({ length: 20 }, () => verify(tokens, token)));
    pass(9 * minute);
    await verify(tokens, token);
    expect(asked).toBe(1);
  });

  test('is found in the Cache API by another isolate', async () => {
    const token = await issuer.token('one');
    await verify(isolate(), token);
    await eventually('the set on the shelf', () => shelf.size > 0);
    expect((await verify(isolate(), token)).subject).toBe('usr_1');
    expect(asked).toBe(1);
  });

  test('that another isolate has left there keeps nobody from asking for a key that came since', async () => {
    await verify(isolate(), await issuer.token('one'));
    await eventually('the set on the shelf', () => shelf.size > 0);
    await issuer.addKey('two');
    pass(5 * minute);
    const tokens = isolate();
    expect((await verify(tokens, await issuer.token('two'))).subject).toBe('usr_1');
    expect(asked).toBe(2);
    await issuer.addKey('three');
    await expect(verify(tokens, await issuer.token('three'))).rejects.toMatchObject({ reason: 'token_invalid' });
    expect(asked).toBe(2);
  });

  test('is had from the issuer where the Cache API fails', async () => {
    const failing = async () => Promise.reject(new Error('away'));
    const tokens = isolate({ load: failing, keep: failing });
    expect((await verify(tokens, await issuer.token('one'))).subject).toBe('usr_1');
    expect(asked).toBe(1);
  });

  test('is renewed behind the answer, and used for a day when the issuer is away', async () => {
    const tokens = isolate();
    const token = await issuer.token('one', { expiresIn: 200_000 });
    await verify(tokens, token);
    up = false;
    pass(11 * minute);
    expect((await verify(tokens, token)).subject).toBe('usr_1');
    expect(background.length).toBeGreaterThan(0);
    pass(23 * 60 * minute);
    expect((await verify(tokens, token)).subject).toBe('usr_1');
    await Promise.all(background);
    pass(60 * minute);
    shelf.clear();
    await expect(verify(tokens, token)).rejects.toMatchObject({ reason: 'identity_unavailable', headers: { 'retry-after': '1' } });
  });

  test('that cannot be had is 503, and the issuer is not asked by every request', async () => {
    up = false;
    const tokens = isolate();
    const token = await issuer.token('one');
    for (let round = 0; round < 10; round++) await expect(verify(tokens, token)).rejects.toMatchObject({ reason: 'identity_unavailable' });
    await Promise.all(background);
    expect(asked).toBe(1);
    const told = `no keys from http://127.0.0.1:${server.port}/jwks: the issuer's key set, TOMBOLO_JWKS_URL, must answer there`;
    expect(logged.mock.calls.map(String)).toEqual([expect.stringContaining(told)]);
    up = true;
    pass(1_100);
    expect((await verify(tokens, token)).subject).toBe('usr_1');
  });

  test('is asked for again for an unknown key, but not by whoever makes them up', async () => {
    const tokens = isolate();
    await verify(tokens, await issuer.token('one'));
    await issuer.addKey('two');
    const rotated = await issuer.token('two', { expiresIn: 3_600 });
    await expect(verify(tokens, rotated)).rejects.toMatchObject({ reason: 'token_invalid' });
    pass(31_000);
    expect((await verify(tokens, rotated)).subject).toBe('usr_1');
    expect(asked).toBe(2);
    await issuer.addKey('three');
    for (let index = 0; index < 20; index++) {
      await expect(verify(tokens, await issuer.token('three', { payload: { index } }))).rejects.toMatchObject({ reason: 'token_invalid' });
    }
    await Promise.all(background);
    expect(asked).toBe(2);
  });

  test('that no longer has a key refuses tokens that were remembered under it', async () => {
    const tokens = isolate();
    const token = await issuer.token('one', { expiresIn: 3_600 });
    await verify(tokens, token);
    issuer.removeKey('one');
    await issuer.addKey('two');
    pass(11 * minute);
    await verify(tokens, token);
    await Promise.all(background);
    await expect(verify(tokens, token)).rejects.toMatchObject({ reason: 'token_invalid' });
  });
});

describe('a remembered token', () => {
  test('is refused once it has expired', async () => {
    const tokens = isolate();
    const token = await issuer.token('one', { expiresIn: 60 });
    await verify(tokens, token);
    pass(66_000);
    await expect(verify(tokens, token)).rejects.toMatchObject({ reason: 'token_invalid', detail: 'the token has expired' });
  });
});

test('tokens by every pinned algorithm are believed', async () => {
  for (const alg of ['ES256', 'RS256']) {
    await issuer.addKey(alg, alg);
    expect((await verify(isolate(), await issuer.token(alg, { header: { typ: 'JWT' } }))).subject).toBe('usr_1');
    shelf.clear();
  }
  await issuer.addKey('ES384', 'ES384');
  await expect(verify(isolate(), await issuer.token('ES384'))).rejects.toMatchObject({ reason: 'token_invalid' });
});

const unnamed = (kid: string) => {
  const payload = { iss: issuer.issuer, aud: issuer.audience, sub: 'usr_1', exp: Math.floor(Date.now() / 1_000) + 300 };
  return issuer.sign(kid, payload, { kid: undefined });
};

test('the set is asked for again for a token that names no key and that none of its keys signed, at most every 30 s', async () => {
  const tokens = isolate();
  await verify(tokens, await unnamed('one'));
  issuer.removeKey('one');
  await issuer.addKey('two');
  pass(31_000);
  expect((await verify(tokens, await unnamed('two'))).subject).toBe('usr_1');
  expect(asked).toBe(2);
  await issuer.addKey('stranger');
  const forged = await unnamed('stranger');
  issuer.removeKey('stranger');
  for (let round = 0; round < 5; round++) await expect(verify(tokens, forged)).rejects.toMatchObject({ reason: 'token_invalid' });
  // One that names a key which the set has is forged.
  pass(31_000);
  const named = await issuer.token('two');
  await expect(verify(tokens, `${named.slice(0, -4)}AAAA`)).rejects.toMatchObject({ reason: 'token_invalid' });
  expect(asked).toBe(2);
});

test('a token that names no key is believed by whichever of the issuer\'s keys signed it', async () => {
  await issuer.addKey('two');
  for (const kid of ['one', 'two']) expect((await verify(isolate(), await unnamed(kid))).subject).toBe('usr_1');
  await issuer.addKey('three');
  const stranger = await unnamed('three');
  issuer.removeKey('three');
  shelf.clear();
  await expect(verify(isolate(), stranger)).rejects.toMatchObject({ reason: 'token_invalid' });
  // What else is wrong with it is told all the same.
  const expired = await issuer.sign('two', { iss: issuer.issuer, aud: issuer.audience, sub: 'usr_1', exp: 1 }, { kid: undefined });
  await expect(verify(isolate(), expired)).rejects.toMatchObject({ detail: 'the token has expired' });
});
