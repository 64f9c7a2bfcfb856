/** Minutes of many callers in virtual time, decided by the edge's own code and by the definition. */
import { describe, expect, test } from 'bun:test';
import { Counter } from '../../../edge/rate-limit/counter.ts';
import { SlidingLog } from '../../../edge/rate-limit/sliding-log.ts';
import { plans } from '../../../shared/limits/plans.ts';
import { type Asked, decideByLog, overshoot, type QuotaWorldOptions, QuotaWorld } from '../../support/quota-world.ts';
import { randomFrom } from '../../support/random.ts';

const { anonymous: plan } = plans({
  anonymous: 'plan',
  signedIn: 'plan',
  plans: {
    plan: [
      { limit: 200, seconds: 10 },
      { limit: 600, seconds: 60 },
    ],
  },
});

interface Callers {
  readonly count: number;
  /** Bursts a second. */
  readonly rate: number;
  /** Requests of a burst, at most. */
  readonly burst: number;
}

/** The requests of two minutes, ordered by time. */
function toTrace(kinds: readonly Callers[], isolates: number, seed: number): readonly Asked[] {
  const random = randomFrom(seed);
  const trace = kinds.flatMap(({ count, rate, burst }, kind) => Array.from({ length: count }, (_, index) => {
    const own: Asked[] = [];
    for (let at = random() * 1_000; at < 120_000; at -= (Math.log(1 - random()) * 1_000) / rate) {
      for (let left = 1 + Math.floor(random() * burst); left > 0; left--) {
        own.push({
          at: Math.round((at += burst > 1 ? random() * 40 : 0)),
          caller: `${kind}/${index}`,
          isolate: Math.floor(random() * isolates),
        });
      }
    }
    return own;
  }).flat());
  return trace.sort((a, b) => a.at - b.at);
}

async function compare(trace: readonly Asked[], options: Omit<QuotaWorldOptions, 'plan'>) {
  const world = new QuotaWorld({ plan, ...options });
  const decided = await world.play(trace);
  const expected = decideByLog(plan, trace);
  const granted = decided.filter(({ kind }) => kind === 'granted');
  const wrong = trace.filter((_asked, index) => (decided[index]?.kind === 'granted') !== expected[index]).length;
  const over = Math.max(
    ...[...new Set(trace.map(({ caller }) => caller))].map((name) =>
      overshoot(
        plan,
        granted.filter(({ caller }) => caller === name).map(({ decidedAt }) => decidedAt),
      ),
    ),
  );
  return {
    wrong: wrong / trace.length,
    refused: expected.filter((fits) => !fits).length / trace.length,
    over,
    answered: decided.filter(({ kind }) => kind !== 'unavailable').length,
  };
}

/** Most stay below their plan, some come in bursts, one in twenty asks for more than it may. */
const mixed = [{ count: 80, rate: 2.5, burst: 1 }, { count: 15, rate: 0.1, burst: 80 }, { count: 5, rate: 16, burst: 1 }];

describe('of the decisions on a trace of a hundred callers', () => {
  test.each([1, 4, 16, 64])(
    'at most one in a thousand differs from the definition, and no window is overdrawn, over %d isolates',
    async (isolates) => {
      const trace = toTrace(mixed, isolates, isolates);
      const { wrong, refused, over, answered } = await compare(trace, { isolates, latencyMs: 5 });
      expect(answered).toBe(trace.length);
      expect(refused).toBeGreaterThan(0.03);
      expect(over).toBeLessThanOrEqual(0);
      expect(wrong).toBeLessThanOrEqual(0.001);
    },
  );

  test('no window is overdrawn by callers who ask for ten times their plan, however far the counter is', async () => {
    for (const latencyMs of [1, 20, 150]) {
      const { over, refused } = await compare(toTrace([{ count: 2, rate: 100, burst: 1 }], 4, latencyMs), { isolates: 4, latencyMs });
      expect(refused).toBeGreaterThan(0.8);
      expect(over).toBeLessThanOrEqual(0);
    }
  });
});

