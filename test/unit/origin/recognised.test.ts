/** Requests like one that the cache answered are recognised: they are answered as those that walk every stage, and as limited. */
import { afterAll, beforeAll, expect, setSystemTime, test } from 'bun:test';
import { Database } from 'bun:sqlite';
import fc from 'fast-check';
import { toPipeline } from '../../../edge/pipeline.ts';
import { toArrival } from '../../../edge/request/arrive.ts';
import { toOrigin } from '../../../origin/one-process/ask.ts';
import { openHost } from '../../../origin/one-process/host.ts';
import { startPurge } from '../../../origin/purge/start-purge.ts';
import { type Plans, plans } from '../../../shared/limits/plans.ts';
import { served } from '../../../shared/resources/all.ts';
import { films } from '../../../shared/resources/films.ts';
import { orders } from '../../../shared/resources/orders.ts';
import { eventually } from '../../support/eventually.ts';
import { toFilm } from '../../support/film.ts';
import { Issuer } from '../../support/issuer.ts';
import { OpenedOrigin } from '../../support/opened-origin.ts';
import { unitsLeft } from '../../support/units-left.ts';
import { testKeys } from '../../support/scripted-origin.ts';

type Fields = Readonly<Record<string, string>>;
type Ask = (target: string, fields?: Fields) => Promise<Response>;

const id = '01890a5d-ac96-774b-bcce-b302099a8057';
const film = `/v2/films/${id}`;
const issuer = new Issuer();
let published: ReturnType<typeof Bun.serve>;
let origin: OpenedOrigin;
let ask: Ask;
/** Two members of one tenant, one of another, and staff: what each may see of `/v2/orders` differs, but of the first two. */
let callers: Readonly<Record<'ada' | 'ann' | 'bob' | 'sue', string>>;

beforeAll(async () => {
  await issuer.addKey('first');
  published = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: async () => Response.json(await issuer.jwks()) });
  const bearer = async (sub: string, tenant: string, roles: readonly string[] = []) =>
    `Bearer ${await issuer.token('first', { payload: { sub, tenant, roles } })}`;
  callers = {
    ada: await bearer('ada', 'odeon'), ann: await bearer('ann', 'odeon'), bob: await bearer('bob', 'rex'),
    sue: await bearer('sue', 'odeon', ['staff']),
  };
  origin = await OpenedOrigin.on('sqlite', served);
  await origin.put(films, id, toFilm());
  for (const [index, tenant] of ['odeon', 'rex'].entries()) {
    const order = { tenant, film: id, seats: 2, buyer: 'ada', status: 'placed', staffNote: `a note of ${tenant}` };
    const at = '2026-01-01T00:00:00.000Z';
    await origin.put(orders, id.replace(/.$/, String(index)), { ...order, rev: 1, createdAt: at, updatedAt: at });
  }
  ask = await openEdge(planOf(1_000_000_000));
});
afterAll(async () => {
  await published.stop(true);
  await origin[Symbol.asyncDispose]();
});

function planOf(limit: number): Plans {
  return plans({ anonymous: 'only', signedIn: 'only', plans: { only: [{ limit, seconds: 60 }] } });
}

/** An edge in this process; in development, whose answers say which stages they passed. Counters answer after `counted`. */
async function openEdge(offered: Plans, counted: () => Promise<void> = async () => undefined): Promise<Ask> {
  const none = 'https://none.example.invalid';
  const { host, coordinator } = openHost({ file: new Database(':memory:'), shared: undefined }, 1e9, {
    variables: {
      TOMBOLO_ENV: 'development', TOMBOLO_KEYS: testKeys, TOMBOLO_ORIGIN_URL: none, TOMBOLO_MEMO_MS: '100',
      TOMBOLO_ISSUER: issuer.issuer, TOMBOLO_AUDIENCE: issuer.audience, TOMBOLO_JWKS_URL: published.url.href,
    },
    toOrigin: () => toOrigin(origin.context, () => undefined),
    addressOf: () => '192.0.2.1',
    asset: async () => new Response(),
  });
  await startPurge(origin.context, 'the edge of a test', async (report) => coordinator.report(report, Date.now()));
  const askCounter: typeof host.askCounter = async (...asked) => {
    await counted();
    return host.askCounter(...asked);
  };
  const answer = toPipeline({ ...host, askCounter }, { contract: served, plans: offered });
  const ask: Ask = async (target, fields = {}) => {
    const raw = new Request(`http://api.test${target}`, { headers: fields });
    return answer(toArrival(raw, { TOMBOLO_ENV: 'development' }, (work) => void work.catch(() => undefined)));
  };
  await eventually('a hit', async () => (await ask(film)).headers.get('cache-status') === 'tombolo; hit');
  return ask;
}

