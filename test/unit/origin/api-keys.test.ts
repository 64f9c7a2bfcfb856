/** API keys at the origin: who makes, sees, rotates and revokes which, what of it is kept, and what the edge is told. */
import { afterAll, describe, expect, test } from 'bun:test';
import { execute } from '../../../origin/execute.ts';
import type { Credential } from '../../../shared/api-keys/credential.ts';
import { keyLimits } from '../../../shared/api-keys/limits.ts';
import { isWhole } from '../../../shared/api-keys/key-text.ts';
import { apiKeyOperations as rows } from '../../../shared/api-keys/operations.ts';
import { apiKeys, apiKeyUses } from '../../../shared/api-keys/resource.ts';
import { served } from '../../../shared/resources/all.ts';
import { offered } from '../../../shared/resources/plans.ts';
import type { Principal } from '../../../shared/wire/principal.ts';
import { type DirectAnswer, type DirectAsking, DirectOrigin } from '../../support/direct-origin.ts';

const ada: Principal = { subject: 'ada', roles: ['editor', 'staff'], claims: { tenant: 'odeon', department: 'sales' } };
const bob: Principal = { subject: 'bob', roles: [], claims: {} };
const odeonAdmin: Principal = { subject: 'olga', roles: ['admin'], claims: { tenant: 'odeon' } };
const admin: Principal = { subject: 'root', roles: ['admin'], claims: {} };
const nobody: Principal = { roles: [], claims: {} };

const hashOf = (text: unknown) => new Bun.CryptoHasher('sha256').update(String(text)).digest('hex');

