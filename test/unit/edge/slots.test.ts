/** Requests under way as the counter has them: slots go with the windows, end with whoever held them, and are told like a restart's. */
import { expect, test } from 'bun:test';
import { type Answer, Counter } from '../../../edge/rate-limit/counter.ts';
import { slotLimits, type UnderWay } from '../../../edge/rate-limit/slots.ts';

const windows = [{ limit: 5, seconds: 60 }];
const tell = (counter: Counter, underWay: UnderWay, now: number): Answer => {
  const asked = underWay.does === 'begin' ? { windows, cost: 1, want: 1 } : { windows: [], cost: 0, want: 0 };
  return counter.decide({ ...asked, settled: [], underWay }, now);
};
const begin = (counter: Counter, id: number, now: number, max = 2): Answer => tell(counter, { does: 'begin', id, max }, now);

test('what is refused for want of a slot is charged to no window, and what windows refuse takes no slot', () => {
  const counter = new Counter();
  expect([begin(counter, 1, 0), begin(counter, 2, 0)].map(({ granted, free }) => [granted, free])).toEqual([[1, 1], [1, 0]]);
  for (let id = 3; id < 20; id++) {
    expect(begin(counter, id, 0)).toMatchObject({ granted: 0, isFull: true, free: 0, windows: [{ left: 3 }] });
  }
  for (const id of [1, 2]) tell(counter, { does: 'end', id }, 0);
  for (const id of [21, 22, 23]) {
    expect(begin(counter, id, 0).granted).toBe(1);
    tell(counter, { does: 'end', id }, 0);
  }
  const refused = begin(counter, 24, 0);
  expect([refused.granted, refused.isFull, refused.free, refused.windows[0]?.violated]).toEqual([0, undefined, 2, true]);
});

test('a slot of which nobody says that it goes on is free after 15 seconds, and one that goes on is not', () => {
  const counter = new Counter();
  begin(counter, 1, 0);
  begin(counter, 2, 0);
  tell(counter, { does: 'go on', id: 2 }, 10_000);
  expect(begin(counter, 3, slotLimits.msMax - 1).isFull).toBe(true);
  expect(begin(counter, 3, slotLimits.msMax).granted).toBe(1);
  expect(begin(counter, 4, slotLimits.msMax + 1).isFull).toBe(true);
});

test('a counter that begins anew has the slots that were kept, and learns of others when they go on', () => {
  const counter = new Counter();
  begin(counter, 1, 0);
  begin(counter, 2, 0);
  expect(begin(Counter.of(counter.state(0)), 3, 0).isFull).toBe(true);
  const forgetful = new Counter();
  tell(forgetful, { does: 'go on', id: 1 }, 1_000);
  expect([begin(forgetful, 3, 1_000).granted, begin(forgetful, 4, 1_000).isFull]).toEqual([1, true]);
  // An end that comes twice, or of what was never there, gives nothing back.
  for (const id of [9, 9]) tell(forgetful, { does: 'end', id }, 1_000);
  expect(begin(forgetful, 4, 1_000).isFull).toBe(true);
});

test.each([[300, 1_000], [4_000, 4_000], [600_000, 60_000]])('of requests that are %d ms old who waits is told %d ms', (age, retryMs) => {
  const counter = new Counter();
  begin(counter, 1, 0);
  for (let now = 0; now < age; now += 10_000) tell(counter, { does: 'go on', id: 1 }, now);
  expect(begin(counter, 2, age, 1).retryMs).toBe(retryMs);
});
