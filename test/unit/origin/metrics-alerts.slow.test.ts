/** Alerts of `origin/metrics/alerts.yml`, each fired by breaking what it watches, and silent before. */
import { Database } from 'bun:sqlite';
import { afterEach, describe, expect } from 'bun:test';
import { join } from 'node:path';
import * as z from 'zod';
import { enqueuing } from '../../../origin/job-queue/enqueue.ts';
import { type Job, job } from '../../../origin/job-queue/job.ts';
import type { Own } from '../../../origin/own.ts';
import { sendReport } from '../../../origin/purge/send-report.ts';
import { startPurge } from '../../../origin/purge/start-purge.ts';
import { storeLimits } from '../../../origin/store/limits.ts';
import { databaseName } from '../../../origin/store/sqlite/connection/database.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { HookReceiver } from '../../support/hook-receiver.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { testThat } from '../../support/needs.ts';
import { type Alert, type Course, firing, promtool } from '../../support/promtool.ts';
import { aMetricsPort, failing, posts, ScrapedOrigin, served, valueOf } from '../../support/scraped-origin.ts';
import { mayMount, openDisk } from '../../support/small-disk.ts';
import { type Engine, engines } from '../../support/whole-world.ts';

const alertTest = testThat(promtool);
const disposals = disposedAfterEach();

let origin: ScrapedOrigin;
afterEach(() => origin[Symbol.asyncDispose]());
const beginOn = async (engine: Engine, own: Own = {}, more: Readonly<Record<string, string>> = {}) =>
  void (origin = await ScrapedOrigin.on(engine, served, own, { ...aMetricsPort(), ...more }));

const inTime = () => ({ deadline: Date.now() + 30_000 });
const payload = z.object({});
const names = (alerts: readonly Alert[]) => [...new Set(alerts.map(({ name }) => name))];

/** A scrape at which nothing is the matter; what is broken after it fires the alert in time. */
async function watching(how: Omit<Course, 'before' | 'after'> = {}) {
  const before = await origin.scrape();
  expect(firing({ ...how, before, after: before })).toEqual([]);
  return (name: string, service?: string): Promise<Alert> => eventually(`${name} fires`, async () => {
    const found = firing({ ...how, before, after: await origin.scrape() })
      .find((alert) => alert.name === name && (service === undefined || alert.labels['service'] === service));
    return found ?? false;
  });
}

describe.each([...engines])('on %s', (engine) => {
  alertTest('an event that a hook has given up', async () => {
    const holdLimits = { waitingMax: 100, attemptsMax: 2, retryMs: { first: 10, max: 10 } };
    await beginOn(engine, { afterCommits: [failing], holdLimits, leaseTimes: { beatMs: 50, silentMsMax: 2_000 } });
    await eventually('the hook begins', async () => (await origin.context.store.cursor('hook failing')) !== undefined);
    const fires = await watching();
    await origin.put(posts, 'a', { text: 'one' });
    await fires('TomboloHookEventsGivenUp', 'hook failing');
  });

  alertTest('a consumer that does not get on', async () => {
    const stuck = { name: 'stuck', handle: () => Promise.reject(new Error('a bug')), lost: () => [] };
    await beginOn(engine, { consumers: [stuck] });
    const fires = await watching({ behind: 'consumer stuck' });
    await origin.put(posts, 'a', { text: 'one' });
    await fires('TomboloConsumerBehind', 'consumer stuck');
  });

  alertTest('an edge that does not hear of changes', async () => {
    await beginOn(engine);
    const { context } = origin;
    const edgeUrl = `http://127.0.0.1:${freePort()}`;
    const fires = await watching();
    await context.services.start(`reports to ${edgeUrl}`, () =>
      startPurge(context, edgeUrl, (report, signal) => sendReport(edgeUrl, report, context.settings.keys, signal)));
    await fires('TomboloReportsFailing', `reports to ${edgeUrl}`);
  });
});

describe.each([...engines])('jobs and webhooks on %s', (engine) => {
  const enqueue = (of: Job<typeof payload>) =>
    origin.context.store.write([enqueuing(of, {}, {}, { principal: anonymous, nowMs: Date.now() })], inTime());

  alertTest('a job that fails for the last time, and one that nobody begins', async () => {
    const fails = job({ name: 'fails', payload, attempts: 1, handler: () => Promise.reject(new Error('a bug')) });
    const released = Promise.withResolvers<undefined>();
    const hangs = job({ name: 'hangs', payload, queue: { name: 'narrow', concurrency: 1 }, handler: () => released.promise });
    await beginOn(engine, { jobs: [fails, hangs] });
    const died = await watching();
    await enqueue(fails);
    await died('TomboloJobsDead');
    const waits = await watching({ behind: 'jobs' });
    await enqueue(hangs);
    await enqueue(hangs);
    await eventually('one runs', async () => valueOf(await origin.scrape(), 'tombolo_jobs_running') === 1);
    await waits('TomboloJobsWaiting', 'jobs');
    released.resolve(undefined);
  });

  alertTest('receivers of webhooks that fail, and none that take what they are sent', async () => {
    await using receiver = new HookReceiver();
    let status = 200;
    receiver.answer = () => new Response(null, { status });
    await beginOn(engine, { webhookTimes: { attemptMs: 5_000, pausesMs: [10, 10] } }, { TOMBOLO_WEBHOOKS_LOOPBACK: '1' });
    const body = JSON.stringify({ url: receiver.url(), resource: 'posts', events: ['created'] });
    expect((await origin.ask('/v1/webhooks', { method: 'POST', body })).status).toBe(201);
    await origin.put(posts, 'a', { text: 'one' });
    await eventually('it is taken', async () => valueOf(await origin.scrape(), 'tombolo_webhook_deliveries_taken_total') === 1);
    const fires = await watching();
    status = 500;
    await origin.put(posts, 'b', { text: 'two' });
    await fires('TomboloWebhooksFailing');
    await eventually('it is given up', async () => valueOf(await origin.scrape(), 'tombolo_webhook_deliveries_dead_total') === 1);
    expect(valueOf(await origin.scrape(), 'tombolo_webhook_deliveries_failed_total')).toBe(3);
  });
});

