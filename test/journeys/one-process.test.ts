/** Edge and origin in one process: what must hold beside another such process, and in production. */
import { afterAll, afterEach, beforeAll, describe, expect, test } from 'bun:test';
import { copyFileSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openDevelopmentKeys } from '../../origin/dev/keys.ts';
import { type Identity, openIdentity } from '../../origin/dev/identity.ts';
import { eventually } from '../support/eventually.ts';
import { toFilm } from '../support/film.ts';
import { MongoProgram } from '../support/mongo-program.ts';
import { oneProcess, OriginProcess } from '../support/origin-process.ts';
import { makeRelease } from '../support/release.ts';
import { freshWithinMs, startWorld } from '../support/whole-world.ts';

describe('two on one MongoDB', () => {
  const dirs = [1, 2].map(() => mkdtempSync(join(tmpdir(), 'tombolo-two-')));
  let mongo: MongoProgram;
  let both: OriginProcess[];
  let identity: Identity;
  let token: string;
  beforeAll(async () => {
    mongo = await MongoProgram.start();
    const [one = '', two = ''] = dirs;
    const keys = await openDevelopmentKeys(one);
    identity = await openIdentity(one);
    token = await identity.mint({ subject: 'alice', roles: ['editor'] });
    copyFileSync(join(one, 'identity.jwk.json'), join(two, 'identity.jwk.json'));
    both = dirs.map((dir) => new OriginProcess({
      TOMBOLO_DATA_DIR: dir, TOMBOLO_KEYS: keys, MONGODB_URI: mongo.uri, TOMBOLO_ENV: 'development', TOMBOLO_ANONYMOUS_PLAN: 'bench',
    }, oneProcess));
    for (const each of both) await each.start();
  });
  afterAll(async () => {
    await Promise.all(both.map((each) => each.kill9()));
    await mongo.close();
    for (const dir of dirs) rmSync(dir, { recursive: true, force: true });
  });

  const urls = () => both.map(({ url }) => url) as [string, string];
  const write = (url: string, path: string, method: string, body: object, headers: Readonly<Record<string, string>> = {}) =>
    fetch(`${url}${path}`, {
      method, body: JSON.stringify(body),
      headers: {
        authorization: `Bearer ${token}`, ...headers,
        'content-type': method === 'PATCH' ? 'application/merge-patch+json' : 'application/json',
      },
    });

  test('a write by one is seen by the other, within the bound or at once with its position', async () => {
    const [one, two] = urls();
    const created = await write(one, '/v2/films', 'POST', toFilm({ title: 'Before' }));
    const path = `/v2/films/${((await created.json()) as { id: string }).id}`;
    await eventually('a hit', async () => (await fetch(`${two}${path}`)).headers.get('cache-status')?.startsWith('tombolo; hit'));
    const patched = await write(one, path, 'PATCH', { title: 'After' });
    const position = patched.headers.get('tombolo-position') ?? '';
    expect(await (await fetch(`${two}${path}`, { headers: { 'tombolo-position': position } })).text()).toContain('After');
    await eventually('the write', async () => (await (await fetch(`${two}${path}`)).text()).includes('After'), { msMax: freshWithinMs });
  });

  const ask = (url: string, path: string, bearer: string, method = 'GET') =>
    fetch(`${url}${path}`, { method, headers: { authorization: `Bearer ${bearer}` } });

  test('a limit is one limit over both, and over the end of both', async () => {
    const [one, two] = urls();
    // 300 in ten seconds.
    const counted = await identity.mint({ subject: 'counted', plan: 'anonymous', roles: [] });
    const granted: { readonly askedAt: number; readonly ackedAt: number }[] = [];
    let refused = 0;
    const spend = async (url: string): Promise<void> => {
      const askedAt = performance.now();
      const { status } = await ask(url, '/v2/films?limit=1', counted);
      if (status === 429) refused++;
      else granted.push({ askedAt, ackedAt: performance.now() });
    };
    for (let round = 0; round < 4; round++) {
      await Promise.all(Array.from({ length: 120 }, (_, index) => spend(index % 2 === 0 ? one : two)));
      if (round !== 1) continue;
      await Promise.all(both.map((each) => each.kill9()));
      await Promise.all(both.map((each) => each.start()));
    }
    const within = (from: number) => granted.filter(({ askedAt, ackedAt }) => askedAt >= from && ackedAt < from + 10_000).length;
    expect(Math.max(...granted.map(({ askedAt }) => within(askedAt)))).toBeLessThanOrEqual(300);
    expect(refused).toBeGreaterThan(0);
    expect(granted.length).toBeGreaterThan(200);
  });

  test('a ticket of one opens its stream by the other, once', async () => {
    const [one, two] = urls();
    const { ticket } = (await (await ask(one, '/v2/live/tickets', token, 'POST')).json()) as { ticket: string };
    const open = async (url: string): Promise<number> => {
      const response = await fetch(`${url}/v2/reviews/changes?ticket=${ticket}`, { headers: { accept: 'text/event-stream' } });
      await response.body?.cancel();
      return response.status;
    };
    expect([await open(two), await open(one), await open(two)]).toEqual([200, 401, 401]);
  });

  test('one idempotency key is one effect, whichever is asked', async () => {
    const headers = { 'idempotency-key': crypto.randomUUID() };
    const [one, two] = await Promise.all(urls().map((url) => write(url, '/v2/films', 'POST', toFilm({ title: 'Once' }), headers)));
    const answered = [one, two].filter((answer) => answer?.status === 201);
    const ids = await Promise.all(answered.map(async (answer) => ((await answer?.json()) as { id: string }).id));
    expect(ids.length).toBeGreaterThan(0);
    expect(new Set(ids).size).toBe(1);
  });
});

