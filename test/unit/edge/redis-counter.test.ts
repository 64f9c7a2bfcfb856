/** The counter in Redis beside the one of Durable Objects: both are asked the same, at the same moments, and answer the same. */
import { afterAll, beforeAll, expect } from 'bun:test';
import fc from 'fast-check';
import { type Answer, type Ask, Counter, type Settlement } from '../../../edge/rate-limit/counter.ts';
import { dayMs, monthOf } from '../../../edge/rate-limit/days.ts';
import type { UnderWay } from '../../../edge/rate-limit/slots.ts';
import { counterScript } from '../../../edge/redis/counter-script.ts';
import { testThat } from '../../support/needs.ts';
import { redisServer, RestRedis } from '../../support/redis.ts';

let redis: RestRedis;
beforeAll(async () => {
  if (redisServer.met) redis = await RestRedis.start();
});
afterAll(() => redis?.[Symbol.asyncDispose]());

/** The script with the clock of the test in place of Redis's. */
const timed = counterScript.replace("redis.call('TIME')", '{ ARGV[4], ARGV[5] }');

async function decideByScript(key: string, ask: Ask, now: number): Promise<Answer> {
  const [first, next] = monthOf(now);
  const months = [monthOf((first - 1) * dayMs)[0], first, next, monthOf(next * dayMs)[1]];
  const time = [String(Math.floor(now / 1_000)), String((now % 1_000) * 1_000)];
  const told = await redis.command('EVAL', timed, '1', key, JSON.stringify(ask), '0', JSON.stringify(months), ...time);
  const answer = JSON.parse(String(told)) as Answer;
  return { ...answer, windows: Array.isArray(answer.windows) ? answer.windows : [] };
}

const windowsOf = [
  [{ limit: 3, seconds: 1 }, { limit: 9, seconds: 10 }], [{ limit: 100, seconds: 3 }], [{ limit: 4_000, seconds: 7 }],
  [{ limit: 40, seconds: 60 }, { limit: 60, seconds: 3_600 }], [],
];

interface Step {
  readonly afterMs: number;
  readonly cost: number;
  readonly want: number;
  readonly paid: number;
  readonly settles: boolean;
  readonly kind: 'reads' | 'writes';
  readonly underWay: UnderWay | undefined;
}

/** Few ids, so that slots are given back and gone on with. */
const underWay: fc.Arbitrary<UnderWay> = fc.record({
  does: fc.constantFrom('begin', 'begin', 'go on', 'end'),
  id: fc.integer({ min: 1, max: 2 ** 48 - 1 }).map((id) => (id % 2 === 0 ? id : id % 8)),
  max: fc.integer({ min: 1, max: 3 }),
});

const step: fc.Arbitrary<Step> = fc.record({
  afterMs: fc.oneof(
    fc.integer({ min: 0, max: 400 }), fc.integer({ min: 0, max: 15_000 }), fc.constantFrom(dayMs, 40 * dayMs),
    // To the millisecond at which something leaves a window.
    fc.constantFrom(0, 1_000, 3_000, 7_000, 10_000),
  ),
  cost: fc.integer({ min: 0, max: 5 }), want: fc.constantFrom(0, 2, 20), paid: fc.constantFrom(0, 0, 2),
  settles: fc.boolean(), kind: fc.constantFrom('reads', 'writes'),
  underWay: fc.option(underWay, { nil: undefined }),
});

const life = fc.record({
  windows: fc.constantFrom(...windowsOf), quota: fc.constantFrom(undefined, 12, 400), keepsDays: fc.boolean(),
  // The last minute of a month, whose end some cross.
  begins: fc.integer({ min: Date.UTC(2026, 0, 31, 23, 59), max: Date.UTC(2026, 1, 1) }),
  steps: fc.array(step, { minLength: 5, maxLength: 40 }), spends: fc.integer({ min: 0, max: 20 }),
});

/** What is told of a lease: so much was spent in its first half, the rest was not. */
function settle({ lease, granted }: Answer, spends: number): Settlement {
  const spent = Math.min(spends, granted);
  return { lease, spent: spent === 0 ? [] : [[7, spent]], unused: granted - spent, kinds: { reads: spent } };
}

let lives = 0;
testThat(redisServer)('a counter in Redis decides as the counter of an object does, question by question', async () => {
  expect(timed).not.toBe(counterScript);
  const seen = { leases: 0, refusals: 0, shares: 0, full: 0 };
  await fc.assert(fc.asyncProperty(life, async ({ windows, quota, keepsDays, begins, steps, spends }) => {
    const key = `life:${++lives}`;
    const counter = new Counter();
    let now = begins;
    // Leases of both sides, by which each is told what was spent: a script names them anew once its key has expired.
    let open: (readonly [Answer, Answer])[] = [];
    for (const { afterMs, cost, want, paid, settles, kind, underWay: slot } of steps) {
      now += afterMs;
      const settled = (side: 0 | 1) => (settles ? open.map((both) => settle(both[side], spends)) : []);
      const days = keepsDays || quota !== undefined ? { days: { kind, ...(quota === undefined ? {} : { quota }) } } : {};
      const ask = (side: 0 | 1): Ask => ({ windows, cost, want, paid, settled: settled(side), ...days, ...(slot && { underWay: slot }) });
      const [expected, got] = [counter.decide(ask(0), now), await decideByScript(key, ask(1), now)];
      expect({ ...got, lease: Math.sign(got.lease) }).toEqual({ ...expected, lease: Math.sign(expected.lease) });
      if (settles) open = [];
      if (got.lease !== 0) open.push([expected, got]);
      seen.leases += Math.sign(got.lease);
      seen.refusals += Math.sign(got.retryMs);
      seen.full += got.isFull === true ? 1 : 0;
      seen.shares += got.share === undefined ? 0 : 1;
    }
  }), { numRuns: 150 });
  for (const count of Object.values(seen)) expect(count).toBeGreaterThan(20);
});
