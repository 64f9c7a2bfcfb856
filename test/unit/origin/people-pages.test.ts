/** Where people are sent (SEMANTICS §20): to the API or a declared page, however another one is written. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import { LyingIssuer } from '../../support/lying-issuer.ts';
import { peopleHome, PeopleWorld } from '../../support/people-world.ts';

const page = 'https://app.example.com';
const elsewhere = [
  'https://evil.example/', '//evil.example', '/..//evil.example', '/.//evil.example', '/a/../..//evil.example', '/%2e%2e//evil.example',
  '/.%2E//evil.example', '/..\\/evil.example', '\\\\evil.example', '/\\evil.example', '/\t/evil.example', '/..\n//evil.example',
  `${peopleHome}/..//evil.example`, `${page}/.//evil.example`, `${peopleHome}@evil.example/`, `${peopleHome}.evil.example/`,
  'https:evil.example', 'javascript:alert(1)', 'data:text/html,x',
];

describe('people are sent to no page that is not declared', () => {
  let world: PeopleWorld;
  let issuer: LyingIssuer;
  beforeAll(async () => {
    issuer = await LyingIssuer.start('tombolo', 'nonce');
    const oidc = [{ id: 'liar', issuer: issuer.issuer, clientId: 'tombolo', clientSecret: 'x', scopes: ['openid'] }];
    world = await PeopleWorld.open('sqlite', { pages: [page], oidc });
  });
  afterAll(async () => {
    await world[Symbol.asyncDispose]();
    await issuer[Symbol.asyncDispose]();
  });

  const links = [
    ['/auth/verify-email?token=x', 'callbackURL'], ['/auth/reset-password/x?', 'callbackURL'],
    ['/auth/magic-link/verify?token=x', 'callbackURL'], ['/auth/magic-link/verify?token=x', 'errorCallbackURL'],
    ['/auth/magic-link/verify?token=x', 'newUserCallbackURL'],
  ] as const;

  test.each(elsewhere)('by a link that names %j', async (to) => {
    for (const [path, name] of links) {
      const { status, headers } = await world.person().get(`${path}&${name}=${encodeURIComponent(to)}`);
      expect([path, name, status, headers['location']]).toEqual([path, name, 403, undefined]);
    }
  });

  test.each(elsewhere)('by a body that names %j', async (to) => {
    const [email, password] = ['somebody@example.com', 'correct horse battery'];
    const social = { provider: 'liar' };
    for (const [path, body, name] of [
      ['/auth/sign-up/email', { name: 'Somebody', email, password }, 'callbackURL'],
      ['/auth/sign-in/email', { email, password }, 'callbackURL'], ['/auth/sign-in/magic-link', { email }, 'errorCallbackURL'],
      ['/auth/request-password-reset', { email }, 'redirectTo'], ['/auth/sign-in/social', social, 'callbackURL'],
      ['/auth/sign-in/social', social, 'errorCallbackURL'], ['/auth/sign-in/social', social, 'newUserCallbackURL'],
    ] as const) {
      world.aheadMs += 3_600_000;
      expect([path, name, (await world.person().post(path, { ...body, [name]: to })).status]).toEqual([path, name, 403]);
    }
    expect(world.mails()).toBe('');
  });

  test('but to those that are, with what went wrong', async () => {
    for (const to of ['/done', '/done?a=1', `${peopleHome}/done`, page, `${page}/done`]) {
      const { status, headers } = await world.person().get(`/auth/verify-email?token=x&callbackURL=${encodeURIComponent(to)}`);
      expect(status).toBe(302);
      expect(headers['location']).toStartWith(to);
      expect(headers['location']).toContain('error=INVALID_TOKEN');
    }
  });

  test('nor by what was kept before', async () => {
    const person = world.person();
    const begun = await person.post('/auth/sign-in/social', { provider: 'liar', callbackURL: page, errorCallbackURL: '/kept' });
    expect([begun.status, begun.headers['location']]).toEqual([200, undefined]);
    using file = new Database(join(world.dataDir, 'people.sqlite'));
    expect(file.run('UPDATE verification SET value = replace(value, \'"/kept"\', \'"/..//evil.example"\')').changes).toBeGreaterThan(0);
    const back = await person.get(issuer.wayBack(String(begun.json['url'])));
    expect([back.status, back.headers['location'], back.cookies]).toEqual([403, undefined, []]);
  });
});
