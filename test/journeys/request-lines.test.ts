/** The log of edge and origin: a line a request, of what it may hold and of nothing else; levels, and what nobody caught. */
import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import { makeTempDir } from '../suites/store/sqlite-place.ts';
import { disposedAfterEach } from '../support/disposals.ts';
import { eventually } from '../support/eventually.ts';
import { createFilm, toFilm } from '../support/film.ts';
import { freePort } from '../support/free-port.ts';
import { Program } from '../support/program.ts';
import { testKeys } from '../support/scripted-origin.ts';
import { type Asking, type Engine, type Stack, startWorld, type World } from '../support/whole-world.ts';

type Line = Readonly<Record<string, unknown>>;

/** What the lines of requests are made of, whoever writes them. */
const members = new Set([
  'level', 'time', 'event', 'msg', 'requestId', 'traceId', 'operation', 'resource', 'method', 'status', 'principal', 'ms', 'bytes',
  'cache', 'reason', 'refused', 'facts', 'detail', 'err', 'cause',
]);

const linesOf = (text: string): readonly Line[] =>
  text.split('\n').filter((line) => line.startsWith('{')).map((line) => JSON.parse(line) as Line);

/** Each engine and each stack once. */
const worldsOfTwo: readonly (readonly [Engine, Stack])[] = [['sqlite', 'workerd'], ['mongodb', 'one process']];

describe.each(worldsOfTwo)('on %s in %s', (engine, stack) => {
  let world: World;
  const edgeLog: string[] = [];
  beforeAll(async () => void (world = await startWorld({ engine, stack, logLevel: 'debug', onEdgeLog: (line) => edgeLog.push(line) })));
  afterAll(() => world.close());

  const all = () => `${edgeLog.join('\n')}\n${world.origin.output}`;
  const ofRequest = (id: string | null, count: number) => eventually(`lines of ${id}`, () => {
    const found = linesOf(all()).filter(({ requestId }) => requestId === id);
    return found.length >= count ? found : undefined;
  });

  test('both sides tell of a request under one id and one trace, and of who asked by one keyed hash', async () => {
    const subject = `teller ${crypto.randomUUID()}`;
    const token = await world.token({ subject });
    const traceId = crypto.randomUUID().replaceAll('-', '');
    const headers = { traceparent: `00-${traceId}-00f067aa0ba902b7-01` };
    const answer = await world.request('/v2/films', { token, headers, json: toFilm() });
    expect(answer.status).toBe(201);
    const [one, other] = await ofRequest(answer.headers.get('x-request-id'), 2);
    const same = { traceId, operation: 'create', resource: 'films', status: 201 };
    for (const line of [one, other]) {
      expect(line).toMatchObject({ ...same, principal: one?.['principal'], ms: expect.any(Number) });
    }
    expect(one?.['principal']).toMatch(/^[\w-]{12}$/);
    const again = await world.request('/v2/films?nope=1', { token });
    const [refused] = await ofRequest(again.headers.get('x-request-id'), 1);
    expect(refused).toMatchObject({ principal: one?.['principal'], reason: 'query_invalid', status: 400, operation: 'list' });
    for (const text of [subject, `tombolo-log ${subject}`]) {
      const hash = new Bun.CryptoHasher('sha256').update(text).digest('base64url');
      expect(hash.startsWith(String(one?.['principal']))).toBe(false);
    }
  });

  test('an answer of the cache has a line of the edge alone, which says so', async () => {
    const { path } = await createFilm(world);
    const { headers } = await world.mustHit(path);
    const lines = await ofRequest(headers.get('x-request-id'), 1);
    expect(lines).toEqual([expect.objectContaining({ operation: 'get', resource: 'films', status: 200, cache: 'hit' })]);
    expect(lines[0]).not.toHaveProperty('principal');
  });

  test('nothing that was sent or is kept stands in a line, however it is asked', async () => {
    const secret = `planted${crypto.randomUUID().replaceAll('-', '')}`;
    const subject = `s-${secret}`;
    const token = await world.token({ subject, roles: ['editor', 'staff'], tenant: 'odeon' });
    const ask = (path: string, asking: Asking = {}) => world.request(path, { token, ...asking });
    const made = JSON.parse((await ask('/v2/keys', { json: { name: secret, scopes: ['films:read'] } })).text) as { readonly key: string };
    const ticket = (JSON.parse((await ask('/v2/live/tickets', { method: 'POST' })).text) as { readonly ticket: string }).ticket;
    const order = { tenant: 'odeon', film: crypto.randomUUID(), seats: 1, buyer: secret, staffNote: secret };
    expect((await ask('/v2/orders', { json: order })).status).toBe(201);
    const planted = [secret, token, made.key, made.key.slice(-40), ticket];
    const headers = { cookie: secret, 'idempotency-key': secret, 'x-api-key': secret, referer: `http://a.test/?${secret}` };
    const ndjson = { ...headers, 'content-type': 'application/x-ndjson' };
    const asked = await Promise.all([
      ask('/v2/films', { headers, json: { ...toFilm(), title: secret } }),
      ask('/v2/films', { headers, json: { ...toFilm(), title: secret } }),
      ask('/v2/films', { headers, json: { ...toFilm(), title: `other ${secret}` } }),
      ask('/v2/films', { headers, json: { [secret]: secret, year: secret } }),
      ask('/v2/films', { method: 'POST', headers, body: `{"title":"${secret}` }),
      ask('/v2/orders?limit=2', { headers }),
      ask(`/v2/films?title=${secret}`), ask(`/v2/films?${secret}=1`), ask(`/v2/films?year=${secret}`), ask(`/v2/films?after=${secret}`),
      ask(`/v2/${secret}`), ask(`/${secret}/films`), ask(`/v2/films/${secret}`), ask(`/v2/films/${crypto.randomUUID()}?x=${secret}`),
      ask('/v2/films', { token: `${token.slice(0, -3)}AAA` }), ask('/v2/films', { token: secret }),
      ask('/v2/films', { token: made.key }), ask('/v2/films', { token: `${made.key.slice(0, -1)}x`, headers }),
      ask('/v2/films/import', { method: 'POST', headers: ndjson, body: `{"title":"${secret}"}\n{"title":"${secret}` }),
      ask('/v2/films/import', { method: 'POST', headers: { ...ndjson, prefer: 'respond-async' }, body: `{"${secret}":1}\n` }),
      ask('/v2/films', { headers: { ...headers, 'if-match': secret, accept: secret, range: secret } }),
      ask('/v2/films', { headers: { traceparent: secret, tracestate: `a=${secret}`, 'tombolo-position': secret, 'api-version': secret } }),
      world.request(`/v2/orders/changes?ticket=${ticket}x`), world.request(`/v2/orders/changes?ticket=${secret}`),
      world.request('/v2/orders', { headers: { authorization: `Basic ${btoa(secret)}` } }),
      fetch(`${world.origin.url}/v2/films?${secret}`, { headers: { authorization: `Bearer ${secret}`, 'signature-input': secret } }),
    ]);
    const statuses = new Set(asked.map(({ status }) => status));
    for (const status of [200, 201, 400, 401, 404, 422]) expect([...statuses]).toContain(status);
    for (const answer of asked) if (answer.headers.has('x-request-id')) await ofRequest(answer.headers.get('x-request-id'), 1);
    const said = all();
    expect(planted.filter((text) => said.includes(text))).toEqual([]);
    for (const key of world.keys.split(',').flatMap((each) => each.split(':').slice(1))) expect(said.includes(key)).toBe(false);
    const requests = linesOf(said).filter(({ event, msg }) => /^request/.test(String(event ?? msg)));
    expect(requests.length).toBeGreaterThan(asked.length);
    expect(requests.flatMap((line) => Object.keys(line)).filter((name) => !members.has(name))).toEqual([]);
  });
});

