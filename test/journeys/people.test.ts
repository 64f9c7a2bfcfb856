/** The newcomer's path: somebody signs up, gets a token and writes a review of their own, which is nobody else's. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { mailFileOf } from '../../origin/people/mail.ts';
import { eventually } from '../support/eventually.ts';
import { createFilm } from '../support/film.ts';
import { memberIn, password, personIn } from '../support/person-in-world.ts';
import { signHop } from '../support/signed-hop.ts';
import { type Asking, type Engine, type Stack, startWorld, type World } from '../support/whole-world.ts';

const home = 'https://api.example.com';
const page = 'https://app.example.com';
const json = { 'content-type': 'application/json' };

/** Over the hop, and inside one process; each engine once. */
const worlds: readonly (readonly [Engine, Stack])[] = [['mongodb', 'workerd'], ['sqlite', 'one process']];

describe.each(worlds)('people on %s in %s', (engine, stack) => {
  let world: World;
  beforeAll(async () => void (world = await startWorld({ engine, stack, people: home, corsOrigins: page, logLevel: 'info' })));
  afterAll(() => world.close());

  const mails = () => readFileSync(mailFileOf(world.dataDir), 'utf8');
  const member = async (email: string) => (await memberIn(world, email)).person;

  test('sign up, verify, sign in, review: one\'s own is listed, another\'s is refused', async () => {
    const { film: { id: film } } = await createFilm(world);
    const ada = await member('ada@example.com');
    const [{ token, claims }, { token: other }] = [await ada.token(), await (await member('ben@example.com')).token()];
    const made = await world.request('/v2/reviews', { token, json: { film, rating: 4, text: 'Better the second time.' } });
    expect(made.status).toBe(201);
    const { id, author } = JSON.parse(made.text) as { id: string; author: string };
    expect(author).toBe(String(claims['sub']));
    const listed = await world.request(`/v2/reviews?author=${author}`, { token });
    expect(listed.text).toContain(id);
    expect((await world.request(`/v2/reviews?author=${author}`, { token: other })).text).not.toContain(id);
    expect((await world.request(`/v2/reviews/${id}`, { method: 'DELETE', token: other })).status).toBe(404);
    expect((await world.request('/v2/films', { token, json: { title: 'Mine', year: 2_000 } })).status).toBe(403);
  });

  test('a refusal is counted by its reason, and says no more in the log', async () => {
    const refused = () => [...world.origin.output.matchAll(/^.*"reason":"people:(\w+)".*$/gm)].map(([line, reason]) => ({ line, reason }));
    const before = refused().length;
    expect((await personIn(world).signIn('nobody@example.com', password)).status).toBe(401);
    expect((await personIn(world).post('/auth/refresh', { refreshToken: 'tbr_none' })).status).toBe(401);
    const lines = await eventually('two lines', () => refused().length === before + 2 && refused().slice(before));
    expect(lines.map(({ reason }) => reason)).toEqual(['invalid_email_or_password', 'refresh_invalid']);
    expect(lines.filter(({ line }) => /nobody@|tbr_/.test(line))).toEqual([]);
  });

  test('an organisation is a tenant: its orders are seen by whom its owner invited, and by nobody else', async () => {
    const { film: { id: film } } = await createFilm(world);
    const [ada, bob, eve] = [await member('ada@odeon.example'), await member('bob@odeon.example'), await member('eve@odeon.example')];
    const { json: { id: tenant } } = await ada.post('/auth/organization/create', { name: 'Odeon', slug: 'odeon' });
    await eve.post('/auth/organization/create', { name: 'Eve', slug: 'eve' });
    await ada.post('/auth/organization/invite-member', { email: 'bob@odeon.example', role: 'member' });
    const invitationId = await eventually('an invitation', () => mails().match(/To: bob@odeon[^]*accept invitation (\S+)/)?.[1]);
    expect((await bob.post('/auth/organization/accept-invitation', { invitationId })).status).toBe(200);
    const [{ token }, { token: bobs }, { token: eves }] = [await ada.token(), await bob.token(), await eve.token()];
    const order = { tenant, film, seats: 2, buyer: 'ada' };
    const made = await world.request('/v2/orders', { token, json: order });
    expect(made.status).toBe(201);
    const { id } = JSON.parse(made.text) as { id: string };
    const seen = async (by: string) => (await world.request('/v2/orders', { token: by })).text.includes(id);
    expect([await seen(token), await seen(bobs), await seen(eves)]).toEqual([true, true, false]);
    expect((await world.request(`/v2/orders/${id}`, { token: eves })).status).toBe(404);
    expect((await world.request('/v2/orders', { token: eves, json: order })).status).toBe(403);
    // An owner of an organisation is nobody's staff, and changes no film.
    const paid = { method: 'PATCH', token, headers: { 'content-type': 'application/merge-patch+json' }, body: '{"status":"paid"}' };
    expect((await world.request(`/v2/orders/${id}`, paid)).status).toBe(403);
  });

  test('nothing below /auth is kept, and of cookies only ours go on', async () => {
    const ada = await member('kept@example.com');
    for (const path of ['/auth/token', '/auth/get-session', '/auth/nowhere']) {
      const { headers } = await ada.get(path);
      expect(headers['cache-control']).toBe('no-store');
      expect(headers['x-content-type-options']).toBe('nosniff');
    }
    ada.cookies.set('other', 'x'.repeat(5_000));
    expect((await ada.get('/auth/token')).status).toBe(200);
    ada.cookies.set('__Host-tombolo.more', 'x'.repeat(5_000));
    expect((await ada.get('/auth/token')).json).toMatchObject({ status: 431, code: 'headers_too_large' });
  });

  test('what cookies do is done by our own pages and declared ones alone', async () => {
    const ada = await member('pages@example.com');
    const cookie = [...ada.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const signOut = (headers: Readonly<Record<string, string>>) =>
      world.request('/auth/sign-out', { json: {}, headers: { cookie, ...headers } });
    for (const headers of [{}, { origin: 'https://evil.example' }, { origin: 'null' }, { 'sec-fetch-site': 'cross-site' }]) {
      const refused = await signOut(headers);
      expect([refused.status, JSON.parse(refused.text)]).toMatchObject([403, { code: 'origin_not_allowed' }]);
    }
    // Nor may a page sign somebody in to another's account.
    const forced = { json: { email: 'pages@example.com', password }, headers: { 'sec-fetch-site': 'cross-site' } };
    expect((await world.request('/auth/sign-in/email', forced)).status).toBe(403);
    expect((await ada.get('/auth/token')).status).toBe(200);
    const preflight = await world.request('/auth/sign-out', {
      method: 'OPTIONS', headers: { origin: page, 'access-control-request-method': 'POST' },
    });
    const allowed = await signOut({ origin: page });
    for (const { headers } of [preflight, allowed]) {
      expect(headers.get('access-control-allow-origin')).toBe(page);
      expect(headers.get('access-control-allow-credentials')).toBe('true');
    }
    expect(allowed.status).toBe(200);
    expect((await ada.get('/auth/token')).status).toBe(401);
  });

  test('a declared page reads with cookies what the edge itself refuses below /auth, and nothing elsewhere', async () => {
    const readable = async (path: string, { origin = page, ...asking }: Asking & { readonly origin?: string }) => {
      const { status, headers } = await world.request(path, { ...asking, headers: { ...asking.headers, origin } });
      return [status, headers.get('access-control-allow-origin'), headers.get('access-control-allow-credentials')];
    };
    const large = { json: { name: 'x'.repeat(40_000) } };
    const [signUp, session] = ['/auth/sign-up/email', '/auth/get-session'];
    expect(await readable(signUp, large)).toEqual([413, page, 'true']);
    expect(await readable(session, { token: 'not.a.token' })).toEqual([401, page, 'true']);
    expect(await readable(session, { method: 'PUT' })).toEqual([405, page, 'true']);
    expect(await readable(session, { headers: { 'x-long': 'x'.repeat(20_000) } })).toEqual([431, page, 'true']);
    expect(await readable(signUp, { ...large, origin: 'https://evil.example' })).toEqual([403, null, null]);
    for (const path of ['/v2/films?limit=1', '/openapi.json', '/authors']) expect((await readable(path, {}))[2]).toBeNull();
  });

  test('bounds have answers', async () => {
    const large = await world.request('/auth/sign-up/email', { json: { name: 'x'.repeat(40_000) } });
    expect([large.status, JSON.parse(large.text)]).toMatchObject([413, { code: 'body_too_large' }]);
    const form = new URLSearchParams({ email: 'ada@example.com', password }).toString();
    const headers = { 'content-type': 'application/x-www-form-urlencoded' };
    expect((await world.request('/auth/sign-in/email', { method: 'POST', headers, body: form })).status).toBe(415);
    const put = await world.request('/auth/token', { method: 'PUT', headers: json, body: '{}' });
    expect([put.status, put.headers.get('allow')]).toEqual([405, 'GET, POST, OPTIONS']);
  });

  test('whoever forges an address does not escape the count of tries', async () => {
    const statuses: number[] = [];
    for (let tries = 0; tries < 6; tries++) {
      const forged = `203.0.113.${tries}`;
      const headers = { 'x-forwarded-for': forged, 'tombolo-address': forged, 'x-real-ip': forged };
      statuses.push((await world.request('/auth/sign-in/email', { json: { email: 'forged@example.com', password }, headers })).status);
    }
    expect(statuses).toEqual([401, 401, 401, 401, 401, 429]);
    const ada = await member('session@example.com');
    const { text } = await ada.get('/auth/list-sessions');
    expect(text).not.toContain('203.0.113.');
  });

  if (stack === 'workerd') test('the origin believes the edge alone, and once', async () => {
    const body = JSON.stringify({ email: 'ada@example.com', password: 'wrong horse battery' });
    const headers = { ...json, 'tombolo-address': '192.0.2.1' };
    const input = { url: `${world.origin.url}/auth/sign-in/email`, method: 'POST', body, headers };
    expect((await fetch(input.url, { method: 'POST', headers: json, body })).status).toBe(401);
    const { url, init } = signHop(world.keys, input);
    expect((await fetch(url, init)).headers.get('tombolo-hop')).toBeNull();
    expect((await fetch(url, init)).headers.get('tombolo-hop')).toBe('hop_replayed');
    const uncovered = signHop(world.keys, { ...input, uncovered: ['content-digest'] });
    expect((await fetch(uncovered.url, uncovered.init)).headers.get('tombolo-hop')).toBe('hop_invalid');
  });
});

test('where people are off there is nothing below /auth', async () => {
  const world = await startWorld({ engine: 'sqlite', stack: 'one process' });
  expect((await world.request('/auth/sign-in/email', { json: {} })).status).toBe(404);
  expect((await world.request('/auth/token')).status).toBe(404);
  await world.close();
});
