/** What an isolate knows of one caller: asking, leased or alone, and which follows which. */
import { expect, test } from 'bun:test';
import { type Answer, Counter } from '../../../edge/rate-limit/counter.ts';
import { Allowance } from '../../../edge/rate-limit/lease.ts';
import { plans } from '../../../shared/limits/plans.ts';

const { anonymous: plan } = plans({ anonymous: 'plan', signedIn: 'plan', plans: { plan: [{ limit: 40, seconds: 10 }] } });
const granted = (block: number): Answer => ({
  granted: block, lease: 7, leaseMs: 1_000, windows: [{ left: 20, resetMs: 500, violated: false }], retryMs: 0, vainMs: 0,
});
const refused: Answer = {
  granted: 0,
  lease: 0,
  leaseMs: 0,
  windows: [{ left: 0, resetMs: 500, violated: true }],
  retryMs: 500,
  vainMs: 300,
};

test('a counter that stops answering takes no lease away: alone comes after it, and is over in time', () => {
  const allowance = new Allowance(plan);
  allowance.adopt(granted(2), 0, 0);
  expect(allowance.spend(1, 10)).toBe(true);
  expect(allowance.isToRenew(10)).toBe(true);
  allowance.renewing(500);
  expect(allowance.isToRenew(20)).toBe(false);
  allowance.unanswered(900, 20);
  expect([allowance.isToRenew(600), allowance.spend(1, 600), allowance.spend(1, 610)]).toEqual([false, true, false]);
  expect([allowance.isAlone(610), allowance.isAlone(900)]).toEqual([true, false]);
});

test('a lease that is granted to one who is alone is spent first, and does not make him forget what he let through', () => {
  const allowance = new Allowance(plan);
  allowance.unanswered(5_000, 0);
  expect(allowance.decideAlone({ cost: 30 }, 100).granted).toBe(30);
  allowance.adopt(granted(1), 200, 0);
  expect(allowance.spend(1, 300)).toBe(true);
  allowance.unanswered(8_000, 300);
  expect([allowance.decideAlone({ cost: 11 }, 400).granted, allowance.decideAlone({ cost: 10 }, 400).granted]).toEqual([0, 10]);
});

test('what a lease leaves unspent is told once, by whichever way it ends', () => {
  const allowance = new Allowance(plan);
  allowance.adopt(granted(4), 0, 1);
  expect(allowance.mustReturn(999)).toBe(false);
  expect([allowance.mustReturn(1_000), allowance.settle()]).toEqual([true, [{ lease: 7, spent: [[0, 1]], unused: 3 }]]);
  expect([allowance.mustReturn(1_001), allowance.settle()]).toEqual([false, []]);
});

test('a refusal holds for the same cost and more, until something leaves the windows', () => {
  const allowance = new Allowance(plan);
  expect([allowance.refusal(1, 0), allowance.standing(0)]).toEqual([undefined, []]);
  allowance.adopt(refused, 0, 2);
  expect([allowance.refusal(1, 100), allowance.refusal(2, 100)?.retryMs, allowance.refusal(3, 299)?.retryMs]).toEqual([
    undefined,
    400,
    201,
  ]);
  expect(allowance.refusal(2, 300)).toBeUndefined();
});

test('a refusal does not hold for long while a lease that has ended may still be given back', () => {
  const counter = new Counter();
  const windows = [{ limit: 100, seconds: 3_600 }];
  const ask = { windows, cost: 1, want: 1, settled: [] };
  const { lease, granted: block } = counter.decide({ ...ask, want: 8 }, 0);
  expect([block, counter.decide({ ...ask, cost: 95 }, 10).granted]).toEqual([5, 95]);
  const { granted: none, retryMs, vainMs } = counter.decide(ask, 2_010);
  expect([none, retryMs > 3_000_000, vainMs <= 1_000]).toEqual([0, true, true]);
  counter.decide({ ...ask, cost: 0, settled: [{ lease, spent: [[0, 1]], unused: 4 }] }, 2_050);
  expect(counter.decide(ask, 2_010 + vainMs).granted).toBe(1);
  // Of one that is never told of again nothing comes back, and a refusal holds until something leaves the window.
  const lost = new Counter();
  lost.decide({ ...ask, want: 8 }, 0);
  lost.decide({ ...ask, cost: 95 }, 10);
  expect(lost.decide(ask, 12_010).vainMs).toBe(3_588_000);
});
