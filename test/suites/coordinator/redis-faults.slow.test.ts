/** Redis killed, slow and cut off under an edge: each route's declared choice, and never a hit that nobody vouches for. */
import { afterAll, beforeAll, describe, expect } from 'bun:test';
import { eventually } from '../../support/eventually.ts';
import { testThat } from '../../support/needs.ts';
import { blocksBelow, printedIn, toPattern } from '../../support/printed.ts';
import { redisServer, RestRedis } from '../../support/redis.ts';
import { codeOf, film, World } from '../../support/world.ts';

const redisTest = testThat(redisServer);
const path = '/v2/films/a';
const revalidated = 'tombolo; fwd=stale; fwd-status=304; stored';

let redis: RestRedis;
let world: World;
beforeAll(async () => {
  if (!redisServer.met) return;
  redis = await RestRedis.start();
  world = await World.start({ feedSilentMs: 400, memoMs: 200, variables: { TOMBOLO_ANONYMOUS_PLAN: 'partner', ...redis.variables } });
});
afterAll(async () => {
  await world?.close();
  await redis?.[Symbol.asyncDispose]();
});

let bearer = '';
const post = () => fetch(`${world.edge.url}/v2/films`, {
  method: 'POST', body: JSON.stringify({ title: 'A', year: 2_000 }),
  headers: { 'content-type': 'application/json', authorization: bearer },
});

/** While Redis is away: reads pass, writes are refused, tickets cannot be had, and every answer was asked of the origin. */
async function expectWithout(): Promise<void> {
  await world.noHit(path);
  // What was leased before is spent first.
  await eventually('limits that are counted here', async () => (await world.get(path)).headers.get('tombolo-limits') !== null);
  for (let round = 0; round < 3; round++) {
    const read = await world.get(path);
    expect([read.status, read.headers.get('cache-status'), read.headers.get('tombolo-limits')]).toEqual([
      200, revalidated, 'unavailable;policy=allow',
    ]);
  }
  const write = await post();
  expect([write.status, await codeOf(write), write.headers.get('tombolo-limits')]).toEqual([
    503, 'limits_unavailable', 'unavailable;policy=refuse',
  ]);
  const ticket = await world.get('/v2/live/tickets', { authorization: bearer }, 'POST');
  expect([ticket.status, ticket.headers.get('retry-after')]).toEqual([503, '1']);
}

describe('a Redis that', () => {
  redisTest('keeps an edge is asked by it', async () => {
    bearer = `Bearer ${await world.issuer.token('ed', { payload: { sub: 'usr_1', roles: ['editor'], plan: 'partner' } })}`;
    await world.change('a', film('A'));
    await world.mustHit(path);
    const [shell = ''] = blocksBelow('### Redis in place of Durable Objects', 'sh');
    // Not in sync: what stands before Redis is in this process.
    const { stdout } = Bun.spawn(['bash', '-ec', shell], { env: { ...process.env, ...redis.variables }, stdout: 'pipe' });
    const answered = await new Response(stdout).text();
    expect(answered).toMatch(toPattern(printedIn(shell).at(-1) ?? 'nothing is printed'));
    expect(answered).toContain(world.epoch);
    expect((await redis.command('KEYS', 'tombolo:counter:*')) as string[]).not.toBeEmpty();
  });

  redisTest('is cut off makes nothing look fresh, lets reads pass and writes not, and is asked again once it is there', async () => {
    await world.feed.pause();
    redis.way = 'cut';
    await expectWithout();
    redis.way = 'open';
    await world.feed.resume();
    await world.mustHit(path);
  });

  redisTest('is slow is waited for once, and not by the requests that follow', async () => {
    await world.feed.pause();
    redis.way = 'slow';
    await world.noHit(path);
    await world.get(path);
    // A second for a question; each that follows within a quarter of one does not ask.
    const began = performance.now();
    const asked = redis.asked;
    const answers = await Promise.all(Array.from({ length: 20 }, () => world.get(path)));
    for (const answer of answers) expect([answer.status, answer.headers.get('cache-status')]).toEqual([200, revalidated]);
    expect(redis.asked - asked).toBeLessThan(10);
    expect(performance.now() - began).toBeLessThan(10_000);
    redis.way = 'open';
    await world.feed.resume();
    await world.mustHit(path);
  });

  redisTest('is killed and comes back empty begins anew: nothing of before counts as fresh until the origin says all of it', async () => {
    await world.feed.pause();
    await redis.kill();
    await expectWithout();
    await redis.again();
    world.write('a', film('Changed meanwhile'));
    const [first, second] = [await world.feed.tell(), await world.feed.tell()];
    expect([first.accepted, first.epoch, second.accepted]).toEqual([false, null, false]);
    await world.pastMemo();
    expect(await (await world.get(path)).json()).toMatchObject({ title: 'Changed meanwhile' });
    await world.feed.begin();
    await world.feed.resume();
    await world.mustHit(path);
    expect(await (await world.get(path)).json()).toMatchObject({ title: 'Changed meanwhile' });
  });
});
