/** Metrics, scraped from a real socket: what stands in them, and what never does. */
import { afterEach, describe, expect, test } from 'bun:test';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod';
import { job } from '../../../origin/job-queue/job.ts';
import type { Own } from '../../../origin/own.ts';
import { eventually } from '../../support/eventually.ts';
import { testThat } from '../../support/needs.ts';
import { metricsOf, mustSamples, type Sample } from '../../support/openmetrics.ts';
import { pythonProgram } from '../../support/python-program.ts';
import { alertNames, aMetricsPort, expressions, failing, ScrapedOrigin, served, valueOf } from '../../support/scraped-origin.ts';
import { testKeys } from '../../support/scripted-origin.ts';
import { type Engine, engines } from '../../support/whole-world.ts';

let origin: ScrapedOrigin;
afterEach(() => origin[Symbol.asyncDispose]());
const beginOn = async (engine: Engine, own: Own = {}) => void (origin = await ScrapedOrigin.on(engine, served, own, aMetricsPort()));

const idle = job({ name: 'idle', payload: z.object({}), handler: async () => undefined });

const seriesOf = (samples: readonly Sample[]) => samples.map(({ name, labels }) => `${name}${JSON.stringify(labels)}`).sort();

describe.each([...engines])('on %s', (engine) => {
  test('requests are told by operation, status and reason, and by how long they took', async () => {
    await beginOn(engine);
    const created = await origin.ask('/v1/posts', { method: 'POST', body: '{"id":"a","text":"one"}' });
    expect(created.status).toBe(201);
    const path = created.headers.get('location') ?? '';
    for (let count = 0; count < 3; count++) expect((await origin.ask(path)).status).toBe(200);
    expect((await origin.ask('/v1/posts?nope=1')).status).toBe(400);
    expect((await origin.ask('/v1/nothing')).status).toBe(404);
    const samples = await origin.scrape();
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
      await fetch(`${origin.url}/${mark}`);
    };
    await hostile('first');
    await eventually('what follows has begun', async () =>
      valueOf(await origin.scrape(), 'tombolo_service_lag_seconds', { service: 'webhooks' }) !== undefined);
    const before = seriesOf(await origin.scrape());
    for (let count = 0; count < 200; count++) await hostile(crypto.randomUUID());
    const text = await origin.scrapeText();
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
    const samples = await origin.scrape();
    expect(valueOf(samples, 'tombolo_service_lag_seconds', { service: 'consumer tally' })).toBeLessThan(30);
    expect(valueOf(samples, 'tombolo_service_failures_total', { service: 'telling' })).toBe(7);
    const ready = (service: string) => valueOf(samples, 'tombolo_service_ready', { service });
    expect([ready('store'), ready('slow'), ready('broken'), ready('telling')]).toEqual([1, 0, 1, 0]);
  });
});

test('what the port answers is metrics, /live and /ready, to GET, and nothing else', async () => {
  await beginOn('sqlite');
  const { headers } = await fetch(`${origin.url}/metrics`);
  expect(headers.get('content-type')).toBe('application/openmetrics-text; version=1.0.0; charset=utf-8');
  expect(headers.get('cache-control')).toBe('no-store');
  for (const path of ['/', '/metrics/', '/metrics?x=1', '/health', '/v1/posts', '/%6detrics']) {
    expect([path, (await fetch(`${origin.url}${path}`)).status]).toEqual([path, 404]);
  }
  for (const method of ['POST', 'PUT', 'DELETE']) expect((await fetch(`${origin.url}/metrics`, { method })).status).toBe(404);
  const texts = await Promise.all(Array.from({ length: 20 }, () => origin.scrapeText()));
  for (const text of texts) mustSamples(text);
});

test('a stop is told until its end', async () => {
  await beginOn('sqlite');
  const { services } = origin.context;
  const ended = Promise.withResolvers<void>();
  await services.start('server', () => ({ value: undefined, stop: () => ended.promise, state: () => ({ ready: true }) }));
  expect((await fetch(`${origin.url}/ready`)).status).toBe(200);
  const stopped = services.stop(Date.now() + 5_000);
  expect((await fetch(`${origin.url}/ready`)).status).toBe(503);
  expect(valueOf(await origin.scrape(), 'tombolo_service_ready', { service: 'origin' })).toBe(0);
  ended.resolve();
  await stopped;
  expect(await origin.scrapeText().catch(() => 'gone')).toBe('gone');
});

test('without its port nothing is measured, and nothing listens', async () => {
  origin = await ScrapedOrigin.on('sqlite', served);
  expect(origin.context.measuring).toBeUndefined();
  expect(await origin.context.services.states()).not.toHaveProperty('metrics');
});

test('each metric of the dashboard and of the alerts is told, and each that is told stands in one of them', async () => {
  const told = new Set<string>();
  for (const engine of engines) {
    await origin?.[Symbol.asyncDispose]();
    await beginOn(engine, { afterCommits: [failing], jobs: [idle] });
    await origin.ask('/v1/posts?nope=1');
    for (const { name } of await origin.scrape()) told.add(name);
  }
  // The edge tells its own (test/workerd/metrics.test.ts).
  const used = new Set(expressions.flatMap(metricsOf).filter((name) => !name.startsWith('tombolo_edge_')));
  expect(used.size).toBeGreaterThan(20);
  expect([...used].filter((metric) => !told.has(metric))).toEqual([]);
  expect([...told].filter((metric) => !used.has(metric) && !/_(sum|count)$/.test(metric))).toEqual([]);
});

test('each alert is fired by a test', () => {
  const tests = ['metrics-alerts.slow.test.ts', '../../workerd/metrics-alerts.slow.test.ts']
    .map((file) => readFileSync(join(import.meta.dir, file), 'utf8')).join('\n');
  expect(alertNames.filter((name) => !tests.includes(`'${name}'`))).toEqual([]);
});

const python = pythonProgram('python');
const parser = [
  '-c', 'import sys; from prometheus_client.openmetrics.parser import text_fd_to_metric_families as p; list(p(open(sys.argv[1])))',
];
const hasParsers = python.met && (await python.run(['-c', 'import prometheus_client, promql_parser'])).code === 0;
const parsers = { met: hasParsers, what: 'prometheus-client and promql-parser of PyPI, which .ci/run brings' };

testThat(parsers)('a scrape is what Prometheus reads', async () => {
  await beginOn('sqlite', { afterCommits: [failing] });
  await origin.ask('/v1/posts?nope=1');
  const file = join(origin.context.settings.dataDir, 'scrape.txt');
  await Bun.write(file, await origin.scrapeText());
  expect(await python.run([...parser, file])).toEqual({ output: '', code: 0 });
  await Bun.write(file, (await origin.scrapeText()).replace('# EOF', ''));
  expect((await python.run([...parser, file])).code).toBe(1);
});

testThat(parsers)('each expression of the dashboard and of the alerts is one of PromQL', async () => {
  await beginOn('sqlite');
  const script = 'import sys, promql_parser; [promql_parser.parse(e) for e in sys.argv[1:]]';
  const read = (given: readonly string[]) => python.run(['-c', script, ...given]);
  expect(await read(expressions.map((expression) => expression.replaceAll('$__rate_interval', '5m')))).toEqual({ output: '', code: 0 });
  expect((await read(['sum(rate(tombolo_requests_total))'])).code).toBe(1);
});