describe.each(['sqlite', 'mongodb'] as const)('API keys on %s', async (engine) => {
  const origin = await DirectOrigin.on(engine, served, { plans: offered });
  afterAll(() => origin[Symbol.asyncDispose]());

  const ask = (name: keyof typeof rows, asking: DirectAsking): Promise<DirectAnswer> => origin.askBy(rows[name], execute, apiKeys, asking);
  const make = (principal: Principal, body: object = {}) =>
    ask('makeKey', { principal, body: { name: 'a', scopes: ['films:read'], ...body } });
  const made = async (principal: Principal, body?: object) => {
    const answer = await make(principal, body);
    expect(answer.outcome).toBe('created');
    return { id: String(answer.json['id']), key: String(answer.json['key']), shown: answer.json };
  };
  const listed = async (principal: Principal) => {
    const { json } = await ask('listKeys', { principal, query: '?limit=200' });
    return (json['data'] as { id: string }[]).map(({ id }) => id);
  };

  test('are shown once, and kept as their SHA-256 alone', async () => {
    const { id, key, shown } = await made(ada, { name: 'report' });
    expect(shown).toMatchObject({ name: 'report', owner: 'ada', tenant: 'odeon', roles: ['editor', 'staff'], scopes: ['films:read'] });
    expect(key).toMatch(/^tbk_[0-9a-f]{24}[0-9A-Za-z]{49}$/);
    expect([isWhole(key), isWhole(`${key.slice(0, -1)}${key.endsWith('x') ? 'y' : 'x'}`)]).toEqual([true, false]);
    const stored = await origin.stored(apiKeys, id);
    expect(stored?.['hash']).toBe(hashOf(key));
    expect(JSON.stringify(stored)).not.toContain(key.slice(28, 60));
    const again = await ask('getKey', { principal: ada, id });
    expect(again.json).toEqual(Object.fromEntries(Object.entries(shown).filter(([name]) => name !== 'key')));
    expect(again.text + (await ask('listKeys', { principal: ada })).text).not.toContain(hashOf(key));
  });

  test('of others are not there, but for an admin of their tenant, or of all', async () => {
    const [{ id: ofAda }, { id: ofBob }] = [await made(ada), await made(bob)];
    const sees = async (principal: Principal) => {
      const all = await listed(principal);
      const found = await Promise.all([ofAda, ofBob].map(async (id) => (await ask('getKey', { principal, id })).outcome === 'found'));
      expect([ofAda, ofBob].map((id) => all.includes(id))).toEqual(found);
      return found;
    };
    expect([await sees(ada), await sees(bob), await sees(odeonAdmin), await sees(admin)]).toEqual(
      [[true, false], [false, true], [true, false], [true, true]],
    );
    for (const name of ['revokeKey', 'rotateKey'] as const) {
      expect((await ask(name, { principal: bob, id: ofAda, body: '{}' })).outcome).toBe('document_not_found');
      expect((await ask(name, { principal: odeonAdmin, id: ofBob, body: '{}' })).outcome).toBe('document_not_found');
      expect((await ask(name, { principal: nobody, id: ofBob, body: '{}' })).outcome).toBe('token_missing');
    }
    // With its new text an admin would ask as somebody else.
    expect((await ask('rotateKey', { principal: admin, id: ofBob, body: '{}' })).outcome).toBe('forbidden');
    expect((await ask('revokeKey', { principal: odeonAdmin, id: ofAda })).outcome).toBe('removed');
    expect((await ask('getKey', { principal: ada, id: ofAda })).outcome).toBe('absent');
    expect((await ask('revokeKey', { principal: ada, id: ofAda })).outcome).toBe('document_not_found');
    expect((await ask('getKey', { principal: bob, id: ofBob })).outcome).toBe('found');
  });

  test('are found by the edge with what it judges by, and no longer once they are revoked', async () => {
    const bounds = { addresses: ['192.0.2.0/24'], origins: ['https://a.example'] };
    const { id, key } = await made(ada, { roles: ['editor'], ...bounds, expiresAt: '2099-01-01T00:00:00Z' });
    const found = await ask('findKey', { principal: nobody, id });
    expect(found.json).toEqual({
      hash: hashOf(key), previous: null, ...bounds, expiresAt: Date.UTC(2099, 0, 1),
      principal: { subject: 'ada', roles: ['editor'], claims: ada.claims, key: { id, scopes: ['films:read'] } },
    });
    expect(found.readAt).toBeDefined();
    await ask('revokeKey', { principal: ada, id });
    expect(await ask('findKey', { principal: nobody, id })).toMatchObject({ outcome: 'absent' });
  });

  test('are rotated with an overlap, and a second rotation ends the first text at once', async () => {
    const { id, key } = await made(bob);
    const rotate = (body: object = {}) => ask('rotateKey', { principal: bob, id, body });
    const found = async () => {
      const { hash, previous } = (await ask('findKey', { principal: nobody, id })).json as unknown as Credential;
      return { hash, previous: previous ?? { hash: 'none', until: 0 } };
    };
    const second = await rotate({ overlapSeconds: 60 });
    expect(second).toMatchObject({ outcome: 'created', json: { id, name: 'a' } });
    expect(second.json['key']).not.toBe(key);
    const { hash, previous } = await found();
    expect([hash, previous.hash]).toEqual([hashOf(second.json['key']), hashOf(key)]);
    expect(Math.abs(previous.until - Date.now() - 60_000)).toBeLessThan(5_000);
    const third = await rotate();
    const then = await found();
    expect([then.hash, then.previous.hash]).toEqual([hashOf(third.json['key']), hashOf(second.json['key'])]);
    expect(Math.abs(then.previous.until - Date.now() - keyLimits.overlapSeconds * 1_000)).toBeLessThan(5_000);
    expect((await ask('getKey', { principal: bob, id })).json).toHaveProperty('previousUntil');
    await rotate({ overlapSeconds: 0 });
    expect((await ask('getKey', { principal: bob, id })).json).not.toHaveProperty('previousUntil');
  });

  const refusals: readonly (readonly [what: string, principal: Principal, body: object, at: string])[] = [
    ['a role that its maker does not have', bob, { roles: ['editor'] }, '/roles/0'],
    ['the role of an admin', ada, { roles: ['editor', 'admin'] }, '/roles/1'],
    ['another tenant', ada, { tenant: 'ritz' }, '/tenant'],
    ['a tenant, by who has none', bob, { tenant: 'ritz' }, '/tenant'],
    ['another tenant, by an admin of one', odeonAdmin, { tenant: 'ritz' }, '/tenant'],
    ['a plan', ada, { plan: 'partner' }, '/plan'],
    ['a plan that is not declared', admin, { plan: 'partners' }, '/plan'],
    ['an operation that its maker may not ask for', bob, { scopes: ['films:read', 'films:create'] }, '/scopes/1'],
    ['an end that has passed', ada, { expiresAt: '2020-01-01T00:00:00Z' }, '/expiresAt'],
    ['a resource that is not there', ada, { scopes: ['filmz:read'] }, '/scopes/0'],
    ['keys', admin, { scopes: ['keys:makeKey'] }, '/scopes/0'],
    ['an operation that is not there', ada, { scopes: ['films:read', 'films:drop'] }, '/scopes/1'],
    ['an operation that only another resource has', ada, { scopes: ['films:changes'] }, '/scopes/0'],
    ['no scope at all', ada, { scopes: [] }, '/scopes'],
    ['a scope without an operation', ada, { scopes: ['films'] }, '/scopes/0'],
    ['too many scopes', ada, { scopes: Array.from({ length: 51 }, () => 'films:read') }, '/scopes'],
    ['an address that is none', ada, { addresses: ['192.0.2.256'] }, '/addresses/0'],
    ['a network that is none', ada, { addresses: ['192.0.2.0/24', '2001:db8::/129'] }, '/addresses/1'],
    ['an origin with a path', ada, { origins: ['https://a.example/'] }, '/origins/0'],
    ['the opaque origin', ada, { origins: ['null'] }, '/origins/0'],
    ['a hash of its own', ada, { hash: hashOf('x') }, '/hash'],
    ['another owner', admin, { owner: 'bob' }, '/owner'],
  ];

  test.each([...refusals])('is not made with %s', async (_what, principal, body, at) => {
    const before = await listed(admin);
    const answer = await make(principal, body);
    expect([answer.outcome, answer.errors.map((error) => error.at)]).toEqual(['document_invalid', [at]]);
    expect(await listed(admin)).toEqual(before);
  });

  test('are made by an admin of all for a tenant, and with a plan that is counted alone', async () => {
    const { id, shown } = await made(admin, { tenant: 'ritz', plan: 'partner', scopes: ['*:*'] });
    expect(shown).toMatchObject({ tenant: 'ritz', plan: 'partner' });
    expect((await ask('findKey', { principal: nobody, id })).json['principal']).toEqual({
      subject: 'root', roles: ['admin'], claims: { tenant: 'ritz', plan: 'partner' }, key: { id, scopes: ['*:*'], isCountedAlone: true },
    });
  });

  test('do not manage keys, whatever their scopes', async () => {
    const { id } = await made(ada);
    const asKey: Principal = { ...ada, roles: ['admin'], key: { id, scopes: ['*:*', 'keys:*'] } };
    for (const name of ['makeKey', 'listKeys', 'getKey', 'rotateKey', 'revokeKey'] as const) {
      expect((await ask(name, { principal: asKey, id, body: { name: 'b', scopes: ['films:read'] } })).outcome).toBe('key_restricted');
    }
    expect((await ask('getKey', { principal: ada, id })).outcome).toBe('found');
  });

  test('are not made again by an idempotency key, which would keep the text', async () => {
    const idempotencyKey = crypto.randomUUID();
    const body = { name: 'a', scopes: ['films:read'] };
    expect((await ask('makeKey', { principal: ada, body, idempotencyKey })).outcome).toBe('idempotency_refused');
    const { id } = await made(ada);
    expect((await ask('rotateKey', { principal: ada, id, body: {}, idempotencyKey })).outcome).toBe('idempotency_refused');
  });

  test('have been used when the latest edge says, which changes nothing of the key and goes with it', async () => {
    const { id } = await made(bob);
    const at = (minute: number) => new Date(Date.UTC(2026, 10, 1, 12, minute)).toISOString();
    const tell = (minute: number, ids = [id]) =>
      ask('noteKeyUses', { principal: nobody, body: { used: ids.map((each) => ({ id: each, at: at(minute) })) } });
    const { readAt: before } = await ask('findKey', { principal: nobody, id });
    const unknown = 'f'.repeat(24);
    await tell(5, [id, unknown]);
    await tell(3);
    expect((await ask('getKey', { principal: bob, id })).json['lastUsedAt']).toBe(at(5));
    expect((await ask('listKeys', { principal: bob, query: '?limit=200' })).text).toContain(`"lastUsedAt":"${at(5)}"`);
    expect(await origin.stored(apiKeyUses, unknown)).toBeUndefined();
    const changes: string[] = [];
    const end = await origin.context.store.head();
    for await (const batch of origin.context.store.watch(before ?? end, AbortSignal.timeout(5_000))) {
      if ('lost' in batch) break;
      changes.push(...batch.changes.map(({ resource }) => resource));
      if (batch.through.order >= end.order) break;
    }
    expect(changes).toEqual([apiKeyUses.name]);
    await ask('revokeKey', { principal: bob, id });
    expect(await origin.stored(apiKeyUses, id)).toBeUndefined();
  });

  test('are listed a page at a time, in the order of their making', async () => {
    const carol: Principal = { subject: 'carol', roles: [], claims: {} };
    const ids: string[] = [];
    for (let count = 0; count < 5; count++) ids.push((await made(carol)).id);
    const seen: string[] = [];
    for (let after: unknown = '', pages = 0; after !== null && pages < 9; pages++) {
      const { json } = await ask('listKeys', { principal: carol, query: `?limit=2${after === '' ? '' : `&after=${String(after)}`}` });
      seen.push(...(json['data'] as { id: string }[]).map(({ id }) => id));
      after = (json['page'] as { next: string | null }).next;
    }
    expect(seen.toSorted()).toEqual(ids.toSorted());
    expect(seen).toEqual(seen.toSorted());
    for (const query of ['?limit=0', '?limit=201', '?limit=x', '?after=x', '?owner=bob']) {
      expect((await ask('listKeys', { principal: carol, query })).outcome).toBe('query_invalid');
    }
  });

  test('are so many of one owner, and no more', async () => {
    const dora: Principal = { subject: 'dora', roles: [], claims: {} };
    for (let count = 5; count < keyLimits.ofOneMax; count++) await made(dora);
    const together = await Promise.all(Array.from({ length: 20 }, async () => (await make(dora)).outcome));
    expect(together.filter((outcome) => outcome === 'created').length).toBe(5);
    expect((await make(dora)).outcome).toBe('document_conflict');
    expect((await make(bob)).outcome).toBe('created');
  }, 30_000);

  test('keep no claims that would not go over the hop', async () => {
    const wide: Principal = { subject: 'eve', roles: [], claims: { groups: 'x'.repeat(keyLimits.principalCharactersMax) } };
    expect((await make(wide)).errors.map(({ at }) => at)).toEqual(['']);
  });
});
