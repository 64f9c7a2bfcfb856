/** Plans in real workerd: what is let through, what is refused and how, and what it costs to decide. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { eventually } from '../support/eventually.ts';
import { parseList } from '../support/structured-fields.ts';
import { codeOf, World } from '../support/world.ts';

const workerModule = 'test/workerd/workers/limits.worker.ts';
const persistDir = mkdtempSync(join(tmpdir(), 'tombolo-counters-'));
let world: World;
beforeAll(async () => {
  world = await World.start({
    workerModule,
    persistDir,
    silent: true,
    corsOrigins: 'https://app.test',
    variables: { TOMBOLO_ANONYMOUS_PLAN: '' },
  });
  world.origin.script = () => ({ status: 200, body: '{"data":[]}', headers: { 'content-type': 'application/json' } });
});
afterAll(async () => {
  await world.close();
  rmSync(persistDir, { recursive: true, force: true });
});

let callers = 0;

/** The headers of a caller whom no counter has seen before. */
async function caller(plan?: string): Promise<Readonly<Record<string, string>>> {
  const payload = { sub: `usr_${++callers}`, ...(plan === undefined ? {} : { plan }) };
  return { authorization: `Bearer ${await world.issuer.token('ed', { payload })}` };
}

const ask = (headers: Readonly<Record<string, string>>, path = '/v2/notes', init: RequestInit = {}) =>
  fetch(world.edge.url + path, { ...init, headers: { ...headers, ...init.headers } });
const statuses = async (headers: Readonly<Record<string, string>>, times: number) =>
  Promise.all(Array.from({ length: times }, async () => (await ask(headers)).status));
const passed = (all: readonly number[]) => all.filter((status) => status === 200).length;
const counters = async (way?: string): Promise<{ asked: number }> =>
  (await ask({}, `/.test/counters${way === undefined ? '' : `?way=${way}`}`)).json() as Promise<{ asked: number }>;

describe('a limit', () => {
  test.each([
    ['ten', 10],
    ['twenty', 20],
  ])('of the plan "%s" lets exactly %d of 200 requests pass that come at once', async (plan, limit) => {
    const all = await statuses(await caller(plan), 200);
    expect(passed(all)).toBe(limit);
    expect(all.filter((status) => status === 429)).toHaveLength(200 - limit);
  });

  test('that is leased is not exceeded either, and nearly all of it is given out', async () => {
    const all = passed(await statuses(await caller('hundred'), 300));
    expect(all).toBeLessThanOrEqual(100);
    expect(all).toBeGreaterThanOrEqual(95);
  });

  test('is kept per caller, and per address for whoever is not signed in', async () => {
    const [one, other] = [await caller('ten'), await caller('ten')];
    await statuses(one, 10);
    expect((await ask(one)).status).toBe(429);
    expect((await ask(other)).status).toBe(200);
    expect(passed(await statuses({ 'cf-connecting-ip': '192.0.2.1' }, 8))).toBe(5);
    expect(passed(await statuses({ 'cf-connecting-ip': '192.0.2.2' }, 8))).toBe(5);
  });

  test('is one for all addresses of an IPv6 network', async () => {
    const all = await Promise.all(
      Array.from({ length: 8 }, async (_, index) => (await ask({ 'cf-connecting-ip': `2001:db8:1:2::${index}` })).status),
    );
    expect(passed(all)).toBe(5);
  });

  test('is charged what the resource says that a request costs', async () => {
    const headers = await caller('ten');
    const answers = [
      await ask(headers, '/v2/ledgers'), await ask(headers, '/v2/ledgers'), await ask(headers, '/v2/ledgers'), await ask(headers),
      await ask(headers), await ask(headers),
    ];
    expect(answers.map(({ status }) => status)).toEqual([200, 200, 429, 200, 200, 429]);
  });

  test('is kept per address for webhooks of others, whatever source they name', async () => {
    const from = (address: string, source: string) => fetch(`${world.edge.url}/v2/incoming/${source}`, {
      method: 'POST', body: '{}', headers: {
        'content-type': 'application/json', 'cf-connecting-ip': address, 'stripe-signature': 't=1,v1=ab', 'x-other': 'no',
        'tombolo-delivery': '{"address":"::1"}',
      },
    });
    const seen = world.origin.seen.length;
    const answers = await Promise.all(['payments', 'none', 'payments', 'other', 'payments', 'none', 'payments', 'none']
      .map(async (source) => (await from('192.0.2.77', source)).status));
    expect(answers.filter((status) => status === 429)).toHaveLength(3);
    expect(world.origin.seen.length - seen).toBe(5);
    expect((await from('192.0.2.78', 'payments')).status).toBe(200);
    // Whether an address is among those of its source is asked at the origin, which is told the edge's own.
    const told = (at: number) => world.origin.seen.at(at)?.headers.get('tombolo-delivery');
    expect(JSON.parse(told(-1) ?? '')).toEqual({ address: '192.0.2.78', headers: { 'stripe-signature': 't=1,v1=ab' } });
    await from('192.0.2.78', 'nowhere');
    expect(told(-1)).toBeNull();
  });

  test('outlives the objects that count', async () => {
    const headers = await caller('ten');
    expect(passed(await statuses(headers, 7))).toBe(7);
    await world.edge.restart();
    expect(passed(await statuses(headers, 50))).toBe(3);
  });
});

