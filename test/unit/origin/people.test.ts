/** People (SEMANTICS §20) as the origin keeps them, on both engines: what they may do, and what nobody may. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { createLocalJWKSet, jwtVerify } from 'jose';
import { peopleHome, PeopleWorld } from '../../support/people-world.ts';
import { engines } from '../../support/whole-world.ts';

const password = 'correct horse battery';

describe.each(engines)('people on %s', (engine) => {
  let world: PeopleWorld;
  beforeAll(async () => void (world = await PeopleWorld.open(engine)));
  afterAll(() => world[Symbol.asyncDispose]());

  test('sign up, prove their address, sign in, get a token of five minutes, and sign out', async () => {
    const ada = world.person();
    expect((await ada.signUp('ada@example.com', password)).status).toBe(200);
    expect((await ada.signIn('ada@example.com', password)).json).toMatchObject({ status: 403, code: 'email_not_verified' });
    expect((await ada.verify('ada@example.com')).status).toBe(200);
    const { status, cookies } = await ada.signIn('ada@example.com', password);
    expect(status).toBe(200);
    expect(cookies[0]).toMatch(/^__Host-tombolo\.session_token=[^;]+; Max-Age=604800; Path=\/; HttpOnly; Secure; SameSite=Lax$/);
    const { token, claims } = await ada.token();
    const keys = await world.people.keySet();
    const { payload, protectedHeader } = await jwtVerify(token, createLocalJWKSet(keys), { issuer: peopleHome, audience: 'tombolo' });
    expect(protectedHeader.alg).toBe('ES256');
    expect(Number(payload.exp) - Number(payload.iat)).toBe(300);
    expect(claims).toMatchObject({ roles: [] });
    expect((await ada.post('/auth/sign-out')).status).toBe(200);
    expect((await ada.get('/auth/token')).status).toBe(401);
  });

  test('roles that an operator gave stand in tokens, and nobody gives them to themselves', async () => {
    const asked = { name: 'Mallory', email: 'mallory@example.com', password, roles: ['admin'] };
    expect((await world.person().post('/auth/sign-up/email', asked)).status).toBe(400);
    const editor = await world.member('editor@example.com');
    expect((await editor.post('/auth/update-user', { roles: ['admin'] })).status).toBe(400);
    await world.giveRoles('editor@example.com', ['editor']);
    expect((await editor.token()).claims).toMatchObject({ roles: ['editor'] });
  });

  test('see their sessions and end the others', async () => {
    const here = await world.member('two@example.com');
    const there = world.person('192.0.2.9');
    await there.signIn('two@example.com', password);
    const sessions = JSON.parse((await here.get('/auth/list-sessions')).text) as { token: string; ipAddress: string }[];
    expect(sessions.map(({ ipAddress }) => ipAddress).sort()).toEqual(['192.0.2.1', '192.0.2.9']);
    const other = sessions.find(({ ipAddress }) => ipAddress === '192.0.2.9');
    expect((await here.post('/auth/revoke-session', { token: other?.token })).status).toBe(200);
    expect([(await there.get('/auth/token')).status, (await here.get('/auth/token')).status]).toEqual([401, 200]);
    const others = [world.person('192.0.2.10'), world.person('192.0.2.11')];
    for (const other of others) await other.signIn('two@example.com', password);
    const bystander = await world.member('bystander@example.com');
    expect((await here.post('/auth/revoke-other-sessions')).status).toBe(200);
    const statuses = [here, bystander, ...others].map(async (each) => (await each.get('/auth/token')).status);
    expect(await Promise.all(statuses)).toEqual([200, 200, 401, 401]);
  });

  test('change their password, and choose another by mail, which ends every session', async () => {
    const ben = await world.member('ben@example.com');
    const change = { currentPassword: password, newPassword: 'another horse battery' };
    expect((await ben.post('/auth/change-password', { ...change, currentPassword: 'not this one' })).status).toBe(400);
    expect((await ben.post('/auth/change-password', change)).status).toBe(200);
    expect((await world.person().signIn('ben@example.com', password)).status).toBe(401);
    await world.person().post('/auth/request-password-reset', { email: 'ben@example.com' });
    const token = (await world.mailTo('ben@example.com', 2)).trimEnd().split('\n').at(-1);
    const reset = { token, newPassword: 'a third horse battery' };
    expect((await world.person().post('/auth/reset-password', reset)).status).toBe(200);
    expect((await world.person().post('/auth/reset-password', reset)).status).toBe(400);
    expect((await ben.get('/auth/token')).status).toBe(401);
    expect((await world.person().signIn('ben@example.com', 'a third horse battery')).status).toBe(200);
  });

  test('nothing tells whether somebody has an account', async () => {
    await world.member('known@example.com');
    const shape = ({ status, json }: { status: number; json: object }) => ({
      status, json: JSON.parse(JSON.stringify(json).replace(/"(id|email|createdAt|updatedAt)":"[^"]*"/g, '"$1":""')) as object,
    });
    const both = async (path: string, more: object = {}) => {
      const [known, unknown] = [await world.person().post(path, { email: 'known@example.com', ...more }),
        await world.person().post(path, { email: 'unknown@example.com', ...more })];
      expect(shape(known)).toEqual(shape(unknown));
      return known.status;
    };
    expect(await both('/auth/sign-in/email', { password: 'wrong horse battery' })).toBe(401);
    expect(await both('/auth/request-password-reset')).toBe(200);
    expect(await both('/auth/send-verification-email')).toBe(200);
    expect(await both('/auth/sign-up/email', { name: 'Somebody', password })).toBe(200);
    // Whose address it is learns of it by mail.
    expect(await world.mailTo('known@example.com', 3)).toContain('has an account');
  });

  test('a refusal is a problem document that names the field', async () => {
    const { status, headers, json } = await world.person().signUp('no address', password);
    expect(status).toBe(400);
    expect(headers['content-type']).toBe('application/problem+json');
    expect(json).toMatchObject({ status: 400, instance: 'urn:tombolo:request:req_test', errors: [{ at: '/email', in: 'body' }] });
    expect((await world.person().signUp('short@example.com', 'short')).json).toMatchObject({ code: 'password_too_short' });
    expect((await world.person().get('/auth/nowhere')).json).toMatchObject({ status: 404, code: 'route_not_found' });
  });

  test('what the database holds opens nothing: passwords are Argon2id, session tokens, links and keys are not in plain text', async () => {
    const eve = await world.member('eve@example.com');
    await eve.get('/auth/token');
    await eve.post('/auth/request-password-reset', { email: 'eve@example.com' });
    const link = (await world.mailTo('eve@example.com', 2)).trimEnd().split('\n').at(-1) ?? '';
    const [session = ''] = decodeURIComponent(eve.cookies.get('__Host-tombolo.session_token') ?? '').split('.');
    const kept = await everythingKept();
    expect(link.length).toBeGreaterThan(20);
    for (const secret of [session, link, password, '"d":']) expect(kept).not.toContain(secret);
    expect(kept).toContain('$argon2id$v=19$m=19456,t=2,p=1$');
    // What stands for a session in the database and in lists is no session.
    const digest = (JSON.parse((await eve.get('/auth/list-sessions')).text) as { token: string }[])[0]?.token ?? '';
    expect(kept).toContain(digest);
    const thief = world.person();
    for (const value of [digest, `${digest}.${digest}`]) {
      thief.cookies.set('__Host-tombolo.session_token', encodeURIComponent(value));
      expect((await thief.get('/auth/token')).status).toBe(401);
    }
  });

  test('what is over is removed, and looked for by an index', async () => {
    const { sweep } = await world.people.opened();
    await world.member('old@example.com');
    expect(await countOf('session')).toBeGreaterThan(0);
    world.aheadMs = 8 * 86_400_000;
    await sweep();
    world.aheadMs = 0;
    expect([await countOf('session'), await countOf('verification'), await countOf('attempt')]).toEqual([0, 0, 0]);
    expect(await indexesOf('session')).toContain('expiresAt');
    expect(await indexesOf('account')).toContain('providerId,accountId');
  });

  const sqlite = () => new Database(join(world.dataDir, 'people.sqlite'));
  const collection = (name: string) => world.database?.foreign.collection(`tombolo_people_${name}`);

  async function everythingKept(): Promise<string> {
    if (world.database === undefined) {
      sqlite().run('PRAGMA wal_checkpoint(TRUNCATE)');
      return readFileSync(join(world.dataDir, 'people.sqlite'), 'latin1');
    }
    const names = (await world.database.foreign.listCollections().toArray()).map(({ name }) => name);
    expect(names.every((name) => name.startsWith('tombolo_people_'))).toBe(true);
    return JSON.stringify(await Promise.all(names.map((name) => world.database?.foreign.collection(name).find().toArray())));
  }

  async function countOf(name: string): Promise<number> {
    if (engine === 'mongodb') return (await collection(name)?.countDocuments()) ?? Number.NaN;
    return (sqlite().query(`SELECT count(*) AS n FROM ${name}`).get() as { n: number }).n;
  }

  async function indexesOf(name: string): Promise<readonly string[]> {
    if (engine === 'mongodb') return ((await collection(name)?.indexes()) ?? []).map(({ key }) => Object.keys(key).join());
    const asked = 'SELECT group_concat(i.name) AS fields FROM pragma_index_list(?) AS l, pragma_index_info(l.name) AS i GROUP BY l.name';
    return (sqlite().query(asked).all(name) as { fields: string }[]).map(({ fields }) => fields);
  }
});
