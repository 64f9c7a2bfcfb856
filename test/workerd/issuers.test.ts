/** Tokens as the world's issuers make them, in real workerd: which claims become roles, tenant and plan, by the settings alone. */
import { afterAll, describe, expect, test } from 'bun:test';
import type { JWTPayload } from 'jose';
import { readClaimPaths } from '../../shared/settings/claim-paths.ts';
import { SettingsReader } from '../../shared/settings/reader.ts';
import { World } from '../support/world.ts';

const worlds = new Map<string, World>();
afterAll(() => Promise.all([...worlds.values()].map((world) => world.close())));

type Variables = Readonly<Record<string, string>>;

async function under(variables: Variables): Promise<World> {
  const key = JSON.stringify(variables);
  const world = worlds.get(key) ?? (await World.start({ silent: true, variables }));
  worlds.set(key, world);
  return world;
}

interface Asked {
  readonly status: number;
  readonly detail?: string;
  readonly principal?: unknown;
}

/** Asks with a token, without `typ` unless `header` has one. */
async function ask(variables: Variables, payload: JWTPayload, header: Readonly<Record<string, unknown>> = {}): Promise<Asked> {
  const world = await under(variables);
  const now = Math.floor(Date.now() / 1_000);
  const token = await world.issuer.sign('ed', { iss: world.issuer.issuer, iat: now, exp: now + 300, ...payload }, header);
  const answer = await world.get('/v2/films', { authorization: `Bearer ${token}`, 'cache-control': 'no-store' });
  if (answer.status !== 200) return { status: answer.status, detail: ((await answer.json()) as { detail: string }).detail };
  return { status: 200, principal: world.principalAsked() };
}