describe('what is refused before anyone is known is charged to its address:', () => {
  const forged = { authorization: `Bearer ${'eyJhbGciOiJFZERTQSIsImtpZCI6ImVkIn0.eyJzdWIiOiJhIn0.'}${'A'.repeat(86)}` };
  test.each([
    ['forged tokens', '/v2/notes', { headers: forged }, 401],
    ['what is no token', '/v2/notes', { headers: { authorization: 'Basic YTpi' } }, 401],
    ['invented tickets', `/v2/notes/changes?ticket=tkt_${'a'.repeat(43)}`, {}, 401],
    ['paths that are nowhere', '/v2/nothing', {}, 404],
    ['methods that a path does not have', '/v2/notes', { method: 'PUT' }, 405],
    ['unsigned reports', '/.tombolo/changes', { method: 'POST', body: '{}' }, 401],
    [
      'preflights of foreign pages',
      '/v2/notes',
      { method: 'OPTIONS', headers: { origin: 'https://evil.test', 'access-control-request-method': 'GET' } },
      403,
    ],
    ['headers past their bound', '/v2/notes', { headers: { 'if-match': `"${'x'.repeat(1_100)}"` } }, 431],
  ] as const)('%s', async (_, path, init, status) => {
    const headers = { 'cf-connecting-ip': `198.51.100.${++callers}` };
    const { asked: before } = await counters();
    const answers = [];
    for (let round = 0; round < 30; round++) answers.push(await ask(headers, path, init));
    expect(answers.map((answer) => answer.status)).toEqual([...new Array<number>(5).fill(status), ...new Array<number>(25).fill(429)]);
    expect(answers.at(-1)?.headers.get('retry-after')).toMatch(/^\d+$/);
    // A counter that has refused is not asked again while nothing leaves its window.
    expect((await counters()).asked - before).toBeLessThanOrEqual(6);
    // Whoever brings a good token from behind that address is let in.
    expect((await ask({ ...headers, ...(await caller('ten')) })).status).toBe(200);
  });

  test('many at once, from behind a leased plan, for a few questions', async () => {
    const leased = await World.start({ silent: true, variables: { TOMBOLO_ANONYMOUS_PLAN: '' } });
    const answers: number[] = [];
    for (let batch = 0; batch < 14; batch++) {
      answers.push(
        ...(await Promise.all(
          Array.from({ length: 50 }, async () => (await leased.get('/v2/nothing', { 'cf-connecting-ip': '192.0.2.9' })).status),
        )),
      );
    }
    await leased.close();
    expect(answers.filter((status) => status === 404).length).toBeGreaterThanOrEqual(280);
    expect(answers.filter((status) => status === 404).length).toBeLessThanOrEqual(600);
    expect(answers.filter((status) => status === 429).length).toBeGreaterThanOrEqual(100);
  });
});

describe('several windows', () => {
  test('are decided together: what one refuses is not charged to another', async () => {
    const headers = await caller('double');
    expect(passed(await statuses(headers, 30))).toBe(4);
    const refused = await ask(headers);
    expect(((await refused.json()) as Record<string, unknown>)['violated-policies']).toEqual(['second']);
    // The window of a second must pass.
    await Bun.sleep(1_100);
    expect(passed(await statuses(headers, 30))).toBe(2);
    expect(((await (await ask(headers)).json()) as Record<string, unknown>)['violated-policies']).toEqual(['minute']);
  });
});

describe('a lease', () => {
  test('lets a thousand requests pass for a few questions', async () => {
    const headers = await caller();
    const { asked: before } = await counters();
    for (let round = 0; round < 50; round++) expect(passed(await statuses(headers, 20))).toBe(20);
    const { asked } = await counters();
    expect(asked - before).toBeLessThan(40);
  });

  test('is told in the headers as what is left of the plan', async () => {
    const headers = await caller('hundred');
    const left = [];
    for (let round = 0; round < 6; round++) left.push(parseList((await ask(headers)).headers.get('ratelimit') ?? '')[0]?.parameters['r']);
    expect(left).toEqual([99, 98, 97, 96, 95, 94]);
  });
});

