import { afterAll, expect, test } from 'bun:test';
import { createLocalJWKSet, decodeProtectedHeader, jwtVerify } from 'jose';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { mustRunSettings } from '../../../../origin/dev/development.ts';
import { openIdentity } from '../../../../origin/dev/identity.ts';
import { readClaimPaths } from '../../../../shared/settings/claim-paths.ts';
import { SettingsReader } from '../../../../shared/settings/reader.ts';

const dir = mkdtempSync(join(tmpdir(), 'tombolo-identity-'));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

const issuer = 'https://development.tombolo.invalid';

test('mints tokens that its key set verifies, with subject, roles and tenant, for one hour', async () => {
  const identity = await openIdentity(dir);
  const token = await identity.mint({ subject: 'alice', roles: ['editor', 'viewer'], tenant: 'acme' });
  const { payload } = await jwtVerify(token, createLocalJWKSet(identity.jwks), {
    issuer,
    audience: 'tombolo',
    typ: 'at+jwt',
    algorithms: ['EdDSA'],
  });
  expect(payload).toMatchObject({ sub: 'alice', roles: ['editor', 'viewer'], tenant: 'acme' });
  expect((payload.exp ?? 0) - (payload.iat ?? 0)).toBe(3_600);
});

test('publishes the public half of its key and nothing of the private one', async () => {
  const { jwks } = await openIdentity(dir);
  expect(jwks.keys.map((key) => Object.keys(key).sort())).toEqual([['alg', 'crv', 'kid', 'kty', 'use', 'x']]);
});

test('is the same identity at the next start, and another one in another data dir', async () => {
  const [first, again, other] = await Promise.all([openIdentity(dir), openIdentity(dir), openIdentity(join(dir, 'other'))]);
  expect(again.jwks).toEqual(first.jwks);
  expect(other.jwks).not.toEqual(first.jwks);
  expect(decodeProtectedHeader(await first.mint({ subject: 'a', roles: [] })).kid).toBe(first.jwks.keys[0]?.kid ?? '');
});

test('is believed by the edge beside it, whatever the claims of the issuer in production are called', async () => {
  const given = { TOMBOLO_DATA_DIR: dir, TOMBOLO_ROLES_CLAIM: 'realm_access.roles', TOMBOLO_AUDIENCE_CLAIM: 'client_id' };
  const { edgeVariables } = await mustRunSettings(given, join(import.meta.dir, '../../../..'));
  expect(readClaimPaths(new SettingsReader({ ...given, ...edgeVariables }))).toEqual({
    roles: ['roles'],
    tenant: ['tenant'],
    plan: ['plan'],
    audience: ['aud'],
  });
});

test('takes the Redis that is named to it, and none that is named to a deploy', async () => {
  const redis = { UPSTASH_REDIS_REST_URL: 'http://127.0.0.1:9', UPSTASH_REDIS_REST_TOKEN: 'a-token-of-redis' };
  const variablesOf = async (given: object) =>
    (await mustRunSettings({ TOMBOLO_DATA_DIR: dir, ...given }, join(import.meta.dir, '../../../..'))).edgeVariables;
  expect(await variablesOf(redis)).toMatchObject(redis);
  expect(await variablesOf({})).toMatchObject({ UPSTASH_REDIS_REST_URL: '', UPSTASH_REDIS_REST_TOKEN: '' });
});