test('a counter that is handed on after each question decides as one that stays', async () => {
  const trace = toTrace([{ count: 3, rate: 8, burst: 1 }, { count: 3, rate: 0.1, burst: 80 }, { count: 1, rate: 40, burst: 1 }], 4, 1);
  const play = async (isHandedOn: boolean) =>
    (await new QuotaWorld({ plan, isolates: 4, latencyMs: 20, isHandedOn }).play(trace)).map(({ kind, decidedAt }) => [kind, decidedAt]);
  expect(await play(true)).toEqual(await play(false));
});

test('a sliding log says what a list of timestamps says', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = randomFrom(seed);
    const log = new SlidingLog(1_000);
    let charges: { at: number; amount: number }[] = [];
    for (let now = 0; now < 6_000; now += Math.ceil(random() * 60)) {
      const at = now + Math.floor(random() * 3) * 40;
      if (random() < 0.2) {
        const found = charges.find((charge) => charge.at === at && charge.at + 1_000 > now);
        const taken = Math.min(2, found?.amount ?? 0);
        log.used(now);
        expect(log.take(at, 2)).toBe(taken);
        if (found !== undefined) found.amount -= taken;
      } else {
        log.add(at, 3);
        const same = charges.find((charge) => charge.at === at);
        if (same === undefined) charges.push({ at, amount: 3 });
        else same.amount += 3;
      }
      charges = charges.filter((charge) => charge.at + 1_000 > now);
      expect(log.used(now)).toBe(charges.reduce((sum, { amount }) => sum + amount, 0));
    }
  }
});

describe('a lease', () => {
  const windows = [{ limit: 1_000, seconds: 60 }];
  const take = (counter: Counter, want: number, now: number) => counter.decide({ windows, cost: 1, want, settled: [] }, now);

  test('is at most a twentieth of what is left, and two seconds', () => {
    const counter = new Counter();
    const { granted, leaseMs, windows: [standing] } = take(counter, 500, 0);
    expect([granted, leaseMs, standing?.left]).toEqual([50, 2_000, 950]);
    expect(take(counter, 500, 1).granted).toBe(47);
  });

  test('that is settled gives back what was not spent', () => {
    const counter = new Counter();
    const { lease } = take(counter, 50, 0);
    const answer = counter.decide({ windows, cost: 0, want: 0, settled: [{ lease, spent: [[100, 20]], unused: 30 }] }, 2_000);
    expect(answer.windows[0]).toEqual({ left: 980, resetMs: 58_100, violated: false });
  });

  test('that is settled falsely, twice, or by nobody stays spent', () => {
    const counter = new Counter();
    const { lease } = take(counter, 50, 0);
    const left = (settled: { lease: number; spent: readonly [number, number][]; unused: number }[], now: number) =>
      counter.decide({ windows, cost: 0, want: 0, settled }, now).windows[0]?.left;
    expect(left([{ lease, spent: [[1, 10]], unused: 90 }], 10)).toBe(950);
    expect(left([{ lease: lease + 1, spent: [], unused: 50 }], 10)).toBe(950);
    expect(left([{ lease, spent: [[1, 40]], unused: 10 }], 20)).toBe(960);
    expect(left([{ lease, spent: [[1, 40]], unused: 10 }], 30)).toBe(960);
  });

  test('of an earlier life of the counter counts as spent until a window after its end', () => {
    const kept: [number, number, number][] = [];
    take(new Counter((...charge) => kept.push(charge)), 50, 0);
    const reborn = new Counter();
    for (const charge of kept) reborn.restore(...charge);
    const left = (now: number) => reborn.decide({ windows, cost: 0, want: 0, settled: [] }, now).windows[0]?.left;
    expect([left(1), left(61_999), left(62_000)]).toEqual([950, 950, 1_000]);
  });
});