const project = join(import.meta.dir, '../..');
const disposals = disposedAfterEach();

function startOrigin(variables: Readonly<Record<string, string>>, before: readonly string[] = []): Program {
  const program = new Program([process.execPath, ...before, join(project, 'origin/main.ts')], {
    cwd: project,
    env: {
      ...process.env, MONGODB_URI: '', TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: makeTempDir(), TOMBOLO_ORIGIN_PORT: String(freePort()),
      TOMBOLO_LOG_LEVEL: 'silent', ...variables,
    },
  });
  disposals.push(() => program.kill());
  return program;
}

test('the password of a database that is away stands nowhere', async () => {
  const password = `planted${crypto.randomUUID()}`;
  const program = startOrigin({
    MONGODB_URI: `mongodb://ada:${password}@127.0.0.1:${freePort()}/films?serverSelectionTimeoutMS=300`, TOMBOLO_LOG_LEVEL: 'debug',
  });
  expect((await program.ended(40_000)).code).not.toBe(0);
  expect(program.output).toContain('cannot start');
  expect(program.output).not.toContain(password);
}, 60_000);

test('SIGUSR2 has every request told, and the next one no more', async () => {
  const port = freePort();
  const program = startOrigin({ TOMBOLO_ORIGIN_PORT: String(port) });
  await program.says(/listening on port/);
  const ask = () => fetch(`http://127.0.0.1:${port}/v2/films`);
  await ask();
  program.signal('SIGUSR2');
  await program.says(/"level":"debug"/);
  expect(program.output).not.toContain('hop_unsigned');
  await ask();
  await program.says(/hop_unsigned/);
  program.signal('SIGUSR2');
  await program.says(/"level":"silent"/);
  const before = program.output;
  await ask();
  program.signal('SIGTERM');
  expect((await program.ended()).code).toBe(0);
  expect(program.output).toBe(before);
}, 60_000);

test.each(['exception', 'rejection'])('an uncaught %s is logged, and the services stop in order', async (what) => {
  const dir = makeTempDir();
  const bug = join(dir, 'bug.ts');
  const thrown = `new Error('a bug that nobody foresaw')`;
  const does = what === 'exception' ? `setTimeout(() => { throw ${thrown}; }, 0)` : `void Promise.reject(${thrown})`;
  await Bun.write(bug, `process.once('SIGHUP', () => ${does});\n`);
  const program = startOrigin({ TOMBOLO_DATA_DIR: dir, TOMBOLO_LOG_LEVEL: 'info' }, ['--preload', bug]);
  await program.says(/listening on port/);
  program.signal('SIGHUP');
  expect((await program.ended()).code).toBe(70);
  const fatal = linesOf(program.output).filter(({ level }) => level === 'fatal');
  expect(fatal).toEqual([expect.objectContaining({ err: expect.objectContaining({ message: 'a bug that nobody foresaw' }) })]);
  // What SQLite leaves where it was not closed.
  expect(await Bun.file(join(dir, 'tombolo.sqlite-wal')).exists()).toBe(false);
}, 60_000);
