/** A second factor (SEMANTICS §20) on both engines: asked for behind the password, taken once, counted, and not walked around. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Person } from '../../support/person.ts';
import { PeopleWorld } from '../../support/people-world.ts';
import { totpOf } from '../../support/totp.ts';
import { engines } from '../../support/whole-world.ts';

const password = 'correct horse battery';
const verify = '/auth/two-factor/verify-totp';
const verifyBackup = '/auth/two-factor/verify-backup-code';
const stepMs = 30_000;

describe.each(engines)('a second factor on %s', (engine) => {
  let world: PeopleWorld;
  beforeAll(async () => void (world = await PeopleWorld.open(engine)));
  afterAll(() => world[Symbol.asyncDispose]());

  /** Somebody with a second factor, who has shown `shown` already; the next code is taken too, whichever half minute it is by then. */
  const enrolled = async (email: string) => {
    const person = await world.member(email, password);
    const { json } = await person.post('/auth/two-factor/enable', { password });
    const uri = String(json['totpURI']);
    const shown = totpOf(uri, Date.now());
    expect((await person.post(verify, { code: shown })).status).toBe(200);
    return { person, uri, shown, codes: json['backupCodes'] as readonly string[] };
  };
  const withPassword = async (email: string, address?: string): Promise<Person> => {
    const person = world.person(address);
    expect((await person.signIn(email, password)).json).toMatchObject({ twoFactorRedirect: true });
    expect((await person.get('/auth/token')).status).toBe(401);
    return person;
  };

  test('behind the password a code signs in, and no code a second time, whoever sends it', async () => {
    const { uri, shown, codes } = await enrolled('ada@example.com');
    const [here, there] = [await withPassword('ada@example.com'), await withPassword('ada@example.com')];
    expect((await here.post(verify, { code: shown })).json).toMatchObject({ status: 401, code: 'code_spent' });
    const code = totpOf(uri, Date.now() + stepMs);
    const both = await Promise.all([here, there].map((person) => person.post(verify, { code })));
    expect(both.map(({ status }) => status).sort()).toEqual([200, 401]);
    const [winner, loser] = both[0]?.status === 200 ? [here, there] : [there, here];
    expect((await winner.get('/auth/token')).status).toBe(200);
    expect((await loser.post(verifyBackup, { code: codes[0] })).status).toBe(200);
  });

  test('a code of the list stands in for it, once, and another list ends the list', async () => {
    const { person, codes } = await enrolled('ben@example.com');
    expect(codes.length).toBe(10);
    const [first, second] = codes;
    expect((await (await withPassword('ben@example.com')).post(verifyBackup, { code: first })).status).toBe(200);
    expect((await (await withPassword('ben@example.com')).post(verifyBackup, { code: first })).status).toBe(401);
    expect((await person.post('/auth/two-factor/generate-backup-codes', { password })).status).toBe(200);
    expect((await (await withPassword('ben@example.com')).post(verifyBackup, { code: second })).status).toBe(401);
  });

  test('no mail stands in for it', async () => {
    const email = 'mail@example.com';
    await enrolled(email);
    await world.person().post('/auth/email-otp/send-verification-otp', { email, type: 'sign-in' });
    const otp = /^\d{8}$/m.exec(await world.mailTo(email, 2))?.[0];
    const byCode = await world.person().post('/auth/sign-in/email-otp', { email, otp });
    expect([byCode.json, byCode.cookies]).toMatchObject([{ status: 403, code: 'password_needed' }, []]);
    await world.person().post('/auth/sign-in/magic-link', { email });
    const link = /\/auth\/magic-link\S+/.exec(await world.mailTo(email, 3))?.[0] ?? '';
    const thief = world.person();
    expect([(await thief.get(link)).status, (await thief.get('/auth/token')).status]).toEqual([403, 401]);
  });

  test('its tries are counted by whose they are, and a right password in between ends no series', async () => {
    const { uri } = await enrolled('eve@example.com');
    const statuses: number[] = [];
    // However long the hashes take, no wait ends meanwhile.
    world.stillAt = Date.now() + world.aheadMs;
    for (let tries = 0; tries < 6; tries++) {
      const thief = await withPassword('eve@example.com', `192.0.2.${tries}`);
      statuses.push((await thief.post(tries % 2 === 0 ? verify : verifyBackup, { code: `00000${tries}x` })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const eve = await withPassword('eve@example.com');
    const refused = await eve.post(verify, { code: totpOf(uri, Date.now() + stepMs) });
    expect([refused.status, refused.headers['retry-after']]).toEqual([429, '2']);
    world.stillAt = undefined;
    world.aheadMs += 60_000;
    expect((await eve.post(verify, { code: totpOf(uri, Date.now() + stepMs) })).status).toBe(200);
    expect((await eve.post('/auth/two-factor/disable', { password: 'not this one' })).status).toBe(400);
    expect((await eve.post('/auth/two-factor/disable', { password })).status).toBe(200);
    expect((await world.person().signIn('eve@example.com', password)).json).not.toHaveProperty('twoFactorRedirect');
  });

  test('a stolen session tries no more passwords than a sign-in, whatever its thief does elsewhere', async () => {
    const [kim, thief] = [await world.member('kim@example.com'), await world.member('thief@example.com', password)];
    const own = { currentPassword: password, newPassword: password, email: (await kim.token()).claims['sub'] };
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries++) {
      if (tries === 4) expect((await thief.post('/auth/change-password', own)).status).toBe(200);
      const body = { currentPassword: `wrong horse ${tries}`, newPassword: 'another horse battery' };
      statuses.push((await kim.post('/auth/change-password', body)).status);
    }
    expect(statuses).toEqual([400, 400, 400, 400, 400, 429]);
  });
});
