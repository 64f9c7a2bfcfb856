/** Signing in with an account of another issuer (SEMANTICS §20), which is a real one on this machine, on both engines. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { LyingIssuer } from '../../support/lying-issuer.ts';
import { OidcIssuer } from '../../support/oidc-issuer.ts';
import { type OidcProvider, readOidcProviders } from '../../../origin/people/oidc-settings.ts';
import { SettingsReader } from '../../../shared/settings/reader.ts';
import { peopleHome, PeopleWorld } from '../../support/people-world.ts';
import type { Person } from '../../support/person.ts';
import { engines } from '../../support/whole-world.ts';

const page = 'https://app.example.com';
const start = '/auth/sign-in/social';
const client = { client_id: 'tombolo', client_secret: 'secret-of-tombolo', redirect_uris: [`${peopleHome}/auth/callback/acme`] };
const accounts = {
  ada: { email: 'ada@acme.example', email_verified: true },
  known: { email: 'known@acme.example', email_verified: true },
  claimed: { email: 'claimed@acme.example', email_verified: true },
  careful: { email: 'careful@acme.example', email_verified: true },
  liar: { email: 'known@acme.example', email_verified: false },
  stranger: { email: 'stranger@acme.example', email_verified: false },
};

function toProvider(id: string, issuer: string): OidcProvider {
  return { id, issuer, clientId: client.client_id, clientSecret: client.client_secret, scopes: ['openid', 'email', 'profile'] };
}

describe.each(engines)('signing in with another issuer\'s account on %s', (engine) => {
  let world: PeopleWorld;
  let issuer: OidcIssuer;
  let acme: OidcProvider;
  beforeAll(async () => {
    issuer = await OidcIssuer.start(client, accounts);
    acme = toProvider('acme', issuer.issuer);
    const away = { ...acme, id: 'away', issuer: 'http://127.0.0.1:9' };
    world = await PeopleWorld.open(engine, { pages: [page], oidc: [acme, away] });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });

  const begin = async (person: Person, more: object = {}): Promise<URL> => {
    const { status, json } = await person.post(start, { provider: 'acme', callbackURL: page, errorCallbackURL: `${page}/failed`, ...more });
    expect(status).toBe(200);
    return new URL(String(json['url']));
  };
  /** The way back: the callback's path and query. */
  const agree = async (to: URL, sub: string): Promise<string> => (await issuer.signIn(to.href, sub)).slice(peopleHome.length);
  const signIn = async (person: Person, sub: string): Promise<string> =>
    String((await person.get(await agree(await begin(person), sub))).headers['location']);
  const subject = async (person: Person) => (await person.token()).claims['sub'];

  test('a code with PKCE, state and nonce makes somebody with that address, who is known again by the issuer\'s subject', async () => {
    const ada = world.person();
    const to = await begin(ada);
    expect(Object.fromEntries(to.searchParams)).toMatchObject({
      client_id: 'tombolo', response_type: 'code', code_challenge_method: 'S256', scope: 'openid email profile',
      redirect_uri: `${peopleHome}/auth/callback/acme`,
    });
    for (const name of ['state', 'nonce', 'code_challenge']) expect(to.searchParams.get(name)?.length).toBeGreaterThan(20);
    const back = await agree(to, 'ada');
    expect(new URLSearchParams(back.split('?')[1]).get('iss')).toBe(issuer.issuer);
    const { status, headers } = await ada.get(back);
    expect([status, headers['location']]).toEqual([302, page]);
    const again = world.person();
    expect(await signIn(again, 'ada')).toBe(page);
    expect(await subject(again)).toBe(await subject(ada));
    expect((await ada.get('/auth/list-accounts')).text).toContain('acme');
  });

  test('a way back is taken once, by the browser that began, with its own state and of its own issuer', async () => {
    const ada = world.person();
    const back = await agree(await begin(ada), 'ada');
    const thief = world.person();
    expect((await thief.get(back)).headers['location']).toContain('error=state_mismatch');
    expect((await thief.get('/auth/token')).status).toBe(401);
    const eve = world.person();
    const own = await agree(await begin(eve), 'ada');
    const mixedUp = own.replace(/iss=[^&]+/, 'iss=https%3A%2F%2Fevil.example');
    expect((await eve.get(mixedUp)).headers['location']).toContain('error=issuer_mismatch');
    expect((await eve.get(own.replace(/state=[^&]+/, 'state=made-up'))).headers['location']).toContain('error=');
    const ben = world.person();
    const once = await agree(await begin(ben), 'ada');
    expect((await ben.get(once)).headers['location']).toBe(page);
    expect((await ben.get(once)).headers['location']).toContain('error=');
    expect((await eve.get('/auth/token')).status).toBe(401);
  });

  test('an account here is its owner\'s where both sides have proved the address, and nobody else\'s', async () => {
    const known = await world.member('known@acme.example');
    const liar = world.person();
    expect(await signIn(liar, 'liar')).toContain(`${page}/failed?error=account_not_linked`);
    const same = world.person();
    expect(await signIn(same, 'known')).toBe(page);
    expect(await subject(same)).toBe(await subject(known));
    // A stranger has signed up with the address of somebody who then comes by the issuer.
    await world.person().signUp('claimed@acme.example', 'correct horse battery');
    const claimed = world.person();
    expect(await signIn(claimed, 'claimed')).toContain('error=account_not_linked');
    const stranger = world.person();
    expect(await signIn(stranger, 'stranger')).toContain('error=email_not_proved');
    for (const person of [liar, claimed, stranger]) expect((await person.get('/auth/token')).status).toBe(401);
    expect((await world.person().signIn('stranger@acme.example', 'correct horse battery')).status).toBe(401);
  });

  test('nobody is sent to a page that is not declared, and nothing else of the caller\'s goes to the issuer', async () => {
    const post = async (more: object) => world.person().post(start, { provider: 'acme', callbackURL: page, ...more });
    for (const wrong of ['callbackURL', 'errorCallbackURL', 'newUserCallbackURL']) {
      expect((await post({ [wrong]: 'https://evil.example/' })).status).toBe(403);
    }
    const params = { additionalParams: { prompt: 'none' }, additionalData: { a: 1 } };
    for (const [name, value] of Object.entries({ idToken: { token: 'x' }, scopes: ['admin'], loginHint: 'x', ...params })) {
      expect((await post({ [name]: value })).json).toMatchObject({ status: 400, errors: [{ at: `/${name}`, in: 'body' }] });
    }
    expect((await post({ provider: 'nobody' })).status).toBe(404);
    for (const path of ['/auth/link-social', '/auth/get-access-token', '/auth/refresh-token', '/auth/account-info']) {
      expect((await world.person().post(path, { provider: 'acme', providerId: 'acme', callbackURL: page })).status).toBe(404);
    }
  });

  test('an issuer that is away keeps nobody else from signing in, and another process finishes what one began', async () => {
    expect((await world.person().post(start, { provider: 'away', callbackURL: page })).status).toBe(404);
    const other = new PeopleWorld(world.dataDir, world.database, { pages: [page], oidc: [acme] });
    const ada = world.person();
    const back = await agree(await begin(ada), 'ada');
    const there = other.person();
    for (const [name, value] of ada.cookies) there.cookies.set(name, value);
    expect((await there.get(back)).headers['location']).toBe(page);
    await other.people.close();
  });
});