describe('an access token of', () => {
  test('Keycloak: roles nested, aud a list', async () => {
    const variables = { TOMBOLO_ROLES_CLAIM: 'realm_access.roles', TOMBOLO_TENANT_CLAIM: 'organization' };
    const payload = {
      jti: 'onrtac:5b1c', typ: 'Bearer', azp: 'shop', sid: 'a81f', acr: '1', aud: ['tombolo', 'account'], sub: 'f:6c2e:ada',
      organization: 'acme',
      realm_access: { roles: ['editor', 'offline_access', 'uma_authorization'] },
      resource_access: { account: { roles: ['manage-account'] } },
      scope: 'openid email profile',
      email_verified: true,
    };
    const { principal } = await ask(variables, payload, { typ: 'JWT' });
    expect(principal).toMatchObject({
      subject: 'f:6c2e:ada',
      roles: ['editor', 'offline_access', 'uma_authorization'],
      claims: { tenant: 'acme', azp: 'shop' },
    });
    for (const realm_access of [undefined, 'editor', ['editor'], { roles: null }, {}]) {
      expect((await ask(variables, { ...payload, realm_access })).principal).toMatchObject({ roles: [] });
    }
  });

  test('Auth0: roles in a claim that is a URL, aud with the userinfo endpoint', async () => {
    const payload = {
      aud: ['tombolo', 'https://acme.eu.auth0.com/userinfo'],
      sub: 'auth0|64f0c7',
      azp: 'pX3mB',
      scope: 'openid profile',
      'https://example.com/roles': ['editor'],
      'https://example.com/app': { tenant: 'acme', tier: 'partner' },
    };
    const variables = {
      TOMBOLO_ROLES_CLAIM: 'https://example.com/roles',
      TOMBOLO_TENANT_CLAIM: '"https://example.com/app".tenant',
      TOMBOLO_PLAN_CLAIM: '"https://example.com/app".tier',
    };
    expect((await ask(variables, payload, { typ: 'at+jwt' })).principal).toMatchObject({
      subject: 'auth0|64f0c7',
      roles: ['editor'],
      claims: { tenant: 'acme', plan: 'partner' },
    });
    expect(
      (await ask({ ...variables, TOMBOLO_ROLES_CLAIM: '"https://example.com/roles"' }, payload, { typ: 'JWT' })).principal,
    ).toMatchObject({ roles: ['editor'] });
  });

  test('Entra: app roles as they are, the tenant as tid, scp no roles', async () => {
    const payload = {
      aud: 'tombolo', aio: 'ATQAy', azp: '11111111-2222', azpacr: '1', name: 'Ada', oid: '00000000-0000',
      preferred_username: 'ada@example.com', rh: '0.AXE', roles: ['Films.Write', 'editor'],
      scp: 'access_as_user', sub: 'HKZpfaHyWadeOouYlitjrI-KffTm222X5rrV3xDqfKQ', tid: '72f988bf-86f1', uti: 'fqiBq', ver: '2.0',
    };
    expect((await ask({ TOMBOLO_TENANT_CLAIM: 'tid' }, payload, { typ: 'JWT' })).principal).toMatchObject({
      roles: ['Films.Write', 'editor'],
      claims: { tenant: '72f988bf-86f1' },
    });
    // A daemon's token has no roles where none are granted.
    const { roles: _, ...without } = payload;
    expect((await ask({ TOMBOLO_TENANT_CLAIM: 'tid' }, without, { typ: 'JWT' })).principal).toMatchObject({ roles: [] });
  });

  test('Cognito: no typ, no aud, groups with a colon', async () => {
    const variables = { TOMBOLO_AUDIENCE_CLAIM: 'client_id', TOMBOLO_ROLES_CLAIM: 'cognito:groups' };
    const payload = {
      sub: 'aaaaaaaa-bbbb', device_key: 'd1', 'cognito:groups': ['editor'], token_use: 'access',
      scope: 'aws.cognito.signin.user.admin', auth_time: 1_780_000_000, version: 2, jti: 'x', client_id: 'tombolo',
      username: 'ada',
    };
    expect((await ask(variables, payload)).principal).toMatchObject({
      subject: 'aaaaaaaa-bbbb',
      roles: ['editor'],
      claims: { client_id: 'tombolo', token_use: 'access' },
    });
    expect(await ask(variables, { ...payload, client_id: 'another' })).toMatchObject({ status: 401 });
    const { client_id: _, ...idToken } = payload;
    // An ID token of the same client names it as aud, and is for the client alone.
    expect(await ask(variables, { ...idToken, token_use: 'id', aud: 'tombolo' })).toMatchObject({ status: 401 });
    // What names both is for both or for nobody.
    expect(await ask(variables, { ...payload, aud: 'billing' })).toMatchObject({ status: 401 });
    // Without the setting a token that names no audience is for nobody.
    expect(await ask({ TOMBOLO_ROLES_CLAIM: 'cognito:groups' }, payload)).toMatchObject({ status: 401 });
  });

  test('Clerk: the role of the active organisation as a text, in both versions of its tokens', async () => {
    const second = {
      azp: 'tombolo',
      fva: [5, -1],
      jti: 'x',
      o: { id: 'org_1', rol: 'editor', slg: 'acme', per: 'read,manage' },
      role: 'authenticated', sid: 'sess_1', sts: 'active', sub: 'user_1', v: 2,
    };
    const variables = { TOMBOLO_AUDIENCE_CLAIM: 'azp', TOMBOLO_ROLES_CLAIM: 'o.rol', TOMBOLO_TENANT_CLAIM: 'o.id' };
    expect((await ask(variables, second, { typ: 'JWT', cat: 'cl_B7d4PD111AAA' })).principal).toMatchObject({
      subject: 'user_1',
      roles: ['editor'],
      claims: { tenant: 'org_1' },
    });
    const first = { azp: 'tombolo', sid: 'sess_1', sub: 'user_1', org_id: 'org_1', org_role: 'org:admin', org_slug: 'acme' };
    expect(
      (await ask({ TOMBOLO_AUDIENCE_CLAIM: 'azp', TOMBOLO_ROLES_CLAIM: 'org_role', TOMBOLO_TENANT_CLAIM: 'org_id' }, first, { typ: 'JWT' }))
        .principal,
    ).toMatchObject({ roles: ['org:admin'], claims: { tenant: 'org_1' } });
  });
});

