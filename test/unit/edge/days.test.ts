/** The days of a caller and the quota of a month: what is charged to them, and when it counts no more. */
import { describe, expect, test } from 'bun:test';
import { type Ask, Counter, type Settlement } from '../../../edge/rate-limit/counter.ts';
import { dayMs, Days, daysKept, type Kind, type Spent } from '../../../edge/rate-limit/days.ts';
import { plans } from '../../../shared/limits/plans.ts';
import { QuotaWorld } from '../../support/quota-world.ts';
import { Random } from '../../support/random.ts';

const windows = [{ limit: 1_000, seconds: 60 }];
const endOfMonth = Date.UTC(2028, 2, 1);
const asking = (cost: number, { want = cost, quota, kind = 'reads', settled = [] }: {
  want?: number; quota?: number; kind?: Kind; settled?: readonly Settlement[];
} = {}): Ask => ({ windows, cost, want, settled, days: { kind, ...(quota === undefined ? {} : { quota }) } });

describe('a quota', () => {
  test('is spent to the unit, and is whole again with the month, leap days included', () => {
    const counter = new Counter();
    const at = (now: number) => counter.decide(asking(1, { quota: 3 }), now);
    const noon = endOfMonth - dayMs / 2;
    expect([at(noon), at(noon + 1), at(noon + 2), at(noon + 3)].map(({ granted }) => granted)).toEqual([1, 1, 1, 0]);
    const { windows: [minute, month], retryMs, vainMs } = at(endOfMonth - 1_000);
    expect([minute?.violated, month, retryMs, vainMs]).toEqual([false, { left: 0, resetMs: 1_000, violated: true }, 1_000, 1_000]);
    expect([at(endOfMonth - 1).granted, at(endOfMonth).granted]).toEqual([0, 1]);
    expect(at(endOfMonth + 1).windows[1]?.left).toBe(1);
  });

  test('is counted over plans, with the windows all or nothing', () => {
    const counter = new Counter();
    expect(counter.decide(asking(600), endOfMonth).granted).toBe(600);
    expect(counter.decide(asking(600, { quota: 5_000 }), endOfMonth).granted).toBe(0);
    expect(counter.decide(asking(300, { quota: 899 }), endOfMonth).granted).toBe(0);
    expect(counter.decide(asking(300, { quota: 900 }), endOfMonth).windows.map(({ left }) => left)).toEqual([100, 0]);
  });

  test('gives no lease that reaches into another day', () => {
    const counter = new Counter();
    const granted = (now: number) => counter.decide(asking(1, { want: 40, quota: 900 }), now).granted;
    expect([granted(endOfMonth - 2_001), granted(endOfMonth - 2_000), granted(endOfMonth)]).toEqual([40, 1, 40]);
  });

  test('is never over, and nearly all given out, whatever isolates ask for', async () => {
    const { anonymous: plan } = plans({
      anonymous: 'a', signedIn: 'a', plans: { a: { windows: [{ limit: 200, seconds: 10 }], month: 700 } },
    });
    for (const isolates of [1, 4, 16]) {
      const random = new Random(isolates);
      const trace = Array.from({ length: 3_000 }, (_, index) => ({ at: index * 30, caller: 'one', isolate: random.below(isolates) }));
      const decided = await new QuotaWorld({ plan, isolates, latencyMs: 5 }).play(trace);
      const granted = decided.filter(({ kind }) => kind === 'granted').length;
      expect(granted).toBeLessThanOrEqual(700);
      expect(granted).toBeGreaterThanOrEqual(693);
    }
  });
});

test('that 80 and 100 % of a quota are used is told once each in a month, whatever is given back and restarted meanwhile', () => {
  const kept: Spent[] = [];
  const open = () => new Counter(undefined, 0, new Days((spent) => kept.push(spent), [...kept]));
  let counter = open();
  const share = (cost: number, now: number) => counter.decide(asking(cost, { quota: 500 }), now).share;
  const [monthBefore, month] = [endOfMonth - 10 * dayMs, endOfMonth];
  expect([share(399, monthBefore), share(1, monthBefore), share(1, monthBefore)]).toEqual([undefined, 80, undefined]);
  const { lease } = counter.decide(asking(1, { want: 4, quota: 500 }), monthBefore);
  expect(counter.decide(asking(0, { quota: 500, settled: [{ lease, spent: [], unused: 4 }] }), monthBefore).share).toBeUndefined();
  counter = open();
  const later = monthBefore + 90_000;
  expect([share(98, later), share(1, later), share(1, later)]).toEqual([undefined, 100, undefined]);
  expect([share(399, month), share(100, month), share(1, month), share(1, month)]).toEqual([undefined, 80, 100, undefined]);
});

describe('a day', () => {
  const spentOn = (spent: readonly Spent[]) => Object.fromEntries(spent.map(({ kind, amount }) => [kind, amount]));

  test('has what a lease was spent on once that is told, and what is not told stays unsettled', () => {
    const days = new Days();
    const counter = new Counter(undefined, 0, days);
    const lease = () => counter.decide(asking(1, { want: 20 }), endOfMonth).lease;
    const settle = (settlement: Settlement) => counter.decide(asking(0, { settled: [settlement] }), endOfMonth + 1_000);
    const one = lease();
    expect(spentOn(days.spent(endOfMonth))).toEqual({ unsettled: 20 });
    settle({ lease: one, spent: [[0, 5], [9, 3]], unused: 12, kinds: { reads: 5, writes: 3 } });
    expect(spentOn(days.spent(endOfMonth))).toEqual({ reads: 5, writes: 3 });
    settle({ lease: lease(), spent: [[0, 5]], unused: 15 });
    expect(spentOn(days.spent(endOfMonth))).toEqual({ reads: 5, writes: 3, unsettled: 5 });
    settle({ lease: lease(), spent: [[0, 2]], unused: 18, kinds: { reads: 1 } });
    expect(spentOn(days.spent(endOfMonth))).toEqual({ reads: 6, writes: 3, unsettled: 6 });
    settle({ lease: one, spent: [[0, 5]], unused: 15, kinds: { reads: 5 } });
    expect(spentOn(days.spent(endOfMonth))).toEqual({ reads: 6, writes: 3, unsettled: 6 });
  });

  test('is kept as long as is said, and what a restart has of it is the same', () => {
    const random = new Random(3);
    const kept: Spent[] = [];
    const days = new Days((spent) => kept.push(spent));
    const first = Math.floor(endOfMonth / dayMs);
    for (let day = first; day < first + 200; day += random.below(3)) {
      days.add({ day, kind: (['reads', 'streams', 'writes'] as const)[random.below(3)] ?? 'reads', amount: 1 + random.below(9) });
      const now = (day + random.below(1_000) / 1_000) * dayMs;
      const of = kept.filter((spent) => spent.day > day - daysKept);
      expect(days.spent(now).reduce((sum, { amount }) => sum + amount, 0)).toBe(of.reduce((sum, { amount }) => sum + amount, 0));
      expect(new Days(undefined, kept).spent(now)).toEqual(days.spent(now));
      const month = new Date(now).toISOString().slice(0, 7);
      const ofMonth = kept.filter((spent) => new Date(spent.day * dayMs).toISOString().startsWith(month));
      expect(days.usedInMonth(now)).toBe(ofMonth.reduce((sum, { amount }) => sum + amount, 0));
    }
  });
});