/** Whether it passed the stages between. */
const isRecognised = ({ headers }: Response): boolean => !headers.get('server-timing')?.includes('validate;');

/** What an answer says, without what differs between any two: generations may be known at one moment and not at the next. */
async function told(answer: Response): Promise<unknown> {
  const ofTheMoment = new Set(['x-request-id', 'age', 'cache-status', 'ratelimit', 'server-timing']);
  // A request that brings no trace names one like itself.
  const text = (await answer.text()).replaceAll((answer.headers.get('x-request-id') ?? '').slice('req_'.length), '');
  return [answer.status, [...answer.headers].filter(([name]) => !ofTheMoment.has(name)), text];
}

test('a target that was answered before is recognised, and no other', async () => {
  await eventually('it is recognised', async () => isRecognised(await ask(film)));
  expect(isRecognised(await ask(film, { 'user-agent': 'another' }))).toBe(true);
  expect(isRecognised(await ask(`${film}?fields=title`))).toBe(false);
  expect(isRecognised(await ask(film, { 'cache-control': 'no-cache' }))).toBe(false);
});

test('who signed in is recognised by themselves, and is answered as they are', async () => {
  const told = async (caller: keyof typeof callers) => {
    const answer = await ask('/v2/orders', { authorization: callers[caller] });
    const { data } = await answer.json() as { data: readonly { readonly tenant: string; readonly staffNote?: string }[] };
    return { isRecognised: isRecognised(answer), sees: data.map(({ tenant, staffNote }) => [tenant, staffNote]) };
  };
  const sees: Readonly<Record<keyof typeof callers, (string | undefined)[][]>> = {
    ada: [['odeon', undefined]], ann: [['odeon', undefined]], bob: [['rex', undefined]], sue: [['odeon', 'a note of odeon']],
  };
  for (const caller of ['ada', 'ann', 'bob', 'sue'] as const) {
    // What another was recognised for is no reason to take this one for them.
    expect(await told(caller)).toEqual({ isRecognised: false, sees: sees[caller] });
    await eventually(`${caller} is recognised`, async () => (await told(caller)).isRecognised);
  }
  for (const caller of ['sue', 'bob', 'ada', 'ann', 'sue'] as const) expect((await told(caller)).sees).toEqual(sees[caller]);
  expect((await ask('/v2/orders')).status).toBe(401);
  expect((await ask('/v2/orders', { authorization: `${callers.ada}x` })).status).toBe(401);
});

test('whoever was recognised is refused as soon as their token is not taken any more', async () => {
  await eventually('they are recognised', async () => isRecognised(await ask('/v2/orders', { authorization: callers.ada })));
  setSystemTime(Date.now() + 400_000);
  try {
    expect((await ask('/v2/orders', { authorization: callers.ada })).status).toBe(401);
  } finally {
    setSystemTime();
  }
});

test('whatever is sent, a recognised request is answered as one that walks every stage', async () => {
  const targets = [
    film, `${film}?fields=title`, '/v2/films?limit=2', '/v2/orders', `/v2/films/${id.replace('7', '8')}`, '/v2/films?limit=no', '/v1/films',
  ];
  const etag = (await ask(film)).headers.get('etag') ?? '';
  const values: Readonly<Record<string, readonly string[]>> = {
    'accept': ['*/*', 'application/json', 'text/html', 'application/vnd.tombolo.v1+json'],
    'accept-language': ['de', 'en'],
    'api-version': ['v1', 'v2', 'v9'],
    'authorization': ['Bearer a.b.c', 'Basic x', ...Object.values(callers)],
    'cache-control': ['no-store', 'no-cache', 'max-age=0'],
    'content-length': ['0', '99999999999'],
    'content-type': ['application/json', 'text/plain'],
    'if-match': [etag, '"other"', 'bad'],
    'if-none-match': [etag, '"other"', '*', 'bad'],
    'last-event-id': ['1'],
    'origin': ['https://page.example'],
    'tombolo-position': ['forged'],
    'traceparent': [`00-${'a'.repeat(32)}-${'b'.repeat(16)}-01`],
  };
  const field = fc.constantFrom(...Object.entries(values)).chain(([name, texts]) => fc.tuple(fc.constant(name), fc.constantFrom(...texts)));
  let recognised = 0;
  await fc.assert(fc.asyncProperty(fc.constantFrom(...targets), fc.array(field, { maxLength: 2 }), async (target, sent) => {
    const given = Object.fromEntries(sent);
    for (let turn = 0; turn < 2; turn++) await ask(target, given);
    const answer = await ask(target, given);
    if (isRecognised(answer) && answer.status === 200) recognised++;
    // A cookie that says nothing to this API is a reason to read the whole request.
    const whole = await ask(target, { ...given, cookie: 'theme=dark' });
    expect(isRecognised(whole) && whole.status === 200).toBe(false);
    expect(await told(answer)).toEqual(await told(whole));
  }), { numRuns: 500 });
  expect(recognised).toBeGreaterThan(20);
});

