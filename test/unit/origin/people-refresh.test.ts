/** Refresh tokens (SEMANTICS §20) on both engines: each once, the same next within a grace, and a session that ends with its family. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { PeopleWorld } from '../../support/people-world.ts';
import { engines } from '../../support/whole-world.ts';

const password = 'correct horse battery';

describe.each(engines)('refresh tokens on %s', (engine) => {
  let world: PeopleWorld;
  beforeAll(async () => void (world = await PeopleWorld.open(engine)));
  afterAll(() => world[Symbol.asyncDispose]());

  /** Somebody who keeps no cookie, with the first token of a family. */
  const begun = async (email: string) => {
    const browser = await world.member(email, password);
    const { json: { token } } = await world.person().signIn(email, password);
    const { status, json } = await world.person().post('/auth/refresh/begin', { token });
    expect([status, json]).toMatchObject([200, { expiresIn: 300 }]);
    return { browser, session: String(token), first: String(json['refreshToken']), access: String(json['token']) };
  };
  const use = (refreshToken: string) => world.person().post('/auth/refresh', { refreshToken });
  const next = async (refreshToken: string) => {
    const { status, json } = await use(refreshToken);
    expect(status).toBe(200);
    return String(json['refreshToken']);
  };
  const claimsOf = (token: unknown) =>
    JSON.parse(Buffer.from(String(token).split('.')[1] ?? '', 'base64url').toString()) as Readonly<Record<string, unknown>>;

  test('each gives an access token of its session, and the next', async () => {
    const { browser, first, access } = await begun('ada@example.com');
    const { json } = await use(first);
    const { claims } = await browser.token();
    const { sub, iss } = claims;
    for (const token of [access, json['token']]) expect(claimsOf(token)).toMatchObject({ sub, iss, roles: [] });
    const second = await next(String(json['refreshToken']));
    expect(new Set([first, json['refreshToken'], second]).size).toBe(3);
  });

  test('within ten seconds the same is given the same next, however many ask at once', async () => {
    const { first } = await begun('ben@example.com');
    const answers = await Promise.all(Array.from({ length: 8 }, () => use(first)));
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 8 }, () => 200));
    expect(new Set(answers.map(({ json }) => json['refreshToken'])).size).toBe(1);
    await next(String(answers[0]?.json['refreshToken']));
  });

  test('one that comes again later ends the family and its session, and nothing else', async () => {
    const { browser, session, first } = await begun('cy@example.com');
    const second = await next(first);
    world.aheadMs += 11_000;
    expect((await use(first)).json).toMatchObject({ status: 401, code: 'refresh_invalid' });
    expect((await use(second)).json).toMatchObject({ status: 401, code: 'refresh_invalid' });
    expect((await world.person().post('/auth/refresh/begin', { token: session })).json).toMatchObject({ code: 'session_invalid' });
    // Another session of theirs goes on.
    expect((await browser.get('/auth/token')).status).toBe(200);
  });

  test('one from before the last ends the family, within the grace too', async () => {
    const { first } = await begun('dan@example.com');
    const third = await next(await next(first));
    expect((await use(first)).status).toBe(401);
    expect((await use(third)).status).toBe(401);
  });

  test('it ends with its session: revoked, signed out of, with a new password, or after seven days without use', async () => {
    const ended = async (email: string, end: (given: Awaited<ReturnType<typeof begun>>) => Promise<unknown>) => {
      const given = await begun(email);
      await end(given);
      expect((await use(given.first)).status).toBe(401);
    };
    await ended('eve@example.com', ({ browser }) => browser.post('/auth/revoke-other-sessions'));
    await ended('fay@example.com', ({ first }) => world.person().post('/auth/refresh/end', { refreshToken: first }));
    const change = { currentPassword: password, newPassword: 'another horse battery', revokeOtherSessions: true };
    await ended('gil@example.com', ({ browser }) => browser.post('/auth/change-password', change));
    const { first } = await begun('hal@example.com');
    let token = first;
    for (let days = 0; days < 12; days += 6) {
      world.aheadMs += 6 * 86_400_000;
      token = await next(token);
    }
    world.aheadMs += 8 * 86_400_000;
    expect((await use(token)).status).toBe(401);
    await (await world.people.opened()).sweep();
    expect((await use(token)).status).toBe(401);
    world.aheadMs = 0;
  });

  test('a session has one family: who begins another ends the one before', async () => {
    const { session, first } = await begun('ian@example.com');
    const again = await world.person().post('/auth/refresh/begin', { token: session });
    expect([(await use(first)).status, (await use(String(again.json['refreshToken']))).status]).toEqual([401, 200]);
  });

  test('what is none is refused alike, and what the database or a list shows opens nothing', async () => {
    const { browser, first } = await begun('kim@example.com');
    const forged = `${first.slice(0, -4)}${first.endsWith('AAAA') ? 'BBBB' : 'AAAA'}`;
    for (const text of ['', 'tbr_', 'x'.repeat(200), `tbr_${'A'.repeat(67)}`, first.slice(0, -1)]) {
      expect((await use(text)).json).toMatchObject({ status: 401, code: 'refresh_invalid' });
    }
    expect((await world.person().post('/auth/refresh', {})).json).toMatchObject({ status: 400, errors: [{ at: '/refreshToken' }] });
    expect((await world.person().post('/auth/refresh/end', { refreshToken: forged })).status).toBe(200);
    const { token } = (JSON.parse((await browser.get('/auth/list-sessions')).text) as { token: string }[])[0] ?? { token: '' };
    expect(token).toStartWith('sha256.');
    expect((await world.person().post('/auth/refresh/begin', { token })).json).toMatchObject({ status: 401, code: 'session_invalid' });
    const second = await next(first);
    expect(second).not.toBe(forged);
  });
});
