/** A short run of what `npm run soak` does at length: origin and Redis are killed under load, and Redis has less than it had. */
import { expect } from 'bun:test';
import { testThat } from '../../support/needs.ts';
import { redisServer, RestRedis } from '../../support/redis.ts';
import { check } from './check.ts';
import { runHistory } from './killed-origin.ts';

testThat(redisServer)('a Redis that loses what it acknowledged makes nothing be shown that is too old, and loses no write', async () => {
  await using redis = await RestRedis.start({ isKept: true });
  const seed = Math.floor(Math.random() * 2 ** 32);
  const { history, figures } = await runHistory({ redis, seed, kills: 4, writesBetween: 30, memoMs: 300, feedSilentMs: 400 });
  expect({ seed, violations: check(history).slice(0, 10) }).toEqual({ seed, violations: [] });
  expect(figures.writes.acked).toBeGreaterThan(120);
  for (const count of [figures.reads, figures.hits, figures.events]) expect(count).toBeGreaterThan(0);
});