test('a recognised request is counted, and refused past the limit', async () => {
  const limited = await openEdge(planOf(100));
  const statuses: [boolean, number][] = [];
  for (let turn = 0; turn < 100; turn++) {
    const answer = await limited(film);
    statuses.push([isRecognised(answer), answer.status]);
  }
  expect(statuses).toContainEqual([true, 200]);
  expect(statuses.at(-1)).toEqual([true, 429]);
  expect(statuses.filter(([, status]) => status === 200).length).toBeLessThan(100);
});

test('a recognised request shows what was written, within the bound', async () => {
  await eventually('it is recognised', async () => isRecognised(await ask(film)));
  await origin.put(films, id, toFilm({ title: 'Changed' }));
  await eventually('the change', async () => (await (await ask(film)).text()).includes('Changed'), { msMax: 2_000 });
});

test('a recognised request that waits for its counter shows what was written meanwhile', async () => {
  const offered = plans({
    anonymous: 'free', signedIn: 'few',
    plans: { free: [{ limit: 1e9, seconds: 60 }], few: { windows: [{ limit: 1e9, seconds: 60 }], concurrent: 10 } },
  });
  let counted = Promise.resolve();
  const edge = await openEdge(offered, () => counted);
  const titleFor = async (fields: Fields) => {
    const answer = await edge(film, fields);
    return { isRecognised: isRecognised(answer), title: (await answer.json() as { readonly title: string }).title };
  };
  const [ada, bob] = [{ authorization: callers.ada }, { authorization: callers.bob }];
  await origin.put(films, id, toFilm({ title: 'Before' }));
  await eventually('it is recognised', async () => Bun.deepEquals(await titleFor(ada), { isRecognised: true, title: 'Before' }));
  const { promise, resolve } = Promise.withResolvers<void>();
  counted = promise;
  const waits = titleFor(ada);
  counted = Promise.resolve();
  await origin.put(films, id, toFilm({ title: 'Meanwhile' }));
  await eventually('others see it', async () => (await titleFor(bob)).title === 'Meanwhile');
  resolve();
  expect(await waits).toEqual({ isRecognised: true, title: 'Meanwhile' });
});

test('what is refused costs a recognised request as much as one that walks every stage', async () => {
  const target = '/v2/films?limit=200';
  const few = await openEdge(planOf(30));
  const left = async (given: Response) => [given.status, unitsLeft(given.headers)];
  // Of 30 units one is spent by whoever opened it, at least; four are a list's of 200.
  let [status, units] = [200, 30];
  while (units >= 4 && status === 200) [status = 0, units = 0] = await left(await few(target));
  expect(units).toBeLessThan(4);
  const [recognised, walked] = [await left(await few(target)), await left(await few(target, { cookie: 'theme=dark' }))];
  expect([recognised[0], walked[0]]).toEqual([429, 429]);
  expect([recognised[1], walked[1]]).toEqual([Math.max(0, units - 1), Math.max(0, units - 2)]);
});

test('a list costs by how many it asks for, recognised or not', async () => {
  const few = await openEdge(planOf(10_000));
  const left = async (target: string) => unitsLeft((await few(target)).headers);
  for (const [limit, cost] of [[1, 1], [50, 1], [51, 2], [200, 4]] as const) {
    const target = `/v2/films?limit=${limit}`;
    await eventually('it is recognised', async () => isRecognised(await few(target)));
    const before = await left(film);
    expect([limit, before - (await left(target))]).toEqual([limit, cost]);
    // Another field that is read: all stages are passed.
    const walked = await few(target, { 'cache-control': 'max-age=1000' });
    expect([limit, isRecognised(walked), before - cost - unitsLeft(walked.headers)]).toEqual([limit, false, cost]);
  }
});
