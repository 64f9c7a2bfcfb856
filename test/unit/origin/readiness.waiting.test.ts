/** What `/ready` says when something breaks: each named within two seconds, by the origin and by the edge that asks it. */
import { expect, test } from 'bun:test';
import { OriginClient } from '../../../edge/origin-client/origin-client.ts';
import { Macs } from '../../../edge/origin-client/macs.ts';
import { edgeLimits } from '../../../edge/limits.ts';
import { Feed } from '../../../origin/feed/feed.ts';
import { mustKeyRing } from '../../../shared/hop/keys.ts';
import { disposedAfterEach } from '../../support/disposals.ts';
import { eventually } from '../../support/eventually.ts';
import { freePort } from '../../support/free-port.ts';
import { toHasher } from '../../support/hasher.ts';
import { openControlledDatabase } from '../../support/mongo-database.ts';
import { aMetricsPort, ScrapedOrigin, served } from '../../support/scraped-origin.ts';
import { testKeys } from '../../support/scripted-origin.ts';

/** What a load balancer waits for. */
const namedWithinMs = 2_000;

interface Told {
  readonly status: number;
  readonly services: Readonly<Record<string, { readonly ready: boolean; readonly detail?: string }>>;
}

const disposals = disposedAfterEach();
const hasher = toHasher();

async function mustOrigin(variables: Readonly<Record<string, string>> = {}): Promise<ScrapedOrigin> {
  const origin = await ScrapedOrigin.on('sqlite', served, {}, { ...aMetricsPort(), ...variables });
  disposals.push(() => origin[Symbol.asyncDispose]());
  return origin;
}

async function askReady({ url }: { readonly url: string }): Promise<Told> {
  const answer = await fetch(`${url}/ready`);
  return { ...((await answer.json()) as Pick<Told, 'services'>), status: answer.status };
}

const unreadyOf = ({ services }: Told) => Object.entries(services).flatMap(([name, { ready }]) => (ready ? [] : [name]));

/** An edge before these, which are told apart by their order. */
function edgeBefore(...urls: readonly string[]): OriginClient {
  const origins = urls.map((url) => ({ url: new URL(url), weight: 1, canaryPercent: undefined }));
  return new OriginClient({ origins, macs: new Macs(mustKeyRing(testKeys), hasher), hasher });
}

test('a database that dies is named within two seconds, at the origin and at the edge', async () => {
  const { uri, server, remove } = await openControlledDatabase();
  disposals.push(remove);
  const origin = await ScrapedOrigin.open({ ...aMetricsPort(), MONGODB_URI: uri }, served);
  disposals.push(() => origin[Symbol.asyncDispose]());
  const edge = edgeBefore(origin.url);
  expect((await askReady(origin)).status).toBe(200);
  expect(await edge.readiness()).toEqual([{ status: 'ready' }]);
  await server.kill(0);
  const diedAtMs = performance.now();
  // What the edge knows from before is old then.
  await Bun.sleep(edgeLimits.readyBelievedMs);
  const [told, [seen]] = await Promise.all([askReady(origin), edge.readiness()]);
  expect(performance.now() - diedAtMs).toBeLessThan(namedWithinMs);
  expect([told.status, unreadyOf(told).includes('store')]).toEqual([503, true]);
  expect(seen).toMatchObject({ status: 'unready' });
  expect(seen?.services).toContain('store');
}, 60_000);

test('a disk with less left than is set is named, and 0 asks for no look', async () => {
  const full = await askReady(await mustOrigin({ TOMBOLO_DISK_BYTES_MIN: String(Number.MAX_SAFE_INTEGER) }));
  expect([full.status, unreadyOf(full)]).toEqual([503, ['disk']]);
  expect(full.services['disk']?.detail).toMatch(/^the disk is full: \d+ bytes are left/);
  expect((await askReady(await mustOrigin({ TOMBOLO_DISK_BYTES_MIN: '0' }))).status).toBe(200);
  expect((await askReady(await mustOrigin())).status).toBe(200);
});

test('a feed whose source falls silent is named within two seconds', async () => {
  const { context } = await mustOrigin();
  let isSilent = false;
  async function* watch(...asked: Parameters<typeof context.store.watch>) {
    for await (const batch of context.store.watch(...asked)) {
      if (isSilent) await new Promise<never>((_, reject) => asked[1].addEventListener('abort', () => reject(asked[1].reason)));
      yield batch;
    }
  }
  const store = new Proxy(context.store, {
    get: (target, name) => {
      const value: unknown = name === 'watch' ? watch : Reflect.get(target, name, target);
      return typeof value === 'function' && name !== 'watch' ? value.bind(target) : value;
    },
  });
  const feed = await Feed.open({ store, onTrouble: () => undefined });
  await context.services.start('feed of the test', () => ({ value: feed, stop: () => feed.close(), state: () => feed.state() }));
  // Some batches come, one every 100 ms.
  await Bun.sleep(300);
  expect(feed.state()).toEqual({ ready: true });
  isSilent = true;
  await eventually('it is named', () => !feed.state().ready, { msMax: namedWithinMs });
  expect(feed.state().detail).toMatch(/heard nothing of the store/);
});

test('the edge asks all of its origins, names what is of no use in words of its own, and is ready while one is', async () => {
  const [ready, full] = [await mustOrigin(), await mustOrigin({ TOMBOLO_DISK_BYTES_MIN: String(Number.MAX_SAFE_INTEGER) })];
  await full.context.services.start('reports to https://secret.test', () => ({
    value: undefined, stop: async () => undefined, state: () => ({ ready: false, detail: 'a password' }),
  }));
  const balancer = Bun.serve({ port: 0, fetch: () => new Response('<html>'.repeat(100_000), { status: 502 }) });
  const frozen = Bun.serve({ port: 0, idleTimeout: 0, fetch: () => new Promise<never>(() => undefined) });
  disposals.push(() => balancer.stop(true), () => frozen.stop(true));
  const edge = edgeBefore(full.url, `http://127.0.0.1:${balancer.port}`, `http://127.0.0.1:${freePort()}`,
    `http://127.0.0.1:${frozen.port}`, ready.url);
  const beganAtMs = performance.now();
  const told = await edge.readiness();
  expect(performance.now() - beganAtMs).toBeLessThan(namedWithinMs);
  const silent = { status: 'silent' as const };
  expect(told).toEqual([{ status: 'unready', services: ['disk', 'other'] }, silent, silent, silent, { status: 'ready' }]);
});