describe('in production', () => {
  const dir = mkdtempSync(join(tmpdir(), 'tombolo-production-'));
  let served: OriginProcess | undefined;
  afterEach(async () => {
    await served?.kill9();
    rmSync(dir, { recursive: true, force: true });
  });

  const settings = {
    TOMBOLO_ENV: 'production', TOMBOLO_DATA_DIR: dir, TOMBOLO_KEYS: `k1:${Buffer.alloc(32, 7).toString('base64url')}`,
    TOMBOLO_ISSUER: 'https://login.example.invalid', TOMBOLO_AUDIENCE: 'api', TOMBOLO_JWKS_URL: 'https://login.example.invalid/jwks',
    TOMBOLO_FLOOD_MAX: '5',
  };
  const statuses = async (name: string): Promise<number[]> => {
    const found: number[] = [];
    for (let turn = 0; turn < 8; turn++) {
      found.push((await fetch(`${served?.url}/health`, { headers: { [name]: `192.0.2.${turn}` } })).status);
    }
    return found;
  };

  test.each(['cf-connecting-ip', 'x-forwarded-for'])('the sender’s address is the socket’s, whatever %s says', async (name) => {
    served = new OriginProcess(settings, oneProcess);
    await served.start();
    expect(await statuses(name)).toContain(429);
  });

  test('the sender’s address is what a proxy says that a setting names', async () => {
    served = new OriginProcess({ ...settings, TOMBOLO_PROXIES: '127.0.0.1' }, oneProcess);
    await served.start();
    expect(new Set(await statuses('x-forwarded-for'))).toEqual(new Set([200]));
    expect(await statuses('cf-connecting-ip')).toContain(429);
  });

  test('what is missing or wrong is named, and nothing is served', async () => {
    served = new OriginProcess({ ...settings, TOMBOLO_ISSUER: '', TOMBOLO_PROXIES: 'nginx', TOMBOLO_TLS_KEY: '/nowhere' }, oneProcess);
    const failed = await served.start().then(() => undefined, (cause: unknown) => String(cause));
    for (const variable of ['TOMBOLO_ISSUER', 'TOMBOLO_PROXIES', 'TOMBOLO_TLS_KEY']) expect(failed).toContain(`${variable}: `);
  });
});

test('what follows from a commit, as the team has it, follows in one process too', async () => {
  const hook = [
    "import { places } from '../../shared/resources/places.ts';", "import { reviews } from '../../shared/resources/reviews.ts';",
    "import { afterCommit } from '../after-commit/after-commit.ts';",
    "const place = { id: '00042', latitude: 1, longitude: 2, city: 'Told', state: 'ZZ', county: 'None' };",
    "export const told = afterCommit({",
    "  name: 'told', of: reviews, writes: [places],",
    '  handle: (_event, call) => [call.create(places, place)], resync: () => [],', '});',
  ].join('\n');
  const release = makeRelease([
    ['origin/hooks/all.ts', 'import type { AfterCommit }', "import { told } from './told.ts';\nimport type { AfterCommit }"],
    ['origin/hooks/all.ts', 'afterCommits: readonly AfterCommit[] = []', 'afterCommits: readonly AfterCommit[] = [told]'],
  ], { 'origin/hooks/told.ts': hook });
  const world = await startWorld({ engine: 'sqlite', stack: 'one process' });
  try {
    await world.origin.stop();
    await world.origin.start({ releaseDir: release.dir });
    const json = { film: '01890a5d-ac96-774b-bcce-b302099a8057', author: 'alice', status: 'published', rating: 4, text: 'told' };
    expect((await world.request('/v2/reviews', { token: await world.token(), json })).status).toBe(201);
    await eventually('what the hook wrote', async () => (await world.request('/v2/places/00042')).text.includes('Told'));
  } finally {
    await world.close();
    release.remove();
  }
}, 60_000);
