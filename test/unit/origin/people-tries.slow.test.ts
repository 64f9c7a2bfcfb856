/** Guessing is slowed (SEMANTICS §20): by account and by address, on both engines, with a clock that the test holds. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { PeopleWorld } from '../../support/people-world.ts';
import { engines } from '../../support/whole-world.ts';

const password = 'correct horse battery';
const wrong = 'wrong horse battery';

describe.each(engines)('tries of passwords on %s', (engine) => {
  let world: PeopleWorld;
  beforeAll(async () => void (world = await PeopleWorld.open(engine)));
  afterAll(() => world[Symbol.asyncDispose]());

  test('past five of an account each wait is twice the last, and a right password says nothing meanwhile', async () => {
    await world.member('ada@example.com');
    const [email, address] = ['ada@example.com', '192.0.2.7'];
    for (let tries = 1; tries <= 5; tries++) expect((await world.person(address).signIn(email, wrong)).status).toBe(401);
    const waits: number[] = [];
    for (let round = 0; round < 4; round++) {
      const refused = await world.person(`192.0.2.${100 + round}`).signIn(email, password);
      expect(refused.status).toBe(429);
      waits.push(Number(refused.headers['retry-after']));
      world.aheadMs += (waits.at(-1) ?? 0) * 1_000;
      expect((await world.person(address).signIn(email, wrong)).status).toBe(401);
    }
    expect(waits).toEqual([2, 4, 8, 16]);
    world.aheadMs += 32_000;
    expect((await world.person(address).signIn(email, password)).status).toBe(200);
    // Its success ended the series.
    expect((await world.person(address).signIn(email, wrong)).status).toBe(401);
  });

  test('a success of one\'s own ends nobody else\'s series, whomever its body names', async () => {
    const [email, own] = ['victim@example.com', { currentPassword: password, newPassword: password }];
    await world.member(email);
    const thief = await world.member('thief@example.com');
    world.stillAt = Date.now() + world.aheadMs;
    const statuses: number[] = [];
    for (let tries = 0; tries < 8; tries++) {
      statuses.push((await world.person(`192.0.2.${20 + tries}`).signIn(email, wrong)).status);
      if (tries % 4 === 3) expect((await thief.post('/auth/change-password', { ...own, email })).status).toBe(200);
    }
    world.stillAt = undefined;
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429, 429, 429]);
  });

  test('an address that nobody has is counted like any other', async () => {
    const statuses: number[] = [];
    for (let tries = 1; tries <= 6; tries++) statuses.push((await world.person().signIn('nobody@example.com', wrong)).status);
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
  });

  test('one address may try fifty times, of whatever accounts, and no more; another address goes on', async () => {
    const address = '192.0.2.66';
    const { attempts } = await world.people.opened();
    for (let tries = 0; tries < 50; tries++) await attempts.mustTake([{ guard: 'address', whose: address }]);
    expect((await world.person(address).signIn('ada@example.com', password)).status).toBe(429);
    expect((await world.person('192.0.2.67').signIn('ada@example.com', password)).status).toBe(200);
  });

  test('of many tries at once no more are looked at than of one after another', async () => {
    // However long the hashes take, no wait ends meanwhile.
    world.stillAt = Date.now() + world.aheadMs;
    const answers = await Promise.all(Array.from({ length: 30 }, () => world.person('192.0.2.70').signIn('many@example.com', wrong)));
    world.stillAt = undefined;
    const looked = answers.filter(({ status }) => status === 401).length;
    expect(answers.every(({ status }) => status === 401 || status === 429)).toBe(true);
    expect(looked).toBeGreaterThan(0);
    expect(looked).toBeLessThanOrEqual(5);
  });

  test('nobody is sent more than five mails in a row, whoever asks for them', async () => {
    for (let asked = 0; asked < 8; asked++) {
      const { status } = await world.person(`192.0.2.${200 + asked}`).post('/auth/request-password-reset', { email: 'ada@example.com' });
      expect(status).toBe(asked < 4 ? 200 : 429);
    }
  });
});
