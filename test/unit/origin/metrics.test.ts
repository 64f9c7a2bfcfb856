/** Metrics, scraped from a real socket: what stands in them, what never does, and alerts that fire at what they watch. */
import { Database } from 'bun:sqlite';
import { afterEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { afterCommit } from '../../../origin/after-commit/after-commit.ts';
import type { Own } from '../../../origin/context.ts';
import { startMetrics } from '../../../origin/metrics/listen.ts';
import { sendReport } from '../../../origin/purge/send-report.ts';
import { startPurge } from '../../../origin/purge/start-purge.ts';
import { databaseName } from '../../../origin/store/sqlite/sqlite-store.ts';
import { contract } from '../../../shared/contract/contract.ts';
import { resource } from '../../../shared/contract/resource.ts';
import { anyone } from '../../../shared/contract/rules.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { testThat } from '../../support/needs.ts';
import { firing, metricsOf, mustSamples, type Sample } from '../../support/openmetrics.ts';
import { Pipeline } from '../../support/pipeline.ts';
import { pythonProgram } from '../../support/python-program.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { type Engine, engines } from '../../support/whole-world.ts';

const named = { id: { kind: 'string', format: z.string() }, shapes: { all: {} }, rules: { read: anyone, write: anyone } } as const;
const posts = resource({ ...named, name: 'posts', schema: z.object({ text: z.string() }) });
const served = contract(posts);
const failing = afterCommit({
  name: 'failing', of: posts, resync: () => [],
  handle() {
    throw new Error('a bug');
  },
});
const holdLimits = { waitingMax: 100, attemptsMax: 2, retryMs: { first: 10, max: 10 } };

const room = join(import.meta.dir, '../../../origin/metrics');
const alerts = (Bun.YAML.parse(readFileSync(join(room, 'alerts.yml'), 'utf8')) as {
  readonly groups: readonly { readonly rules: readonly { readonly alert: string; readonly expr: string }[] }[];
}).groups.flatMap(({ rules }) => rules);
const conditionOf = (alert: string) => alerts.find((rule) => rule.alert === alert)?.expr ?? '';

let origin: Pipeline;
let url: string;
afterEach(() => origin[Symbol.asyncDispose]());

async function begin(open: (variables: Readonly<Record<string, string>>) => Promise<Pipeline>): Promise<void> {
  const port = String(freePort());
  origin = await open({ TOMBOLO_METRICS_PORT: port });
  await startMetrics(origin.context);
  url = `http://127.0.0.1:${port}`;
}
const beginOn = (engine: Engine, own: Own = {}) => begin((variables) => Pipeline.on(engine, served, own, variables));

const scrapeText = async () => (await fetch(`${url}/metrics`)).text();
const scrape = async () => mustSamples(await scrapeText());
const seriesOf = (samples: readonly Sample[]) => samples.map(({ name, labels }) => `${name}${JSON.stringify(labels)}`).sort();
const valueOf = (samples: readonly Sample[], name: string, labels: Readonly<Record<string, string>> = {}) =>
  samples.find((sample) => sample.name === name && Object.entries(labels).every(([key, value]) => sample.labels[key] === value))?.value;

describe.each([...engines])('on %s', (engine) => {
  test('requests are told by operation, status and reason, and by how long they took', async () => {
    await beginOn(engine);
    const created = await origin.ask('/v1/posts', { method: 'POST', body: '{"id":"a","text":"one"}' });
    expect(created.status).toBe(201);
    const path = created.headers.get('location') ?? '';
    for (let count = 0; count < 3; count++) expect((await origin.ask(path)).status).toBe(200);
    expect((await origin.ask('/v1/posts?nope=1')).status).toBe(400);
    expect((await origin.ask('/v1/nothing')).status).toBe(404);
    const samples = await scrape();
    expect(valueOf(samples, 'tombolo_requests_total', { operation: 'create', status: '201' })).toBe(1);
    expect(valueOf(samples, 'tombolo_requests_total', { operation: 'get', status: '200' })).toBe(3);
    expect(valueOf(samples, 'tombolo_requests_total', { operation: 'list', status: '400' })).toBe(1);
    expect(valueOf(samples, 'tombolo_requests_total', { operation: 'none', status: '404' })).toBe(1);
    expect(valueOf(samples, 'tombolo_refusals_total', { reason: 'query_invalid' })).toBe(1);
    const buckets = samples.filter(({ name, labels }) => name === 'tombolo_request_seconds_bucket' && labels['operation'] === 'get');
    expect(buckets.map(({ value }) => value)).toEqual(buckets.map(({ value }) => value).toSorted((a, b) => a - b));
    expect(buckets.at(-1)).toMatchObject({ labels: { le: '+Inf' }, value: 3 });
    expect(valueOf(samples, 'tombolo_request_seconds_count', { operation: 'get' })).toBe(3);
    expect(valueOf(samples, 'tombolo_request_seconds_sum', { operation: 'get' })).toBeGreaterThan(0);
    expect(valueOf(samples, 'tombolo_requests_under_way')).toBe(0);
    expect(valueOf(samples, 'tombolo_store_transactions_total')).toBeGreaterThan(0);
    expect(valueOf(samples, 'tombolo_build_info', { engine, contract: served.digest })).toBe(1);
  });

  test('a thousand hostile requests add no series, and nothing that was sent stands in them', async () => {
    await beginOn(engine);
    const secret = `planted-${crypto.randomUUID()}`;
    const hostile = async (mark: string) => {
      await origin.ask(`/v1/posts/${mark}`, { subject: `${secret}-${mark}` });
      await origin.ask(`/v1/${mark}%22%7D%0A?${mark}=${secret}`);
      await origin.ask(`/v1/${mark}`);
      await origin.ask(`/v1/posts?${mark}=${secret}`);
      await origin.ask('/v1/posts', { method: 'POST', body: JSON.stringify({ text: secret, [mark]: 1 }) });
      await fetch(`${url}/${mark}`);
    };
    await hostile('first');
    const before = seriesOf(await scrape());
    for (let count = 0; count < 200; count++) await hostile(crypto.randomUUID());
    const text = await scrapeText();
    expect(seriesOf(mustSamples(text))).toEqual(before);
    expect(valueOf(mustSamples(text), 'tombolo_requests_total', { operation: 'get', status: '404' })).toBe(201);
    expect(text).not.toContain(secret);
    for (const key of testKeys.split(',')) expect(text).not.toContain(key.split(':')[1] ?? key);
  }, 60_000);

  test('a service is seen without a line of its own, and one that hangs or fails holds up no scrape', async () => {
    await beginOn(engine, { consumers: [{ name: 'tally', handle: () => [], lost: () => [] }] });
    const { services } = origin.context;
    const stop = async () => undefined;
    await services.start('slow', () => ({
      value: undefined, stop, state: () => new Promise<never>(() => undefined), figures: () => new Promise<never>(() => undefined),
    }));
    await services.start('broken', () => ({
      value: undefined, stop, state: () => ({ ready: true }), figures: () => Promise.reject(new Error('a bug')),
    }));
    await services.start('telling', () => ({
      value: undefined, stop, state: () => ({ ready: false }), figures: () => ({ failures: 7 }),
    }));
    const samples = await scrape();
    expect(valueOf(samples, 'tombolo_service_lag_seconds', { service: 'consumer tally' })).toBeLessThan(30);
    expect(valueOf(samples, 'tombolo_service_failures_total', { service: 'telling' })).toBe(7);
    const ready = (service: string) => valueOf(samples, 'tombolo_service_ready', { service });
    expect([ready('store'), ready('slow'), ready('broken'), ready('telling')]).toEqual([1, 0, 1, 0]);
  });

  test('an event that a hook has given up fires its alert', async () => {
    await beginOn(engine, { afterCommits: [failing], holdLimits, leaseTimes: { beatMs: 50, silentMsMax: 2_000 } });
    const alert = conditionOf('TomboloHookEventsGivenUp');
    await eventually('the hook begins', async () => (await origin.context.store.cursor('hook failing')) !== undefined);
    expect(firing(alert, await scrape())).toEqual([]);
    await origin.put(posts, 'a', { text: 'one' });
    await eventually('it fires', async () => firing(alert, await scrape())[0]?.labels['service'] === 'hook failing');
  });

  test('an edge that does not hear of changes fires its alert', async () => {
    await beginOn(engine);
    const { context } = origin;
    const edgeUrl = `http://127.0.0.1:${freePort()}`;
    const before = await scrape();
    await context.services.start(`reports to ${edgeUrl}`, () =>
      startPurge(context, edgeUrl, (report, signal) => sendReport(edgeUrl, report, context.settings.keys, signal)));
    const alert = conditionOf('TomboloReportsFailing');
    expect(firing(alert, await scrape(), before)).toEqual([]);
    const [fired] = await eventually('it fires', async () => {
      const found = firing(alert, await scrape(), before);
      return found.length > 0 && found;
    });
    expect(fired?.labels).toEqual({ service: `reports to ${edgeUrl}` });
  });
});

test('a lock that another program holds fires its alert, and the write that waits is seen', async () => {
  await beginOn('sqlite');
  const other = new Database(join(origin.context.settings.dataDir, databaseName));
  const before = await scrape();
  const alert = conditionOf('TomboloStoreContended');
  expect(firing(alert, before, before)).toEqual([]);
  other.run('BEGIN IMMEDIATE');
  const written = origin.ask('/v1/posts', { method: 'POST', body: '{"id":"a","text":"one"}' });
  await eventually('it fires', async () => firing(alert, await scrape(), before).length > 0);
  expect(valueOf(await scrape(), 'tombolo_store_writes_waiting')).toBeGreaterThan(0);
  expect(valueOf(await scrape(), 'tombolo_requests_under_way')).toBe(1);
  other.run('ROLLBACK');
  other.close();
  await written;
});

test('a database that is gone fires the alerts of its services and of the feed, and /ready is 503', async () => {
  const { uri, server, remove } = await openControlledDatabase();
  await begin((variables) => Pipeline.open({ ...variables, MONGODB_URI: uri }, served));
  try {
    expect(firing(conditionOf('TomboloNotReady'), await scrape())).toEqual([]);
    expect((await fetch(`${url}/ready`)).status).toBe(200);
    await server.kill(0);
    await eventually('it fires', async () => firing(conditionOf('TomboloNotReady'), await scrape())[0]?.labels['service'] === 'store');
    expect((await fetch(`${url}/ready`)).status).toBe(503);
    expect(await (await fetch(`${url}/live`)).json()).toEqual({ status: 'live' });
    await eventually('the feed is behind', async () => firing(conditionOf('TomboloFeedBehind'), await scrape()).length > 0);
  } finally {
    await remove();
  }
}, 60_000);

test('what the port answers is metrics, /live and /ready, to GET, and nothing else', async () => {
  await beginOn('sqlite');
  const { headers } = await fetch(`${url}/metrics`);
  expect(headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-store');
  for (const path of ['/', '/metrics/', '/metrics?x=1', '/health', '/v1/posts', '/%6detrics']) {
    expect([path, (await fetch(`${url}${path}`)).status]).toEqual([path, 404]);
  }
  for (const method of ['POST', 'PUT', 'DELETE']) expect((await fetch(`${url}/metrics`, { method })).status).toBe(404);
  const texts = await Promise.all(Array.from({ length: 20 }, scrapeText));
  for (const text of texts) mustSamples(text);
});

test('a stop is told until its end', async () => {
  await beginOn('sqlite');
  const { services } = origin.context;
  const ended = Promise.withResolvers<void>();
  await services.start('server', () => ({ value: undefined, stop: () => ended.promise, state: () => ({ ready: true }) }));
  expect((await fetch(`${url}/ready`)).status).toBe(200);
  const stopped = services.stop(Date.now() + 5_000);
  expect((await fetch(`${url}/ready`)).status).toBe(503);
  expect(firing(conditionOf('TomboloNotReady'), await scrape()).map(({ labels }) => labels['service'])).toEqual(['origin']);
  ended.resolve();
  await stopped;
  expect(await scrapeText().catch(() => 'gone')).toBe('gone');
});

test('without its port nothing is measured, and nothing listens', async () => {
  origin = await Pipeline.on('sqlite', served);
  await startMetrics(origin.context);
  expect(origin.context.measuring).toBeUndefined();
  expect(await origin.context.services.states()).not.toHaveProperty('metrics');
});

test('each metric of the dashboard and of the alerts is told, and each that is told stands in one of them', async () => {
  await beginOn('sqlite', { afterCommits: [failing] });
  await origin.ask('/v1/posts?nope=1');
  const told = new Set((await scrape()).map(({ name }) => name));
  const dashboard = readFileSync(join(room, 'dashboard.json'), 'utf8');
  const shown = (JSON.parse(dashboard) as { panels: { targets?: { expr: string }[] }[] }).panels.flatMap(({ targets = [] }) => targets);
  const used = new Set([...shown, ...alerts].flatMap(({ expr }) => metricsOf(expr)));
  expect(used.size).toBeGreaterThan(20);
  expect([...used].filter((metric) => !told.has(metric))).toEqual([]);
  expect([...told].filter((metric) => !used.has(metric) && !/_(sum|count)$/.test(metric))).toEqual([]);
});

const python = pythonProgram('python');
const parser = [
  '-c', 'import sys; from prometheus_client.openmetrics.parser import text_fd_to_metric_families as p; list(p(open(sys.argv[1])))',
];
const hasParser = python.met && (await python.run(['-c', 'import prometheus_client'])).code === 0;

testThat({ met: hasParser, what: 'prometheus-client of PyPI, which .ci/run brings' })('a scrape is what Prometheus reads', async () => {
  await beginOn('sqlite', { afterCommits: [failing] });
  await origin.ask('/v1/posts?nope=1');
  const file = join(origin.context.settings.dataDir, 'scrape.txt');
  await Bun.write(file, await scrapeText());
  expect(await python.run([...parser, file])).toEqual({ output: '', code: 0 });
  await Bun.write(file, (await scrapeText()).replace('# EOF', ''));
  expect((await python.run([...parser, file])).code).toBe(1);
});
