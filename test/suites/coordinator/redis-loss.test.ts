/** What Redis may lose of what it acknowledged, and that none of it makes an old answer look fresh. */
import { afterAll, beforeAll, beforeEach, expect } from 'bun:test';
import { changesInRedis, reportToRedis } from '../../../edge/redis/generations.ts';
import { Redis } from '../../../edge/redis/redis.ts';
import type { Report } from '../../../shared/hop/purge-report.ts';
import { testThat } from '../../support/needs.ts';
import { redisServer, RestRedis } from '../../support/redis.ts';

const redisTest = testThat(redisServer);

let redis: RestRedis;
let client: Redis;
beforeAll(async () => {
  if (!redisServer.met) return;
  redis = await RestRedis.start();
  const { UPSTASH_REDIS_REST_URL: url, UPSTASH_REDIS_REST_TOKEN: token } = redis.variables;
  client = new Redis({ url, token });
});
beforeEach(async () => {
  if (redisServer.met) await redis.command('FLUSHALL');
});
afterAll(() => redis?.[Symbol.asyncDispose]());

const order = (at: number) => at.toString(16).padStart(16, '0');
let nonces = 0;

async function report(given: Partial<Omit<Report, 'through'>> & { readonly through: string }) {
  const whole: Report = { epoch: 'a'.repeat(16), from: null, asOf: null, raised: {}, whole: {}, ...given };
  const outcome = await reportToRedis(client, { report: whole, nonce: `nonce-${++nonces}`, expiresAt: Date.now() + 60_000 });
  if (outcome === 'replayed') throw new Error('a nonce came twice');
  return outcome;
}

/** The origin begins and tells of one change. */
async function begin(): Promise<void> {
  const { now } = await report({ through: order(1) });
  await report({ from: order(1), through: order(2), asOf: now, raised: { films: { 7: order(2) } } });
}

const changes = (resource = 'films', heard?: Awaited<ReturnType<typeof changesInRedis>>) =>
  changesInRedis(client, resource, heard && { instance: heard.instance, revision: heard.revision, epoch: heard.epoch ?? '' });

redisTest('all: another instance begins, knows nothing, and joins no report until everything is raised', async () => {
  await begin();
  const heard = await changes();
  await redis.command('FLUSHALL');
  const { instance, ...emptied } = await changes('films', heard);
  expect(instance).not.toBe(heard.instance);
  expect(emptied).toMatchObject({ epoch: null, ageMs: null, whole: true, buckets: [] });
  expect(await report({ from: order(2), through: order(3) })).toMatchObject({ accepted: false, epoch: null });
  expect(await report({ through: order(3) })).toMatchObject({ accepted: true });
  expect(await changes()).toMatchObject({ floor: order(3), ageMs: null });
});

redisTest('the keys of a resource: all of it counts as raised, and of the others nothing', async () => {
  for (const lost of ['order', 'revision']) {
    await redis.command('FLUSHALL');
    await begin();
    const heard = await changes();
    expect(heard).toMatchObject({ floor: order(1), buckets: [{ bucket: 7, order: order(2) }] });
    await redis.command('DEL', `tombolo:generations:${lost}:films`);
    expect(await changes('films', heard)).toMatchObject({ floor: order(2), buckets: [] });
    expect(await changes('places')).toMatchObject({ floor: order(1) });
    await report({ from: order(2), through: order(3), raised: { films: { 8: order(3) } } });
    expect(await changes('films', heard)).toMatchObject({ floor: order(2), buckets: [{ bucket: 8, order: order(3) }] });
  }
});

redisTest('the hash alone: what is left of the others is not taken for its own', async () => {
  await begin();
  await redis.command('DEL', 'tombolo:generations');
  await report({ through: order(1) });
  expect(await changes()).toMatchObject({ floor: order(1), buckets: [] });
  await report({ from: order(1), through: order(3), raised: { films: { 9: order(3) } } });
  expect((await changes()).buckets).toEqual([{ bucket: 9, order: order(3) }]);
});

redisTest('the last second: whoever heard more is told that nothing is known, and hears all of it again', async () => {
  await begin();
  const keys = ['', ':order:films', ':revision:films'].map((part) => `tombolo:generations${part}`);
  for (const key of keys) await redis.command('COPY', key, `kept:${key}`);
  const { now } = await report({ from: order(2), through: order(3), raised: { films: { 7: order(3), 8: order(3) } } });
  await report({ from: order(3), through: order(3), asOf: now });
  const heard = await changes();
  expect([heard.buckets.length, heard.ageMs === null]).toEqual([2, false]);
  for (const key of keys) await redis.command('COPY', `kept:${key}`, key, 'REPLACE');
  const less = await changes('films', heard);
  expect(less).toMatchObject({ ageMs: null, whole: false, buckets: [] });
  // The origin's next report says nothing of what was lost, so it must not join; the one after it says all of it again.
  expect(await report({ from: order(3), through: order(4), asOf: now })).toMatchObject({ accepted: false, through: order(2) });
  await report({ from: order(2), through: order(4), asOf: now, raised: { films: { 7: order(3), 8: order(3) } } });
  const again = await changes('films', heard);
  expect(again.revision).toBeGreaterThan(heard.revision);
  expect(again.ageMs).not.toBeNull();
  expect(again.buckets.map(({ order: at }) => at)).toEqual([order(3), order(3)]);
});

redisTest('the single buckets of a report that is too long for it: all of their resources counts as raised', async () => {
  await begin();
  const many = Object.fromEntries(Array.from({ length: 1_000 }, (_, bucket) => [bucket, order(3)]));
  const raised = Object.fromEntries(Array.from({ length: 30 }, (_, index) => [`resource-${index}`, many]));
  expect(await report({ from: order(2), through: order(4), raised })).toMatchObject({ accepted: true });
  expect(await changes('resource-7')).toMatchObject({ floor: order(4), buckets: [] });
  expect(await changes()).toMatchObject({ floor: order(1), buckets: [{ bucket: 7, order: order(2) }] });
});

redisTest('its clock: a moment that is yet to come makes nothing fresh', async () => {
  await begin();
  expect((await changes()).ageMs).not.toBeNull();
  await redis.command('HSET', 'tombolo:generations', 'asOf', String(Date.now() + 60_000));
  expect((await changes()).ageMs).toBeNull();
  // A report after it says anew what is complete.
  await report({ from: order(2), through: order(2), asOf: Date.now() });
  expect((await changes()).ageMs).toBeWithin(0, 60_000);
});

redisTest('its scripts: they are sent by their text once, and again to a Redis that does not know them', async () => {
  await begin();
  const before = redis.texts;
  for (let turn = 0; turn < 5; turn++) await changes();
  expect(redis.texts - before).toBeLessThanOrEqual(1);
  await redis.command('SCRIPT', 'FLUSH');
  expect((await changes()).epoch).toBe('a'.repeat(16));
  expect(redis.texts - before).toBeWithin(1, 3);
});

redisTest('whoever does not have the token is told nothing, and nothing is told of the token', async () => {
  const stranger = new Redis({ url: redis.variables.UPSTASH_REDIS_REST_URL, token: 'another-token' });
  const refused = await changesInRedis(stranger, 'films', undefined).catch((cause: unknown) => cause);
  expect(String(refused)).toBe('Error: Redis answers WRONGPASS');
});
