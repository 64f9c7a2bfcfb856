import { expect, test } from 'bun:test';
import { mustEdgeSettings } from '../../shared/settings/edge-settings.ts';
import { startEdge } from '../support/edge.ts';
import { eventually } from '../support/eventually.ts';
import { testKeys } from '../support/scripted-origin.ts';

const mustSettings = (given: Readonly<Record<string, unknown>>) => mustEdgeSettings(given, new Set(['member']));

const good = {
  TOMBOLO_ENV: 'production',
  TOMBOLO_ORIGIN_URL: 'https://origin.example.com',
  TOMBOLO_KEYS: testKeys,
  TOMBOLO_ISSUER: 'https://issuer.example.com',
  TOMBOLO_AUDIENCE: 'tombolo',
  TOMBOLO_JWKS_URL: 'https://issuer.example.com/jwks',
};

test('settings that are complete are read', () => {
  expect(mustSettings({ ...good, TOMBOLO_CORS_ORIGINS: 'https://a.test, https://b.test', TOMBOLO_MEMO_MS: '100' })).toMatchObject({
    environment: 'production',
    memoMs: 100,
    feedSilentMs: 1_000,
    corsOrigins: new Set(['https://a.test', 'https://b.test']),
  });
});

test('every variable that is missing is named, in development too', () => {
  const names = Object.keys(good);
  expect(() => mustSettings({})).toThrow(new RegExp(names.join('.*')));
  for (const name of names) expect(() => mustSettings({ ...good, [name]: '' })).toThrow(name);
  expect(() => mustSettings({ ...good, TOMBOLO_ENV: 'development', TOMBOLO_KEYS: undefined })).toThrow('TOMBOLO_KEYS: is missing');
});

test('what is wrong is named, and never repeated', () => {
  const wrong = {
    TOMBOLO_ENV: 'staging',
    TOMBOLO_ORIGIN_URL: 'http://origin.example.com',
    TOMBOLO_KEYS: 'k1:c2hvcnQ',
    TOMBOLO_JWKS_URL: 'file:///etc/passwd',
    TOMBOLO_CORS_ORIGINS: 'https://a.test/', TOMBOLO_MEMO_MS: '-1', TOMBOLO_FEED_SILENT_MS: '1s', TOMBOLO_OPENAPI: 'hidden',
    TOMBOLO_METRICS_TOKEN: 'short',
  };
  for (const [name, value] of Object.entries(wrong)) {
    expect(() => mustSettings({ ...good, [name]: value })).toThrow(name);
    expect(() => mustSettings({ ...good, [name]: value })).not.toThrow(value);
  }
  for (const origins of ['*', 'null', 'app.test', 'https://a.test,https://b.test/x']) {
    expect(() => mustSettings({ ...good, TOMBOLO_CORS_ORIGINS: origins })).toThrow('TOMBOLO_CORS_ORIGINS');
  }
});

test('Redis is set whole or not at all, and its token is never repeated', () => {
  const [url, token] = ['UPSTASH_REDIS_REST_URL', 'UPSTASH_REDIS_REST_TOKEN'];
  const right = { ...good, [url]: 'https://eu1-example.upstash.io', [token]: 'a-token-of-redis' };
  expect(() => mustSettings(right)).not.toThrow();
  for (const [name, value] of [[token, ''], [token, 'a token'], [url, ''], [url, 'http://redis.lan'], [url, 'https://a:b@redis.test']]) {
    expect(() => mustSettings({ ...right, [name ?? '']: value })).toThrow(`${name}: must be`);
    expect(() => mustSettings({ ...right, [name ?? '']: value })).not.toThrow('a-token-of-redis');
  }
  expect(() => mustSettings({ ...right, TOMBOLO_ENV: 'development', [url]: 'http://redis.lan' })).not.toThrow();
});

test('plain HTTP is for the same machine, or development', () => {
  for (const url of ['http://127.0.0.1:8788', 'http://localhost:1', 'http://[::1]:1']) {
    expect(mustSettings({ ...good, TOMBOLO_ORIGIN_URL: url }).origins[0]?.url.href).toStartWith(url);
  }
  expect(mustSettings({ ...good, TOMBOLO_ENV: 'development', TOMBOLO_ORIGIN_URL: 'http://origin.lan' }).origins[0]?.url.hostname).toBe(
    'origin.lan',
  );
});

test('a Worker without a setting answers 503 to everything and logs its name', async () => {
  const lines: string[] = [];
  const edge = await startEdge({
    originUrl: 'https://origin.example.com', keys: testKeys, issuer: 'a', audience: 'b', jwksUrl: 'https://a.test',
    environment: 'production',
    variables: { TOMBOLO_KEYS: undefined, TOMBOLO_KEY: 'x' },
    onLog: (line) => lines.push(line),
  });
  for (const path of ['/health', '/v2/films', '/nothing', '/.tombolo/changes']) {
    const answer = await fetch(edge.url + path, { method: path.startsWith('/.') ? 'POST' : 'GET' });
    expect([answer.status, ((await answer.json()) as { code: string; detail?: string }).code]).toEqual([503, 'misconfigured']);
  }
  await eventually('the name in the log', () => lines.join('\n').includes('TOMBOLO_KEYS: is missing'));
  await eventually('the misspelt one in the log', () =>
    lines.join('\n').includes('TOMBOLO_KEY: no setting has this name; did you mean TOMBOLO_KEYS?'),
  );
  await edge.close();
});
