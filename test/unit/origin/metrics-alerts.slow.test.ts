/** Alerts of `origin/metrics/alerts.yml`, each fired by breaking what it watches; how long its condition must hold is left out. */
import { Database } from 'bun:sqlite';
import { afterEach, describe, expect, test } from 'bun:test';
import { join } from 'node:path';
import type { Own } from '../../../origin/own.ts';
import { sendReport } from '../../../origin/purge/send-report.ts';
import { startPurge } from '../../../origin/purge/start-purge.ts';
import { databaseName } from '../../../origin/store/sqlite/connection/database.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { firing } from '../../support/openmetrics.ts';
import { aMetricsPort, failing, mustCondition, posts, ScrapedOrigin, served, valueOf } from '../../support/scraped-origin.ts';
import { type Engine, engines } from '../../support/whole-world.ts';

const holdLimits = { waitingMax: 100, attemptsMax: 2, retryMs: { first: 10, max: 10 } };

let origin: ScrapedOrigin;
afterEach(() => origin[Symbol.asyncDispose]());
const beginOn = async (engine: Engine, own: Own = {}) => void (origin = await ScrapedOrigin.on(engine, served, own, aMetricsPort()));

describe.each([...engines])('on %s', (engine) => {
  test('an event that a hook has given up fires its alert', async () => {
    await beginOn(engine, { afterCommits: [failing], holdLimits, leaseTimes: { beatMs: 50, silentMsMax: 2_000 } });
    const alert = mustCondition('TomboloHookEventsGivenUp');
    await eventually('the hook begins', async () => (await origin.context.store.cursor('hook failing')) !== undefined);
    expect(firing(alert, await origin.scrape())).toEqual([]);
    await origin.put(posts, 'a', { text: 'one' });
    await eventually('it fires', async () => firing(alert, await origin.scrape())[0]?.labels['service'] === 'hook failing');
  });

  test('an edge that does not hear of changes fires its alert', async () => {
    await beginOn(engine);
    const { context } = origin;
    const edgeUrl = `http://127.0.0.1:${freePort()}`;
    const before = await origin.scrape();
    await context.services.start(`reports to ${edgeUrl}`, () =>
      startPurge(context, edgeUrl, (report, signal) => sendReport(edgeUrl, report, context.settings.keys, signal)));
    const alert = mustCondition('TomboloReportsFailing');
    expect(firing(alert, await origin.scrape(), before)).toEqual([]);
    const [fired] = await eventually('it fires', async () => {
      const found = firing(alert, await origin.scrape(), before);
      return found.length > 0 && found;
    });
    expect(fired?.labels).toEqual({ service: `reports to ${edgeUrl}` });
  });
});

test('a lock that another program holds fires its alert, and the write that waits is seen', async () => {
  await beginOn('sqlite');
  const other = new Database(join(origin.context.settings.dataDir, databaseName));
  const before = await origin.scrape();
  const alert = mustCondition('TomboloStoreContended');
  expect(firing(alert, before, before)).toEqual([]);
  other.run('BEGIN IMMEDIATE');
  const written = origin.ask('/v1/posts', { method: 'POST', body: '{"id":"a","text":"one"}' });
  await eventually('it fires', async () => firing(alert, await origin.scrape(), before).length > 0);
  expect(valueOf(await origin.scrape(), 'tombolo_store_writes_waiting')).toBeGreaterThan(0);
  expect(valueOf(await origin.scrape(), 'tombolo_requests_under_way')).toBe(1);
  other.run('ROLLBACK');
  other.close();
  await written;
});

test('a database that is gone fires the alerts of its services and of the feed, and /ready is 503', async () => {
  const { uri, server, remove } = await openControlledDatabase();
  origin = await ScrapedOrigin.open({ ...aMetricsPort(), MONGODB_URI: uri }, served);
  try {
    const unready = mustCondition('TomboloNotReady');
    expect(firing(unready, await origin.scrape())).toEqual([]);
    expect((await fetch(`${origin.url}/ready`)).status).toBe(200);
    await server.kill(0);
    await eventually('it fires', async () => firing(unready, await origin.scrape())[0]?.labels['service'] === 'store');
    expect((await fetch(`${origin.url}/ready`)).status).toBe(503);
    expect(await (await fetch(`${origin.url}/live`)).json()).toEqual({ status: 'live' });
    await eventually('the feed is behind', async () => firing(mustCondition('TomboloFeedBehind'), await origin.scrape()).length > 0);
  } finally {
    await remove();
  }
}, 60_000);
