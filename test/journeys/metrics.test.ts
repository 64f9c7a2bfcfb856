/** Metrics of programs as users start them: the origin alone, and edge and origin in one process. */
import { expect, test } from 'bun:test';
import { join } from 'node:path';
import { makeTempDir } from '../suites/store/sqlite-place.ts';
import { disposedAfterEach } from '../support/disposals.ts';
import { eventually } from '../support/eventually.ts';
import { freePort } from '../support/free-port.ts';
import { mustSamples, type Sample } from '../support/openmetrics.ts';
import { Program } from '../support/program.ts';
import { testKeys } from '../support/scripted-origin.ts';

const project = join(import.meta.dir, '../..');
const disposals = disposedAfterEach();

function start(script: string, variables: Readonly<Record<string, string>>): Program {
  const program = new Program([process.execPath, join(project, script)], {
    cwd: project,
    env: { ...process.env, MONGODB_URI: '', TOMBOLO_KEYS: testKeys, TOMBOLO_DATA_DIR: makeTempDir(), TOMBOLO_SEED: '0', ...variables },
  });
  disposals.push(() => program.kill());
  return program;
}

const scrape = async (port: number) => mustSamples(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text());
const valueOf = (samples: readonly Sample[], name: string, key: string, wanted: string) =>
  samples.find(({ name: each, labels }) => each === name && labels[key] === wanted)?.value;

test('the origin tells of itself at a port of its own, and at no other', async () => {
  const [port, originPort] = [freePort(), freePort()];
  const nobody = `http://127.0.0.1:${freePort()}`;
  const program = start('origin/main.ts', {
    TOMBOLO_ORIGIN_PORT: String(originPort), TOMBOLO_METRICS_PORT: String(port), TOMBOLO_EDGE_URLS: nobody,
  });
  await program.says(/listening on port/);
  expect((await fetch(`http://127.0.0.1:${originPort}/metrics`)).status).toBe(401);
  const samples = await scrape(port);
  expect(valueOf(samples, 'tombolo_refusals_total', 'reason', 'hop_unsigned')).toBe(1);
  expect(valueOf(samples, 'tombolo_service_ready', 'service', 'server')).toBe(1);
  // Nobody hears its reports.
  await eventually('it says so', async () =>
    (valueOf(await scrape(port), 'tombolo_service_failures_total', 'service', `reports to ${nobody}`) ?? 0) > 0);
  const second = start('origin/main.ts', { TOMBOLO_ORIGIN_PORT: String(freePort()), TOMBOLO_METRICS_PORT: String(port) });
  expect((await second.ended()).code).toBe(78);
  expect(second.output).toContain('TOMBOLO_METRICS_PORT: the port is in use by another program');
  program.signal('SIGTERM');
  expect((await program.ended()).code).toBe(0);
  expect(await fetch(`http://127.0.0.1:${port}/live`).catch(() => 'gone')).toBe('gone');
}, 60_000);

test('one process tells what its edge asks its origin, and not what is answered from the cache', async () => {
  const [port, edgePort] = [freePort(), freePort()];
  const program = start('origin/one-process/main.ts', { TOMBOLO_EDGE_PORT: String(edgePort), TOMBOLO_METRICS_PORT: String(port) });
  await program.says(/^tombolo ready: /m);
  const ask = async (path: string) => (await fetch(`http://127.0.0.1:${edgePort}${path}`)).headers.get('cache-status') ?? '';
  await eventually('a hit', async () => /hit/.test(await ask('/v2/films?limit=1')));
  const asked = async () => valueOf(await scrape(port), 'tombolo_requests_total', 'operation', 'list');
  const before = await asked();
  expect(before).toBeGreaterThan(0);
  expect(await ask('/v2/films?limit=1')).toContain('hit');
  expect(await asked()).toBe(before);
  await ask('/v2/films?limit=2');
  expect(await asked()).toBe((before ?? 0) + 1);
  expect(valueOf(await scrape(port), 'tombolo_service_ready', 'service', 'generations')).toBe(1);
}, 60_000);
