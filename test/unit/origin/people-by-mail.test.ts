/** Signing in by a code or a link of a mail (SEMANTICS §20), on both engines: once, counted, and telling nobody who has an account. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { PeopleWorld } from '../../support/people-world.ts';
import { engines } from '../../support/whole-world.ts';

const send = '/auth/email-otp/send-verification-otp';
const byCode = '/auth/sign-in/email-otp';
const byLink = '/auth/sign-in/magic-link';

describe.each(engines)('signing in by mail on %s', (engine) => {
  let world: PeopleWorld;
  beforeAll(async () => void (world = await PeopleWorld.open(engine)));
  afterAll(() => world[Symbol.asyncDispose]());

  const codeTo = async (email: string, count: number) => (await world.mailTo(email, count)).match(/^\d{8}$/m)?.[0] ?? '';
  const linkTo = async (email: string, count: number) => /\/auth\/magic-link\S+/.exec(await world.mailTo(email, count))?.[0] ?? '';

  test('a code signs in once, and is asked for alike by whoever has an account and by whoever has none', async () => {
    const email = 'ada@example.com';
    const before = String((await (await world.member(email)).token()).claims['sub']);
    const asked = await world.person().post(send, { email, type: 'sign-in' });
    const unknown = await world.person().post(send, { email: 'new@example.com', type: 'sign-in' });
    expect([asked.status, asked.text]).toEqual([unknown.status, unknown.text]);
    const otp = await codeTo(email, 2);
    const wrong = await world.person().post(byCode, { email, otp: otp === '00000000' ? '00000001' : '00000000' });
    const wrongOfNobody = await world.person().post(byCode, { email: 'nobody@example.com', otp: '00000000' });
    expect([wrong.status, wrong.json['code'], wrongOfNobody.json['code']]).toEqual([400, 'invalid_otp', 'invalid_otp']);
    const ada = world.person();
    const both = await Promise.all([ada.post(byCode, { email, otp }), world.person().post(byCode, { email, otp })]);
    expect(both.map(({ status }) => status).sort()).toEqual([200, 400]);
    expect((await world.person().post(byCode, { email, otp })).status).toBe(400);
    const newcomer = world.person();
    expect((await newcomer.post(byCode, { email: 'new@example.com', otp: await codeTo('new@example.com', 1) })).status).toBe(200);
    expect((await newcomer.token()).claims['sub']).not.toBe(before);
  });

  test('a link signs in once, as whom the mail was sent to', async () => {
    const email = 'bob@example.com';
    const before = (await (await world.member(email)).token()).claims['sub'];
    const asked = await world.person().post(byLink, { email });
    const unknown = await world.person().post(byLink, { email: 'newer@example.com' });
    expect([asked.status, asked.text]).toEqual([200, unknown.text]);
    const link = await linkTo(email, 2);
    const bob = world.person();
    expect((await bob.get(link)).status).toBe(200);
    expect((await bob.token()).claims['sub']).toBe(before);
    const again = world.person();
    expect([(await again.get(link)).status, (await again.get('/auth/token')).status]).toEqual([302, 401]);
    expect((await world.person().post(byLink, { email, callbackURL: 'https://evil.example/' })).status).toBe(403);
  });

  test('a code goes by the tries of its account, and mails by those of their address', async () => {
    const email = 'eve@example.com';
    await world.person().post(send, { email, type: 'sign-in' });
    const otp = await codeTo(email, 1);
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries++) {
      statuses.push((await world.person(`192.0.2.${tries}`).post(byCode, { email, otp: `${tries}${tries}${otp.slice(2)}x` })).status);
    }
    expect(statuses).toEqual([400, 400, 400, 403, 400, 429]);
    const asked: number[] = [];
    for (let mails = 0; mails < 5; mails++) {
      const [path, body] = mails % 2 === 0 ? [byLink, { email }] : [send, { email, type: 'sign-in' }];
      asked.push((await world.person(`192.0.2.${100 + mails}`).post(path, body)).status);
    }
    expect(asked).toEqual([200, 200, 200, 200, 429]);
  });

  test('a code does nothing else, and no other writing of a path or of a body is uncounted', async () => {
    for (const path of ['/auth/email-otp/check-verification-otp', '/auth/email-otp/reset-password', '/auth/forget-password/email-otp']) {
      expect((await world.person().post(path, { email: 'ada@example.com', otp: '00000000', type: 'sign-in' })).status).toBe(404);
    }
    const credentials = { email: 'ada@example.com', password: 'correct horse battery' };
    for (const path of ['/auth/sign-in/email/', '/auth//sign-in/email', '/auth/sign-in/%65mail', '/auth/Sign-In/email']) {
      expect((await world.person().post(path, credentials)).status).toBe(404);
    }
  });
});
