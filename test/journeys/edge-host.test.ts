/** `npm run edge` and `npm run origin`, both in production with keys of their own: an API without Cloudflare. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { existsSync, mkdirSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { buildEdgeBundle } from '../../origin/dev/edge-bundle.ts';
import { runEdge } from '../../origin/edge-host/run-edge.ts';
import { mustEdgeHostSettings } from '../../origin/edge-host/settings.ts';
import { makeTempDir } from '../suites/store/sqlite-place.ts';
import { EventStream } from '../support/event-stream.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { Issuer } from '../support/issuer.ts';
import { Program, processesUnder } from '../support/program.ts';
import { testKeys } from '../support/scripted-origin.ts';

const project = join(import.meta.dir, '../..');
const [edgePort, originPort, edgeDir] = [freePort(), freePort(), makeTempDir()];
const url = `http://127.0.0.1:${edgePort}`;
const issuer = new Issuer();
const jwks = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: async () => Response.json(await issuer.jwks()) });
const both = { MONGODB_URI: '', TOMBOLO_ENV: 'production', TOMBOLO_KEYS: testKeys };
const [keysFile, metricsFile, metricsToken] = [join(edgeDir, 'keys'), join(edgeDir, 'metrics-token'), 'm'.repeat(43)];
const ofTheEdge = {
  TOMBOLO_DATA_DIR: edgeDir, TOMBOLO_EDGE_PORT: String(edgePort), TOMBOLO_ORIGIN_URL: `http://127.0.0.1:${originPort}`,
  TOMBOLO_ISSUER: issuer.issuer, TOMBOLO_AUDIENCE: issuer.audience, TOMBOLO_JWKS_URL: `http://127.0.0.1:${jwks.port}/`,
};
let origin: Program;
let edge: Program;

function start(script: string, variables: Readonly<Record<string, string>>): Program {
  return new Program([process.execPath, join(project, script)], { cwd: project, env: { ...process.env, ...both, ...variables } });
}

async function startEdge(): Promise<void> {
  const fromFiles = { TOMBOLO_KEYS: '', TOMBOLO_KEYS_FILE: keysFile, TOMBOLO_METRICS_TOKEN_FILE: metricsFile };
  edge = start('origin/edge-host/main.ts', { ...ofTheEdge, ...fromFiles });
  await edge.says(/^tombolo edge listening on /m);
}

beforeAll(async () => {
  await issuer.addKey('one');
  writeFileSync(keysFile, `${testKeys}\n`);
  writeFileSync(metricsFile, `${metricsToken}\n`);
  origin = start('origin/main.ts', { TOMBOLO_DATA_DIR: makeTempDir(), TOMBOLO_ORIGIN_PORT: String(originPort), TOMBOLO_EDGE_URLS: url });
  await Promise.all([origin.says(/listening on port/), startEdge()]);
}, 90_000);
afterAll(async () => {
  await edge.kill();
  await origin.kill();
  await jwks.stop(true);
});

interface Asking {
  readonly method?: string;
  readonly json?: object;
  readonly type?: string;
  readonly token?: string;
}

function ask(path: string, { method = 'GET', json, type = 'application/json', token = '' }: Asking = {}): Promise<Response> {
  return fetch(`${url}${path}`, {
    method, body: json === undefined ? null : JSON.stringify(json),
    headers: { 'content-type': type, ...(token === '' ? {} : { authorization: `Bearer ${token}` }) },
  });
}

const editor = () => issuer.token('one', { payload: { roles: ['editor'] } });
const isHit = async (path: string) => ((await ask(path)).headers.get('cache-status') ?? '').includes('hit');

test('serves who is signed in by a real issuer, caches, and hears of changes; a restart keeps tickets', async () => {
  const token = await editor();
  expect((await ask('/v2/films', { method: 'POST', json: { title: 'Nobody', year: 2_000 } })).status).toBe(401);
  const made = await ask('/v2/films', { method: 'POST', json: { title: 'Made', year: 2_000 }, token });
  expect(made.status).toBe(201);
  const path = `/v2/films/${((await made.json()) as { id: string }).id}`;
  await eventually('a hit', () => isHit(path));
  const patched = await ask(path, { method: 'PATCH', json: { title: 'Changed' }, token, type: 'application/merge-patch+json' });
  expect(patched.status).toBe(200);
  const titleOf = async () => ((await (await ask(path)).json()) as { title: string }).title;
  await eventually('the change', async () => (await titleOf()) === 'Changed', { msMax: 3_000 });
  const ticket = async () => ((await (await ask('/v2/live/tickets', { method: 'POST', token })).json()) as { ticket: string }).ticket;
  const [before, spent] = [await ticket(), await ticket()];
  const follow = (which: string) => ask(`/v2/reviews/changes?ticket=${which}`);
  await new EventStream(await follow(spent)).close();

  edge.signal('SIGTERM');
  expect((await edge.ended()).code).toBe(0);
  expect(processesUnder(edgeDir)).toEqual([]);
  await startEdge();
  expect((await follow(spent)).status).toBe(401);
  const stream = new EventStream(await follow(before));
  await stream.heardFrom();
  await stream.close();
  expect(await titleOf()).toBe('Changed');
  await eventually('a hit', () => isHit(path));
}, 120_000);

test('secrets that stand in files are the Worker\'s, and are not told', async () => {
  // That it is answered by the origin at all, above, is by the keys of a file.
  expect((await ask('/.tombolo/metrics', { token: metricsToken })).status).toBe(200);
  expect((await ask('/.tombolo/metrics', { token: 'n'.repeat(43) })).status).toBe(404);
  expect(edge.output).not.toContain(metricsToken);
});

test('of one file for both programs the Worker is given what it reads, and none of the origin’s secrets', () => {
  const names = ['TOMBOLO_PEOPLE_SECRET', 'TOMBOLO_SMTP_URL', 'TOMBOLO_KEYS_FILE', 'TOMBOLO_DATA_DIR', 'MONGODB_URI'];
  const ofTheOrigin = Object.fromEntries(names.map((name) => [name, 'planted']));
  const redis = { UPSTASH_REDIS_REST_URL: 'https://redis.example.com', UPSTASH_REDIS_REST_TOKEN: 'a-token-of-redis' };
  const { variables } = mustEdgeHostSettings({ ...both, ...ofTheEdge, ...ofTheOrigin, ...redis }, project);
  expect(JSON.stringify(variables)).not.toContain('planted');
  expect(variables).toMatchObject({ TOMBOLO_ENV: 'production', TOMBOLO_KEYS: testKeys, ...redis });
});

test('workerd that is killed is started again', async () => {
  const [workerd] = processesUnder(edgeDir).filter(({ command }) => command.includes('workerd') && command.includes('serve'));
  process.kill(workerd?.pid ?? 0, 'SIGKILL');
  await edge.says(/workerd ended unasked/);
  await eventually('an answer', async () => (await ask('/health').catch(() => undefined))?.status === 200, { msMax: 20_000 });
}, 60_000);

test('a cache past its bytes begins anew, and the edge serves on', async () => {
  const [port, dir, said] = [freePort(), makeTempDir(), [] as string[]];
  const settings = mustEdgeHostSettings({ ...both, ...ofTheEdge, TOMBOLO_DATA_DIR: dir, TOMBOLO_EDGE_PORT: String(port) }, project);
  const { dir: bundleDir } = await buildEdgeBundle(project);
  const say = (line: string): void => void said.push(line);
  const running = await runEdge({ ...settings, cacheBytesMax: 1_000_000 }, { bundleDir, say, lookEveryMs: 100 });
  const much = join(dir, 'edge-cache/much');
  mkdirSync(dirname(much), { recursive: true });
  writeFileSync(much, Buffer.alloc(2_000_000));
  await eventually('less is kept', () => !existsSync(much), { msMax: 20_000 });
  await eventually('an answer', async () => (await fetch(`http://127.0.0.1:${port}/health`).catch(() => undefined))?.status === 200, {
    msMax: 20_000,
  });
  await running.close();
  expect(said).toEqual(['the cache is full and begins anew: workerd starts again']);
  expect(processesUnder(dir)).toEqual([]);
}, 60_000);

test.each([
  [{ TOMBOLO_JWKS_URL: '' }, 'TOMBOLO_JWKS_URL'], [{ TOMBOLO_ENV: 'development' }, 'TOMBOLO_ENV: is development'],
  [{ TOMBOLO_ORIGIN_URL: 'http://origin.example.com' }, 'TOMBOLO_ORIGIN_URL'], [{ TOMBOLO_EDGE_CACHE_BYTES_MAX: '1' }, 'bytes'],
  [{}, `TOMBOLO_DATA_DIR: ${edgeDir} is in use`],
  [{ TOMBOLO_KEYS: '', TOMBOLO_KEYS_FILE: '/not/there' }, 'TOMBOLO_KEYS_FILE: cannot be read (ENOENT)'],
  [{ TOMBOLO_KEYS_FILE: keysFile }, 'TOMBOLO_KEYS_FILE: stands beside TOMBOLO_KEYS; one is enough'],
])('does not start with %j', async (changed, why) => {
  const program = start('origin/edge-host/main.ts', { ...ofTheEdge, ...changed });
  expect((await program.ended(30_000)).code).toBe(78);
  expect(program.output).toContain(why);
});