describe('whatever the issuer,', () => {
  test('a scope is roles where it is named, word by word, and any other text is one role', async () => {
    const payload = { aud: 'tombolo', sub: 'a', scope: 'films:write  editor', title: 'Content Editor' };
    expect((await ask({}, payload)).principal).toMatchObject({ roles: [] });
    expect((await ask({ TOMBOLO_ROLES_CLAIM: 'scope' }, payload)).principal).toMatchObject({ roles: ['films:write', 'editor'] });
    expect((await ask({ TOMBOLO_ROLES_CLAIM: 'title' }, payload)).principal).toMatchObject({ roles: ['Content Editor'] });
    expect((await ask({}, { ...payload, roles: 'editor' })).principal).toMatchObject({ roles: ['editor'] });
    expect((await ask({}, { ...payload, roles: '' })).principal).toMatchObject({ roles: [] });
  });

  test('a claim with a name of ours counts only from where the settings say', async () => {
    const variables = { TOMBOLO_ROLES_CLAIM: 'realm_access.roles', TOMBOLO_TENANT_CLAIM: 'app.tenant', TOMBOLO_PLAN_CLAIM: 'app.plan' };
    const payload = { aud: 'tombolo', sub: 'a', roles: ['editor'], tenant: 'evil', plan: 'bench', 'app.tenant': 'evil', age: 3 };
    expect((await ask(variables, payload)).principal).toEqual({ subject: 'a', roles: [], claims: { 'app.tenant': 'evil', age: 3 } });
    expect((await ask(variables, { ...payload, app: { tenant: ['acme'], plan: { name: 'partner' } } })).principal).toEqual({
      subject: 'a',
      roles: [],
      claims: { 'app.tenant': 'evil', age: 3 },
    });
    expect((await ask({ TOMBOLO_ROLES_CLAIM: 'constructor.name', TOMBOLO_TENANT_CLAIM: '__proto__.x' }, payload)).principal).toMatchObject({
      roles: [],
      claims: { age: 3 },
    });
  });

  test('a token of eight kilobytes is read, with all the headers that may come beside it', async () => {
    const padded = (characters: number) => ({ aud: 'tombolo', sub: 'a', groups: Array.from({ length: 10 }, () => 'x'.repeat(characters)) });
    expect((await ask({}, padded(575))).status).toBe(200);
    expect(await ask({}, padded(620))).toMatchObject({ status: 401, detail: 'the token has more than 8192 characters' });
  });

  test('a header or a claim of another JSON type than it should be is 401, and what nobody reads may be anything', async () => {
    const payload = { aud: 'tombolo', sub: 'a' };
    for (const wrong of [7, true, null, {}, [], ['a'], [null]]) {
      for (const name of ['sub', 'iss', 'aud', ...(wrong === 7 ? [] : ['exp', 'nbf', 'iat'])]) {
        expect([name, wrong, (await ask({}, { ...payload, [name]: wrong })).status]).toEqual([name, wrong, 401]);
      }
      for (const name of ['typ', 'kid']) {
        expect([name, wrong, (await ask({}, payload, { [name]: wrong })).status]).toEqual([name, wrong, 401]);
      }
      expect(
        (await ask({}, { ...payload, tenant: wrong, plan: wrong, jti: wrong as string, 'x\u0000': wrong }, { cty: wrong })).status,
      ).toBe(200);
    }
  });
});

test('a path that names no claim is a setting that is wrong', () => {
  for (const path of ['.', 'a..b', '.a', 'a.', '"a', '""', 'a b', 'a."b".', 'https://a b']) {
    const reader = new SettingsReader({ TOMBOLO_ROLES_CLAIM: path });
    readClaimPaths(reader);
    expect([path, reader.wrong]).toEqual([path, [expect.stringMatching(/^TOMBOLO_ROLES_CLAIM: must name a claim/)]]);
  }
});
