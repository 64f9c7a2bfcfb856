/** API keys as a client brings them: told apart at the edge, asked of the origin once, and stopped when they are revoked. */
import { afterAll, beforeAll, describe, expect, spyOn, test } from 'bun:test';
import { served } from '../../../shared/resources/all.ts';
import { toKeyText } from '../../../shared/api-keys/key-text.ts';
import { ContractWorld, type WorldAnswer } from '../../support/contract-world.ts';
import { eventually } from '../../support/eventually.ts';
import { unitsLeft } from '../../support/units-left.ts';
import { engines } from '../../support/whole-world.ts';

/** The memo of these worlds, and what a report may take. */
const stoppedWithinMs = 100 + 250;
const randomBytes = (count: number) => crypto.getRandomValues(new Uint8Array(count));
const bearer = (text: string) => ({ authorization: `Bearer ${text}` });
const told = ({ status, json }: WorldAnswer) => [status, json['code']];

interface Made {
  readonly id: string;
  readonly key: string;
}

describe.each(engines)('on %s', (engine) => {
  let world: ContractWorld;
  const lines: string[] = [];
  const spies = (['info', 'warn', 'error'] as const).map((level) =>
    spyOn(console, level).mockImplementation((line: unknown) => void lines.push(String(line))));
  beforeAll(async () => {
    world = await ContractWorld.on(engine, served);
  }, 60_000);
  afterAll(async () => {
    spies.forEach((spy) => spy.mockRestore());
    await world[Symbol.asyncDispose]();
  });

  const token = async (sub = 'ed', claims: object = { roles: ['editor'] }) =>
    bearer(await world.issuer.token('ed', { payload: { sub, ...claims } }));
  const make = async (body: object = {}, headers?: Readonly<Record<string, string>>): Promise<Made> => {
    const json = { name: 'a', scopes: ['films:read'], ...body };
    const answer = await world.request('/v2/keys', { json, headers: headers ?? (await token()) });
    expect(told(answer)).toEqual([201, undefined]);
    expect(answer.headers.get('cache-control')).toBe('no-store');
    expect(answer.headers.get('location')).toBe(`/v2/keys/${String(answer.json['id'])}`);
    return { id: String(answer.json['id']), key: String(answer.json['key']) };
  };
  const films = (key: string, headers: Readonly<Record<string, string>> = {}) =>
    world.request('/v2/films', { headers: { ...bearer(key), ...headers } });
  /** So often that it comes from the cache, as a request that is recognised. */
  const filmsOften = async (key: string, headers: Readonly<Record<string, string>> = {}) =>
    eventually('a hit', async () => {
      const answer = await films(key, headers);
      expect(answer.status).toBe(200);
      return answer.headers.get('cache-status') === 'tombolo; hit';
    });
  const keysAsked = () => world.asked.filter((question) => question.includes('/.keys/') && question.startsWith('GET')).length;
  const revoke = async (id: string) => {
    const answer = await world.request(`/v2/keys/${id}`, { method: 'DELETE', headers: await token() });
    expect(answer.status).toBe(204);
  };

  test('a key is asked of the origin once, and its caller is counted and answered like any other', async () => {
    const { key } = await make();
    // What was read before the edge has heard of its making is old then, like any other document.
    await Bun.sleep(stoppedWithinMs);
    const before = keysAsked();
    for (let count = 0; count < 20; count++) expect((await films(key)).status).toBe(200);
    const last = await films(key);
    expect(keysAsked()).toBe(before + 1);
    expect(last.headers.get('cache-status')).toBe('tombolo; hit');
    expect(last.headers.get('ratelimit-policy')).toContain('q=600');
  });

  test('many that come at once with a key that nobody knows yet ask for it once', async () => {
    const { key } = await make();
    await Bun.sleep(stoppedWithinMs);
    const before = keysAsked();
    const all = await Promise.all(Array.from({ length: 30 }, () => films(key)));
    expect(new Set(all.map(({ status }) => status))).toEqual(new Set([200]));
    expect(keysAsked()).toBe(before + 1);
  });

  test('a key does what its scopes and its maker’s rules both allow', async () => {
    const { key } = await make({ scopes: ['films:list', 'films:create', 'reviews:*'] });
    const film = { title: 'M', year: 1931 };
    expect(told(await films(key))).toEqual([200, undefined]);
    const created = await world.request('/v2/films', { json: film, headers: bearer(key) });
    expect(created.status).toBe(201);
    const one = `/v2/films/${String(created.json['id'])}`;
    const restricted = await world.request(one, { headers: bearer(key) });
    const detail = 'the API key does not have the scope films:get';
    expect([told(restricted), restricted.json['detail']]).toEqual([[403, 'key_restricted'], detail]);
    expect(restricted.headers.get('www-authenticate')).toContain('insufficient_scope');
    expect(told(await world.request(one, { method: 'DELETE', headers: bearer(key) }))).toEqual([403, 'key_restricted']);
    const related = await world.request('/v2/reviews?author=ed&expand=film', { headers: bearer(key) });
    expect([told(related), related.json['detail']]).toEqual([[403, 'key_restricted'], 'the API key does not have the scope films:read']);
    const { key: ofReader } = await make({ scopes: ['films:*'], roles: [] });
    expect(told(await world.request('/v2/films', { json: film, headers: bearer(ofReader) }))).toEqual([403, 'forbidden']);
    expect(told(await world.request('/v2/films/top?genre=Comedy', { headers: bearer(ofReader) }))).toEqual([200, undefined]);
  });

  test('a transaction is allowed operation by operation', async () => {
    const { key } = await make({ scopes: ['films:create'] });
    const film = { op: 'create', resource: 'films', body: { title: 'M', year: 1931 } };
    const review = { op: 'create', resource: 'reviews', body: { film: crypto.randomUUID(), author: 'ed', rating: 4, text: 'Yes.' } };
    const carry = (operations: object[]) => world.request('/v2/transaction', { json: { operations }, headers: bearer(key) });
    expect(told(await carry([film]))).toEqual([200, undefined]);
    const refused = await carry([film, review]);
    expect([told(refused), refused.json['errors']]).toMatchObject([[403, 'key_restricted'], [{ at: '/operations/1' }]]);
  });

  test('an older version has the same keys', async () => {
    const answer = await world.request('/v1/keys', { json: { name: 'old', scopes: ['films:read'] }, headers: await token() });
    expect([answer.status, answer.headers.get('api-version'), answer.headers.get('location')]).toEqual(
      [201, 'v1', `/v1/keys/${String(answer.json['id'])}`],
    );
    expect((await world.request('/v1/films', { headers: bearer(String(answer.json['key'])) })).status).toBe(200);
    expect((await world.request(`/v1/keys/${String(answer.json['id'])}`, { headers: await token() })).json['name']).toBe('old');
  });

  test('what is broken is told without a question', async () => {
    const { key } = await make();
    const before = world.asked.length;
    const swapped = `${key.slice(0, 30)}${key[31]}${key[30]}${key.slice(32)}`;
    for (const text of [key.slice(0, -1) + (key.endsWith('0') ? '1' : '0'), ...(swapped === key ? [] : [swapped])]) {
      const answer = await films(text);
      expect([told(answer), answer.json['detail']]).toEqual(
        [[401, 'key_invalid'], 'the checksum of the API key does not hold: it was mistyped or cut off'],
      );
      expect(answer.headers.get('www-authenticate')).toStartWith('Bearer realm="tombolo", error="invalid_token"');
    }
    for (const text of [key.slice(0, -1), `${key}0`, 'tbk_', key.toUpperCase().replace('TBK', 'tbk')]) {
      expect(told(await films(text))).toEqual([401, 'key_invalid']);
    }
    expect(world.asked.length).toBe(before);
  });

  test('a key that nobody has is asked for once, and refused from memory then', async () => {
    const { id } = await make();
    await Bun.sleep(stoppedWithinMs);
    const guessed = toKeyText(id, randomBytes);
    const unknown = toKeyText('0'.repeat(24), randomBytes);
    const before = keysAsked();
    for (let count = 0; count < 5; count++) {
      for (const text of [guessed, unknown]) expect(told(await films(text))).toEqual([401, 'key_invalid']);
    }
    // The key of the one may have been rotated since it was read.
    expect(keysAsked()).toBe(before + 3);
  });

  test('a revoked key is taken nowhere any more, within the memo and a report', async () => {
    const { id, key } = await make();
    for (let count = 0; count < 3; count++) await filmsOften(key);
    await revoke(id);
    await Bun.sleep(stoppedWithinMs);
    for (let count = 0; count < 5; count++) expect(told(await films(key))).toEqual([401, 'key_invalid']);
  });

  test('a revoked key stops within that time while the origin is away, and another goes on', async () => {
    const [first, other] = [await make(), await make()];
    for (const { key } of [first, other]) expect((await films(key)).status).toBe(200);
    await revoke(first.id);
    world.isAway = true;
    try {
      await Bun.sleep(stoppedWithinMs);
      expect(told(await films(first.key))).toEqual([503, 'identity_unavailable']);
      const answer = await films(other.key);
      expect([answer.status, answer.headers.get('cache-status')]).toEqual([200, 'tombolo; hit']);
    } finally {
      world.isAway = false;
    }
    expect(told(await films(first.key))).toEqual([401, 'key_invalid']);
  });

  test('a key ends at its moment, however fresh what is known of it', async () => {
    const { key } = await make({ expiresAt: new Date(Date.now() + 1_500).toISOString() });
    await filmsOften(key);
    // Its end has come.
    await Bun.sleep(1_500);
    const answer = await films(key);
    expect([told(answer), answer.json['detail']]).toEqual([[401, 'key_invalid'], 'the API key has expired']);
  });

  test('a key is taken from its addresses and its origins alone', async () => {
    const here = await make({ addresses: ['10.0.0.0/8', '127.0.0.0/8', '::1'] });
    expect((await films(here.key)).status).toBe(200);
    const elsewhere = await make({ addresses: ['192.0.2.0/24', '2001:db8::/32'] });
    expect(told(await films(elsewhere.key))).toEqual([403, 'key_restricted']);
    const ofPage = await make({ origins: ['https://app.example'] });
    await filmsOften(ofPage.key, { origin: 'https://app.example' });
    await filmsOften(ofPage.key, { origin: 'https://app.example' });
    for (const headers of [{}, { origin: 'https://app.example.evil' }, { origin: 'null' }] as const) {
      expect(told(await films(ofPage.key, headers))).toEqual([403, 'key_restricted']);
    }
  });

  test('a plan of its own is counted alone', async () => {
    const admin = await token('root', { roles: ['admin'] });
    const { key } = await make({ plan: 'partner' }, admin);
    const left = ({ headers }: WorldAnswer) => unitsLeft(headers);
    const own = await films(key);
    expect(own.headers.get('ratelimit-policy')).toContain('q=30000');
    const before = left(await world.request('/v2/films', { headers: admin }));
    for (let count = 0; count < 5; count++) await films(key);
    expect(before - left(await world.request('/v2/films', { headers: admin }))).toBe(1);
  });

  test('a live feed ends when its key is revoked, and its ticket opens none', async () => {
    const { id, key } = await make({ scopes: ['reviews:changes'] });
    const ticketOf = async () => String((await world.request('/v2/live/tickets', { method: 'POST', headers: bearer(key) })).json['ticket']);
    const [opening, kept] = [await ticketOf(), await ticketOf()];
    const { stream } = await world.follow('/v2/reviews/changes', bearer(key));
    const { stream: byTicket } = await world.follow(`/v2/reviews/changes?ticket=${opening}`);
    expect(told(await world.request(`/v2/orders/changes?ticket=${await ticketOf()}`))).toEqual([403, 'key_restricted']);
    const ended = Promise.all([stream, byTicket].map(async (each) => {
      for (;;) if ((await each.next())?.name === 'reconnect') return true;
    }));
    await revoke(id);
    expect(await ended).toEqual([true, true]);
    await Bun.sleep(stoppedWithinMs);
    expect(told(await world.request(`/v2/reviews/changes?ticket=${kept}`))).toEqual([401, 'key_invalid']);
  });

  test('a key was last used in this minute, which costs a question now and then', async () => {
    const { id, key } = await make();
    const startedAt = Date.now();
    const before = world.asked.length;
    for (let count = 0; count < 30; count++) await films(key);
    const shown = await eventually('the use is noted', async () => {
      const { json } = await world.request(`/v2/keys/${id}`, { headers: await token() });
      return typeof json['lastUsedAt'] === 'string' ? json['lastUsedAt'] : undefined;
    }, { everyMs: 100 });
    expect(new Date(shown).getTime() % 60_000).toBe(0);
    expect(Date.parse(shown)).toBeGreaterThan(startedAt - 60_001);
    const told = world.asked.slice(before).filter((question) => question.includes('/.keys/used'));
    expect(told.length).toBeGreaterThan(0);
    expect(told.length).toBeLessThan(4);
  });

  test('what the edge asks for itself is no client’s to ask', async () => {
    const { id } = await make();
    for (const headers of [{}, await token(), await token('root', { roles: ['admin'] })]) {
      const one = `/v2/.keys/${id}`;
      for (const [method, path] of [['GET', one], ['OPTIONS', one], ['POST', '/v2/.keys/used'], ['GET', `/.keys/${id}`]] as const) {
        const answer = await world.request(path, { method, headers, ...(method === 'POST' ? { json: { used: [] } } : {}) });
        expect([method, path, ...told(answer)]).toEqual([method, path, 404, 'route_not_found']);
      }
    }
  });

  test('no key is in a log or in the database', async () => {
    const { id, key } = await make();
    await films(key);
    await films(`${key.slice(0, -1)}-`);
    const rotated = await world.request(`/v2/keys/${id}/rotate`, { json: {}, headers: await token() });
    const texts = [key, String(rotated.json['key'])];
    await films(texts[1] ?? '');
    await world.request('/v2/films', { method: 'PUT', headers: bearer(key) });
    const { store } = world.origin.context;
    const { position } = await store.list(served.resources.get('films') ?? never(), everything, { deadline: Date.now() + 5_000 });
    const images: string[] = [];
    for await (const batch of store.watch({ ...position, order: await firstOrder() }, AbortSignal.timeout(10_000))) {
      if ('lost' in batch) throw new Error('history is lost');
      images.push(JSON.stringify(batch.changes));
      if (batch.through.order >= position.order) break;
    }
    expect(images.join()).toContain(id);
    const written = [...lines, ...world.origin.log.map((line) => JSON.stringify(line)), ...images].join('\n');
    for (const text of texts) {
      expect(text).toHaveLength(77);
      for (let at = 28; at + 16 <= 71; at += 8) expect(written).not.toContain(text.slice(at, at + 16));
    }

    async function firstOrder(): Promise<string> {
      return begun;
    }
  });

  let begun = '';
  beforeAll(async () => {
    begun = (await world.origin.context.store.head()).order;
  });
});

const everything = { equal: {}, range: undefined, sort: [{ field: 'id', descending: false }], where: true, after: undefined, limit: 1 };

function never(): never {
  throw new Error('there is no such resource');
}