alertTest('an origin that is gone', async () => {
  await beginOn('sqlite');
  const before = await origin.scrape();
  await origin.context.services.stop(Date.now() + 5_000);
  const after = await origin.scrape().catch(() => undefined);
  expect(names(firing({ before, after }))).toEqual(['TomboloAway']);
});

alertTest('a lock that another program holds: writes that wait, and are slow', async () => {
  await beginOn('sqlite');
  const other = new Database(join(origin.context.settings.dataDir, databaseName));
  const fires = await watching();
  other.run('BEGIN IMMEDIATE');
  const written = origin.ask('/v1/posts', { method: 'POST', body: '{"id":"a","text":"one"}' });
  await fires('TomboloStoreContended');
  expect(valueOf(await origin.scrape(), 'tombolo_requests_under_way')).toBe(1);
  const more = Array.from({ length: storeLimits.writesQueuedMax * 0.6 }, (_, index) =>
    origin.context.store.write([{ resource: posts, id: `p${index}`, decide: () => ({ kind: 'keep' }) }], inTime()));
  await fires('TomboloWritesWaiting');
  // What it must wait for to be slow.
  await Bun.sleep(1_000);
  other.run('ROLLBACK');
  other.close();
  await Promise.all([written, ...more]);
  expect((await fires('TomboloSlow')).labels).toMatchObject({ operation: 'create' });
});

alertTest('a program that holds a read transaction open: the log grows', async () => {
  await beginOn('sqlite');
  const other = new Database(join(origin.context.settings.dataDir, databaseName));
  disposals.push(() => other.close());
  const fires = await watching({ growing: ['tombolo_store_wal_bytes'] });
  other.run('BEGIN');
  other.query('SELECT count(*) FROM sqlite_schema').get();
  for (let index = 0; index < 24; index++) await origin.put(posts, `p${index}`, { text: 'x'.repeat(1_000_000) });
  await fires('TomboloWalLarge');
});

testThat(promtool, mayMount)('a disk with little left', async () => {
  origin = await ScrapedOrigin.open({ ...aMetricsPort(), TOMBOLO_DATA_DIR: openDisk(16, disposals), TOMBOLO_DISK_BYTES_MIN: '0' }, served);
  const after = await origin.scrape();
  expect(names(firing({ before: after, after }))).toEqual(['TomboloDiskFilling']);
});

alertTest('an event loop that stands still, and a thread that is lost', async () => {
  await beginOn('sqlite');
  const fires = await watching();
  // Nothing of this process runs meanwhile.
  Bun.sleepSync(600);
  await fires('TomboloEventLoopLate');
  const { compute } = origin.context;
  const close = () => compute.call('csv.close', { stream: 1 }, { signal: new AbortController().signal, msMax: 1 });
  // A thread that has started may answer within that time.
  await eventually('a call is late', () => close().then(() => false, () => true));
  await fires('TomboloThreadsLost');
});

alertTest('a database in which steps are pending', async () => {
  const { uri, foreign, remove } = await openControlledDatabase();
  disposals.push(remove);
  await foreign.collection<{ _id: string }>('posts').insertOne({ _id: 'theirs' });
  origin = await ScrapedOrigin.open({ ...aMetricsPort(), MONGODB_URI: uri }, served);
  const after = await origin.scrape();
  expect(names(firing({ before: after, after }))).toEqual(['TomboloStepsPending']);
});

alertTest('a database that is gone: its services, the feed, and requests that fail', async () => {
  const { uri, server, remove } = await openControlledDatabase();
  disposals.push(remove);
  origin = await ScrapedOrigin.open({ ...aMetricsPort(), MONGODB_URI: uri }, served);
  const fires = await watching();
  await server.kill(0);
  await fires('TomboloNotReady', 'store');
  expect((await fetch(`${origin.url}/ready`)).status).toBe(503);
  expect(await (await fetch(`${origin.url}/live`)).json()).toEqual({ status: 'live' });
  expect((await origin.ask('/v1/posts')).status).toBe(503);
  await fires('TomboloFailing');
  await fires('TomboloFeedBehind');
}, 60_000);