describe('what an issuer says', () => {
  const liars = ['nonce', 'iss', 'issuer', 'aud', 'exp', 'key', 'none', 'absent', 'discovery'] as const;

  test.each(liars)('is not believed where it lies in: %s', async (lie) => {
    await using liar = await LyingIssuer.start(client.client_id, lie);
    await using world = await PeopleWorld.open('sqlite', { pages: [page], oidc: [toProvider('liar', liar.issuer)] });
    const person = world.person();
    const { json } = await person.post(start, { provider: 'liar', callbackURL: page, errorCallbackURL: page });
    const location = String((await person.get(liar.wayBack(String(json['url'])))).headers['location']);
    expect(location).toContain(lie === 'discovery' ? 'error=state_mismatch' : `${page}/?error=unable_to_get_user_info`);
    expect((await person.get('/auth/token')).status).toBe(401);
  });

  test('is waited for no longer than an answer may take', async () => {
    await using liar = await LyingIssuer.start(client.client_id, 'silence');
    await using world = await PeopleWorld.open('sqlite', { oidc: [toProvider('liar', liar.issuer)] }, 3_000);
    await world.people.opened();
    const person = world.person();
    const { json } = await person.post(start, { provider: 'liar' });
    expect((await person.get(liar.wayBack(String(json['url'])))).json).toMatchObject({ status: 504, code: 'deadline_exceeded' });
  });

  test('is believed where it is true, from the address that it tells when asked for it, too, and its tokens are not kept', async () => {
    await using issuer = await OidcIssuer.start(client, accounts, { inIdToken: false });
    await using liar = await LyingIssuer.start(client.client_id, 'nothing');
    const oidc = [toProvider('acme', issuer.issuer), toProvider('liar', liar.issuer)];
    await using world = await PeopleWorld.open('sqlite', { pages: [page], oidc });
    const [ada, eve] = [world.person(), world.person()];
    const begun = async (person: Person, provider: string) =>
      String((await person.post(start, { provider, callbackURL: page })).json['url']);
    const back = (await issuer.signIn(await begun(ada, 'acme'), 'ada')).slice(peopleHome.length);
    expect((await ada.get(back)).headers['location']).toBe(page);
    expect((await eve.get(liar.wayBack(await begun(eve, 'liar')))).headers['location']).toBe(page);
    using file = new Database(join(world.dataDir, 'people.sqlite'));
    const kept = file.query('SELECT accountId, accessToken, refreshToken, idToken FROM account ORDER BY accountId').all();
    const nothing = { accessToken: null, refreshToken: null, idToken: null };
    expect(kept).toEqual([{ accountId: 'ada', ...nothing }, { accountId: 'eve', ...nothing }]);
  });
});

test('a setting that is wrong is told by its place, and none of its values', () => {
  const good = { id: 'acme', issuer: 'https://login.acme.example', clientId: 'tombolo', clientSecret: 'planted' };
  const wrongOf = (value: unknown) => {
    const reader = new SettingsReader({ TOMBOLO_PEOPLE_OIDC: typeof value === 'string' ? value : JSON.stringify(value) });
    const read = readOidcProviders(reader, 'production');
    return reader.wrong.length === 0 ? read : reader.wrong.join('; ');
  };
  expect(wrongOf([good])).toEqual([{ ...good, scopes: ['openid', 'email', 'profile'] }]);
  for (const [wrong, told] of [
    ['planted', 'the list'], [good, 'the list'], [[good, good], 'the list: two have one id'],
    [[{ ...good, id: 'credential' }], '/0/id: is taken'],
    [[{ ...good, id: 'Acme' }], '/0/id'], [[{ ...good, issuer: 'planted' }], '/0/issuer'], [[{ ...good, secret: 'planted' }], '/0'],
    [[{ ...good, issuer: 'http://login.acme.example' }], '/0/issuer: must be an https URL'],
    [[{ ...good, scopes: ['a b'] }], '/0/scopes/0'],
  ] as const) {
    expect(wrongOf(wrong)).toContain(`TOMBOLO_PEOPLE_OIDC: ${told}`);
    expect(wrongOf(wrong)).not.toContain('planted');
  }
});