describe('an answer that was counted', () => {
  test('says so in structured fields, refusals behind the limit included', async () => {
    const headers = await caller('double');
    for (const response of [await ask(headers), await ask(headers, '/v2/notes?nope=1')]) {
      expect(parseList(response.headers.get('ratelimit-policy') ?? '')).toEqual([
        { value: 'second', parameters: { q: 4, w: 1 } },
        { value: 'minute', parameters: { q: 6, w: 60 } },
      ]);
      const limits = parseList(response.headers.get('ratelimit') ?? '');
      expect(limits.map(({ value }) => value)).toEqual(['second', 'minute']);
      for (const { parameters } of limits) expect(parameters).toEqual({ r: expect.any(Number), t: expect.any(Number) });
    }
    expect((await ask(headers)).headers.get('ratelimit')).toMatch(/^"second";r=1;t=1, "minute";r=3;t=(59|60)$/);
  });

  test('that is refused is the registered problem, and says when to come back', async () => {
    const headers = await caller('ten');
    await statuses(headers, 10);
    const response = await ask(headers, '/v2/notes', { headers: { origin: 'https://app.test' } });
    expect(await response.json()).toEqual({
      'violated-policies': ['minute'],
      type: 'https://iana.org/assignments/http-problem-types#quota-exceeded',
      title: 'Request cannot be satisfied as assigned quota has been exceeded',
      status: 429,
      detail: 'plan "ten": 10 in 60 s',
      instance: `urn:tombolo:request:${response.headers.get('x-request-id')}`,
      traceId: response.headers.get('x-request-id')?.slice('req_'.length),
      code: 'limit_exceeded',
    });
    const [limit] = parseList(response.headers.get('ratelimit') ?? '');
    expect(limit?.parameters['r']).toBe(0);
    expect(Number(response.headers.get('retry-after'))).toBeGreaterThanOrEqual(Number(limit?.parameters['t']));
    expect(response.headers.get('access-control-expose-headers')).toMatch(/RateLimit, RateLimit-Policy, Retry-After/);
  });

  test('is none of those before the limit: preflights and health', async () => {
    const preflight = await ask({ origin: 'https://app.test', 'access-control-request-method': 'GET' }, '/v2/notes', { method: 'OPTIONS' });
    for (const response of [preflight, await ask({}, '/health')]) {
      expect([response.headers.get('ratelimit'), response.headers.get('tombolo-limits')]).toEqual([null, null]);
    }
  });
});

test('a plan that nobody declared is the default one, and is counted in the log', async () => {
  const response = await ask(await caller('gold'));
  expect(response.headers.get('ratelimit-policy')).toStartWith('"minute";q=100000;');
  expect((await world.logged('limit.plan_unknown')).map((line) => JSON.parse(line) as unknown)).toEqual([
    { level: 'warn', event: 'limit.plan_unknown', plan: 'gold', applied: 'leased', seen: 1 },
  ]);
});

describe('while the counters cannot be asked', () => {
  const note = { method: 'POST', headers: { 'content-type': 'application/json' }, body: '{"text":"a"}' };

  test('reads pass, as far as the plan goes for this isolate alone', async () => {
    const headers = await caller('ten');
    await counters('cut');
    const answers = await Promise.all(Array.from({ length: 14 }, () => ask(headers)));
    await counters('open');
    expect(passed(answers.map(({ status }) => status))).toBe(10);
    for (const { status, headers: told } of answers) {
      expect(parseList(told.get('tombolo-limits') ?? '')).toEqual([{ value: 'unavailable', parameters: { policy: 'allow' } }]);
      expect([told.get('ratelimit'), told.get('ratelimit-policy')]).toEqual([null, null]);
      if (status === 429) expect(Number(told.get('retry-after'))).toBeGreaterThan(0);
    }
  });

  test('writes are refused, and what a resource declares otherwise is done', async () => {
    const headers = await caller('ten');
    await counters('cut');
    const [write, read, declaredWrite] = [
      await ask(headers, '/v2/notes', note),
      await ask(headers, '/v2/ledgers'),
      await ask(headers, '/v2/ledgers', note),
    ];
    await counters('open');
    for (const response of [write, read]) {
      expect(response.status).toBe(503);
      expect(response.headers.get('tombolo-limits')).toBe('unavailable;policy=refuse');
      expect(response.headers.get('ratelimit')).toBeNull();
      expect(response.headers.get('retry-after')).toBe('1');
      expect(await codeOf(response)).toBe('limits_unavailable');
    }
    expect(declaredWrite.status).toBe(200);
    expect(declaredWrite.headers.get('tombolo-limits')).toBe('unavailable;policy=allow');
  });

  test('a slow counter is waited for once, and not by the requests that follow', async () => {
    const headers = await caller('ten');
    await counters('slow');
    const began = performance.now();
    const first = await ask(headers);
    // The counter itself takes a minute.
    expect([first.status, performance.now() - began < 30_000]).toEqual([200, true]);
    // It is asked again after a moment, which two requests of a busy machine may lie apart.
    await eventually('one that follows asks nobody', async () => {
      const { asked } = await counters();
      const follows = await ask(headers);
      return follows.status === 200 && (await counters()).asked === asked;
    });
    await counters('open');
  });
});
