/** Invitations to organisations (SEMANTICS §20) on both engines: kept while they are open, and an address of mail with them no longer. */
import { afterAll, beforeAll, beforeEach, describe, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { join } from 'node:path';
import type { Person } from '../../support/person.ts';
import { PeopleWorld } from '../../support/people-world.ts';
import { engines } from '../../support/whole-world.ts';

const dayMs = 86_400_000;

describe.each(engines)('invitations on %s', (engine) => {
  let world: PeopleWorld;
  let ada: Person;
  let organizationId: string;
  let made = 0;
  beforeAll(async () => {
    world = await PeopleWorld.open(engine);
    ada = await world.member('ada@example.com');
  });
  beforeEach(async () => {
    const { json } = await ada.post('/auth/organization/create', { name: 'Odeon', slug: `odeon-${made++}` });
    organizationId = String(json['id']);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const invite = (email: string) => ada.post('/auth/organization/invite-member', { email, role: 'member', organizationId });
  const invited = async (): Promise<readonly string[]> => {
    const { text } = await ada.get(`/auth/organization/list-invitations?organizationId=${organizationId}`);
    return (JSON.parse(text) as readonly { readonly email: string }[]).map(({ email }) => email).toSorted();
  };

  test('are removed when they are answered, taken back or over', async () => {
    const answers = ['accept', 'reject', 'cancel'] as const;
    for (const answer of answers) {
      const person = await world.member(`${answer}@example.com`);
      const { json: { id: invitationId } } = await invite(`${answer}@example.com`);
      const by = answer === 'cancel' ? ada : person;
      expect((await by.post(`/auth/organization/${answer}-invitation`, { invitationId })).status).toBe(200);
    }
    await invite('open@example.com');
    const { sweep } = await world.people.opened();
    await sweep();
    expect(await invited()).toEqual(['open@example.com']);
    world.aheadMs = 2 * dayMs + 1_000;
    await sweep();
    world.aheadMs = 0;
    expect(await invited()).toEqual([]);
  });

  test('go with the account of their address, and no other does', async () => {
    const [leaver] = [await world.member('leaver@example.com'), await invite('leaver@example.com'), await invite('other@example.com')];
    expect(await invited()).toEqual(['leaver@example.com', 'other@example.com']);
    await (await world.people.opened()).forget(String((await leaver.token()).claims['sub']));
    expect(await invited()).toEqual(['other@example.com']);
  });

  test('are a hundred at once and no more, each in the list, however many are over', async () => {
    expect((await invite('first@example.com')).status).toBe(200);
    await copyFirst('late', 150, -1_000);
    expect((await invite('second@example.com')).status).toBe(200);
    expect(await invited()).toEqual(['first@example.com', 'second@example.com']);
    await copyFirst('late', 150, -1_000);
    await copyFirst('open', 98, dayMs);
    expect((await invite('third@example.com')).json).toMatchObject({ status: 403, code: 'invitation_limit_reached' });
    expect((await invited()).length).toBe(100);
  });

  /** The first one again, to other addresses, open for so long or over for so long already. */
  async function copyFirst(word: string, count: number, openMs: number): Promise<void> {
    const expiresAt = new Date(Date.now() + openMs);
    const emails = Array.from({ length: count }, (_, index) => `${word}-${index}@example.com`);
    if (world.database !== undefined) {
      const collection = world.database.foreign.collection('tombolo_people_invitation');
      const { _id, ...row } = (await collection.findOne({ email: 'first@example.com' })) ?? {};
      await collection.insertMany(emails.map((email) => ({ ...row, email, expiresAt })));
      return;
    }
    using file = new Database(join(world.dataDir, 'people.sqlite'));
    const same = 'role, status, organizationId, inviterId, createdAt';
    const copied = file.query(`INSERT INTO invitation (id, email, expiresAt, ${same})
      SELECT ?, ?, ?, ${same} FROM invitation WHERE email = 'first@example.com'`);
    for (const email of emails) copied.run(crypto.randomUUID(), email, expiresAt.toISOString());
  }
});
