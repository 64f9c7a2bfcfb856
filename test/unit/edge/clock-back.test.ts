/** A clock that is set back by an hour: nothing looks fresh by it, and nobody is refused for so long. */
import { afterEach, expect, setSystemTime, test } from 'bun:test';
import { Generations } from '../../../edge/cache/generations.ts';
import { GenerationsCoordinator } from '../../../edge/coordinator/coordinator.ts';
import type { Answer } from '../../../edge/rate-limit/counter.ts';
import { Allowance } from '../../../edge/rate-limit/lease.ts';
import { SingleFlight } from '../../../edge/single-flight.ts';
import { openMemoryStorage } from '../../../origin/one-process/database.ts';
import { FloodShield } from '../../../origin/one-process/flood-shield.ts';
import { GenerationsInMemory } from '../../../origin/one-process/generations.ts';
import { plans } from '../../../shared/limits/plans.ts';

afterEach(() => void setSystemTime());

const hour = 3_600_000;
const began = Date.UTC(2026, 10, 21, 12);
const order = (at: number) => at.toString(16).padStart(16, '0');
const report = (through: number, asOf: number) =>
  ({ epoch: 'a'.repeat(16), from: through === 1 ? null : order(1), through: order(through), asOf, raised: {}, whole: {} });
const toCoordinator = () => new GenerationsCoordinator(openMemoryStorage(), new GenerationsInMemory());

test('what the coordinator knew as of a moment that is yet to come is not known, until it is told anew', () => {
  const coordinator = toCoordinator();
  const ageMs = (now: number) => coordinator.changesSince('films', undefined, now).ageMs;
  coordinator.report(report(1, began), began);
  expect(ageMs(began + 5)).toBe(5);
  expect([ageMs(began - hour), ageMs(began - hour + 60_000)]).toEqual([null, null]);
  coordinator.report(report(2, began - hour), began - hour + 10);
  expect([ageMs(began - hour + 20), ageMs(began - hour + 60_000)]).toEqual([20, 60_000]);
});

test('an isolate asks again for generations that it heard at a moment that is yet to come', async () => {
  const coordinator = toCoordinator();
  coordinator.report(report(1, began), began);
  const memo = new Generations({ memoMs: 1_000, feedSilentMs: 5_000 }, { digest: '', reported: new Map() });
  const films = [{ resource: 'films', buckets: [0] }];
  let asked = 0;
  const asking = {
    ask: async (resource: string) => (asked++, coordinator.changesSince(resource, undefined, Date.now())), waitUntil: () => undefined,
  };
  setSystemTime(began);
  expect(await memo.view(films, asking)).toMatchObject({ known: true, through: order(1) });
  setSystemTime(began - hour);
  expect(memo.peek(films)?.known).toBe(false);
  coordinator.report({ ...report(2, began - hour), raised: { films: { 0: order(2) } } }, began - hour);
  expect(await memo.view(films, asking)).toMatchObject({ known: true, through: order(2), generations: [order(2)] });
  expect(asked).toBe(2);
});

const { anonymous: plan } = plans({ anonymous: 'plan', signedIn: 'plan', plans: { plan: [{ limit: 400, seconds: 10 }] } });
const granted: Answer = { granted: 8, lease: 7, leaseMs: 1_000, windows: [], retryMs: 0, vainMs: 0 };

test('a refusal, a lease and the time without a counter are over', () => {
  const allowance = new Allowance(plan);
  allowance.adopt({ ...granted, granted: 0, lease: 0, retryMs: 500, vainMs: 500 }, began, 1);
  expect([allowance.refusal(1, began + 10)?.retryMs, allowance.refusal(1, began - hour)]).toEqual([490, undefined]);
  allowance.adopt(granted, began, 1);
  expect([allowance.spend(1, began + 10), allowance.spend(1, began - hour)]).toEqual([true, false]);
  expect(allowance.settle()).toEqual([{ lease: 7, spent: [[0, 1], [10, 1]], unused: 6 }]);
  allowance.unanswered(began + 2_000, began);
  expect([allowance.isAlone(began), allowance.isAlone(began - hour)]).toEqual([true, false]);
});

test('the flood shield begins its window anew', () => {
  let now = began;
  const shield = new FloodShield(2, () => now);
  expect([1, 2, 3].map(() => shield.isWithin('a'))).toEqual([true, true, false]);
  now = began - hour;
  expect(shield.isWithin('a')).toBe(true);
});

test('nobody waits for a flight that never lands', () => {
  const flights = new SingleFlight<void>(1_000);
  setSystemTime(began);
  void flights.start('a', () => Promise.withResolvers<void>().promise);
  expect(flights.has('a')).toBe(true);
  setSystemTime(began - hour);
  expect(flights.has('a')).toBe(false);
});
