/** Organisations of people (SEMANTICS §20) on both engines: who is a member, what a token says of it, and what no member can be. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import type { Person } from '../../support/person.ts';
import { PeopleWorld } from '../../support/people-world.ts';
import { engines } from '../../support/whole-world.ts';

describe.each(engines)('organisations on %s', (engine) => {
  let world: PeopleWorld;
  let ada: Person;
  let bob: Person;
  let organizationId: string;
  beforeAll(async () => {
    world = await PeopleWorld.open(engine);
    [ada, bob] = [await world.member('ada@example.com'), await world.member('bob@example.com')];
    const made = await ada.post('/auth/organization/create', { name: 'Odeon', slug: 'odeon' });
    organizationId = String(made.json['id']);
  });
  afterAll(() => world[Symbol.asyncDispose]());

  const claims = async (person: Person) => (await person.token()).claims;
  const invite = async (email: string, role: unknown = 'member', by: Person = ada): Promise<string> => {
    const { status, json } = await by.post('/auth/organization/invite-member', { email, role, organizationId });
    expect(status).toBe(200);
    expect(await world.mailTo(email, 2)).toContain(`accept invitation ${json['id']}`);
    return String(json['id']);
  };

  test('whoever makes one acts in it as its owner, in every token until they leave it aside', async () => {
    expect(await claims(ada)).toMatchObject({ tenant: organizationId, roles: ['organization:owner'] });
    expect((await ada.post('/auth/organization/set-active', { organizationId: null })).status).toBe(200);
    expect(await claims(ada)).not.toHaveProperty('tenant');
    expect(await claims(ada)).toMatchObject({ roles: [] });
    await ada.post('/auth/organization/set-active', { organizationId });
  });

  test('an invitation is its recipient\'s alone, and who was removed acts there no longer', async () => {
    const eve = await world.member('eve@example.com');
    const invitationId = await invite('bob@example.com');
    expect((await eve.post('/auth/organization/accept-invitation', { invitationId })).status).toBe(403);
    expect(await claims(eve)).not.toHaveProperty('tenant');
    expect((await bob.post('/auth/organization/accept-invitation', { invitationId })).status).toBe(200);
    expect((await bob.post('/auth/organization/accept-invitation', { invitationId })).status).toBe(400);
    expect(await claims(bob)).toMatchObject({ tenant: organizationId, roles: ['organization:member'] });
    expect((await eve.post('/auth/organization/set-active', { organizationId })).status).toBe(403);
    expect((await eve.post('/auth/update-session', { activeOrganizationId: organizationId })).status).toBeGreaterThanOrEqual(400);
    expect(await claims(eve)).not.toHaveProperty('tenant');
    const memberIdOrEmail = 'bob@example.com';
    expect((await bob.post('/auth/organization/remove-member', { memberIdOrEmail, organizationId })).status).toBeGreaterThanOrEqual(400);
    expect((await ada.post('/auth/organization/remove-member', { memberIdOrEmail, organizationId })).status).toBe(200);
    expect(await claims(bob)).not.toHaveProperty('tenant');
    expect(await claims(bob)).toMatchObject({ roles: [] });
  });

  test('whoever may invite there no longer brings nobody in, by no invitation of before', async () => {
    const [mal, again, owned] = [
      await world.member('mal@example.com'), await world.member('again@example.com'), await world.member('owned@example.com'),
    ];
    const accept = (person: Person, invitationId: string) => person.post('/auth/organization/accept-invitation', { invitationId });
    const memberId = String(((await accept(mal, await invite('mal@example.com', 'owner'))).json['member'] as { id: string }).id);
    const become = async (role: string) =>
      expect((await ada.post('/auth/organization/update-member-role', { memberId, role, organizationId })).status).toBe(200);
    const [asOwner, asAdmin] = [await invite('owned@example.com', 'owner', mal), await invite('again@example.com', 'admin', mal)];
    await become('admin');
    expect((await accept(owned, asOwner)).json).toMatchObject({ status: 403, code: 'inviter_gone' });
    await become('member');
    expect((await accept(again, asAdmin)).status).toBe(403);
    await become('admin');
    expect((await mal.post('/auth/organization/leave', { organizationId })).status).toBe(200);
    expect((await accept(again, asAdmin)).status).toBe(403);
    for (const person of [owned, again]) expect(await claims(person)).not.toHaveProperty('tenant');
    // Who still may is told of them, and sends others.
    expect((await ada.post('/auth/organization/cancel-invitation', { invitationId: asAdmin })).status).toBe(200);
    const anew = await ada.post('/auth/organization/invite-member', { email: 'again@example.com', role: 'admin', organizationId });
    expect((await accept(again, String(anew.json['id']))).status).toBe(200);
    expect(await claims(again)).toMatchObject({ tenant: organizationId, roles: ['organization:admin'] });
  });

  test('a role within one is no role of the API, whatever its owner writes', async () => {
    for (const role of ['editor', 'organization:admin', ['member', 'staff']]) {
      const asked = { email: 'kim@example.com', role, organizationId };
      expect((await ada.post('/auth/organization/invite-member', asked)).status).toBe(400);
    }
    await world.giveRoles('ada@example.com', ['editor', 'organization:member']);
    expect(await claims(ada)).toMatchObject({ roles: ['editor', 'organization:owner'] });
  });

  test('nobody makes an eleventh', async () => {
    const statuses: number[] = [];
    for (let made = 0; made < 11; made++) {
      statuses.push((await bob.post('/auth/organization/create', { name: 'One more', slug: `more-${made}` })).status);
    }
    expect(statuses.filter((status) => status === 200).length).toBe(10);
    expect(statuses.at(-1)).toBe(403);
  });
});
