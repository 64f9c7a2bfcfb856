/** The suite on both keepers that the edge has: Durable Objects, and Redis. One file, so that both use one bundle. */
import { afterAll, beforeAll, test } from 'bun:test';
import { testThat } from '../../support/needs.ts';
import { redisServer, RestRedis } from '../../support/redis.ts';
import { keeperSuite } from './suite.ts';

let redis: RestRedis;
beforeAll(async () => {
  if (redisServer.met) redis = await RestRedis.start();
});
afterAll(() => redis?.[Symbol.asyncDispose]());

keeperSuite({ name: 'Durable Objects', variables: () => ({}), test, isMet: true });
keeperSuite({ name: 'Redis', variables: () => redis.variables, test: testThat(redisServer), isMet: redisServer.met });
