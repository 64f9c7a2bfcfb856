/** People of two processes that share the file, which neither has made yet. */
import { afterEach, beforeEach, expect, test } from 'bun:test';
import { PeopleWorld } from '../../support/people-world.ts';

let one: PeopleWorld;
let other: PeopleWorld;
beforeEach(async () => {
  one = await PeopleWorld.open('sqlite');
  other = new PeopleWorld(one.dataDir, undefined);
});
afterEach(async () => {
  await other.people.close();
  await one[Symbol.asyncDispose]();
});

test('who signs up here and there at once is signed up, and may sign in there and here', async () => {
  const emails = Array.from({ length: 8 }, (_, n) => `person-${n}@example.com`);
  const password = 'correct horse battery';
  const signedUp = await Promise.all(emails.map((email, n) => (n % 2 === 0 ? one : other).person(`192.0.2.${n}`).signUp(email, password)));
  expect(signedUp.map(({ status }) => status)).toEqual(emails.map(() => 200));
  const [first = '', second = ''] = emails;
  for (const [email, world] of [[first, other], [second, one]] as const) {
    const person = world.person();
    await person.verify(email);
    expect((await person.signIn(email, password)).status).toBe(200);
  }
}, 60_000);

test('an address that is asked for here and there at once has one account', async () => {
  const again = [one, other].map((world, n) => world.person(`192.0.2.${n}`).signUp('edith@example.com', 'correct horse battery'));
  await Promise.all(again);
  expect(one.mails().split('To: edith@example.com\nSubject: Is this').length - 1).toBe(1);
}, 60_000);
