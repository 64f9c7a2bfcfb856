/** `npm run doctor` beside an edge and an origin that run: right as they are, and each thing between them broken once. */
import { afterAll, beforeAll, expect, test } from 'bun:test';
import { join } from 'node:path';
import { edgeFindings } from '../../origin/doctor/edge.ts';
import { readPatient } from '../../origin/doctor/settings.ts';
import { mustSettings } from '../../origin/settings.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { Program } from '../support/program.ts';
import { startWorld, type World } from '../support/whole-world.ts';

const project = join(import.meta.dir, '../..');
const otherKeys = `k9:${Buffer.alloc(32, 9).toString('base64url')}`;

let world: World;
beforeAll(async () => {
  world = await startWorld({ engine: 'sqlite' });
  // The coordinator answers for itself once the first report has come.
  await world.mustHit('/v2/films?limit=1');
}, 60_000);
afterAll(() => world.close());

const variablesOf = (more: Readonly<Record<string, string>> = {}) => ({
  TOMBOLO_KEYS: world.keys, TOMBOLO_DATA_DIR: world.dataDir, TOMBOLO_ORIGIN_PORT: String(world.origin.port),
  TOMBOLO_EDGE_URLS: world.edge.url, ...more,
});

/** What is wrong with the edge. */
async function faults(more: Readonly<Record<string, string>> = {}, clock = Date.now): Promise<readonly string[]> {
  const variables = variablesOf(more);
  const { read } = readPatient({ variables, project, clock, which: () => null });
  expect(read.settings).toEqual(mustSettings(variables));
  return (await edgeFindings(read)).flatMap((each) => (each.state === 'wrong' ? [`${each.check}: ${each.found}`] : []));
}

async function run(...options: readonly string[]): Promise<{ readonly code: number; readonly text: string }> {
  // What the run of tests tells its files is none of its settings.
  const env = { ...process.env, TOMBOLO_TEST_RUN: undefined, MONGODB_URI: '', ...variablesOf() };
  const child = new Program([process.execPath, 'origin/doctor/doctor.ts', ...options], { cwd: project, env });
  const { code } = await child.ended();
  return { code, text: child.output };
}

test('nothing is wrong with what runs, in words and as JSON, and asking has changed nothing', async () => {
  const { code, text } = await run();
  expect([code, text]).toEqual([0, expect.stringMatching(/^ok {4}round trip: 200 in \d+ ms\n[^]*^nothing is wrong$/m)]);
  const json = await run('--json');
  const { wrong, findings } = JSON.parse(json.text) as { wrong: number; findings: { check: string; state: string }[] };
  expect([json.code, wrong]).toEqual([0, 0]);
  expect(findings.map(({ check, state }) => `${state} ${check}`)).toEqual([
    'right bun', 'right node', 'right wrangler', 'right settings', 'right keys', 'right wrangler.toml', 'right store', 'right disk',
    'right origin', 'right edge', 'right hop', 'right coordinator', 'right clock of the edge', 'right round trip', 'right issuer',
  ]);
  expect((await world.mustHit('/v2/films?limit=1')).status).toBe(200);
  expect((await run('--fast')).code).toBe(64);
});

test('keys that differ', async () => {
  expect(await faults({ TOMBOLO_KEYS: otherKeys })).toEqual([`hop: ${world.edge.url} believes none of the keys k9`]);
  expect(await faults({ TOMBOLO_KEYS: `${otherKeys},${world.keys}` })).toEqual([]);
});

test('clocks that differ', async () => {
  const late = await faults({}, () => Date.now() - 20_000);
  expect(late).toEqual([expect.stringMatching(/^clock of the edge: ahead of this one by (20|19) s$/)]);
  expect(await faults({}, () => Date.now() + 600_000)).toEqual(['clock of the edge: differs by more than 30 s']);
});

test('an edge that is not there is wrong in production alone', async () => {
  const gone = { TOMBOLO_EDGE_URLS: `http://127.0.0.1:${freePort()}` };
  expect(await faults(gone)).toEqual([]);
  expect(await faults({ ...gone, TOMBOLO_ENV: 'production' })).toEqual([expect.stringMatching(/^edge: .* does not answer$/)]);
});

test('another program in the place of the edge, and an edge of another contract', async () => {
  await using other = Bun.serve({ port: 0, hostname: '127.0.0.1', fetch: () => new Response('hello') });
  expect(await faults({ TOMBOLO_EDGE_URLS: other.url.origin })).toEqual([
    expect.stringContaining('is no edge'), expect.stringMatching(/^coordinator: .* answers 200$/),
  ]);
  await using older = Bun.serve({
    port: 0, hostname: '127.0.0.1',
    fetch: (request) => request.url.endsWith('/changes')
      ? Response.json({ accepted: false, epoch: null, through: null, now: Date.now() })
      : Response.json({ contract: 'older' }),
  });
  expect(await faults({ TOMBOLO_EDGE_URLS: older.url.origin })).toEqual([
    expect.stringContaining('speaks contract older; here it is'), 'coordinator: has heard of no origin yet',
  ]);
});

test('an origin that is away', async () => {
  await world.origin.stop();
  expect(await eventually('it is told', async () => {
    const found = await faults();
    if (found.length === 0) throw new Error('nothing is wrong');
    return found;
  })).toEqual([expect.stringMatching(/^round trip: 503 origin_unavailable/)]);
  await world.origin.start();
});
