/** The breaker's states, by a clock that the test sets. */
import { expect, test } from 'bun:test';
import { Breaker, type BreakerChange, type FailureKind } from '../../../edge/origin-client/breaker.ts';
import { edgeLimits } from '../../../edge/limits.ts';

const at = 1_000_000;

function make() {
  const told: BreakerChange[] = [];
  return { breaker: new Breaker((change) => told.push(change)), told };
}

const { breakerLateMax, breakerRefusedMax, breakerUnsignedMax } = edgeLimits;

test.each([['late', breakerLateMax], ['refused', breakerRefusedMax], ['unsigned', breakerUnsignedMax]] as const)(
  'of %s answers the %dth opens it',
  (kind, max) => {
    const { breaker, told } = make();
    for (let index = 1; index < max; index++) breaker.failed(kind, at, at + index);
    expect(breaker.isOpen).toBe(false);
    breaker.failed(kind, at, at + max);
    expect([breaker.isOpen, told.map(({ state }) => state), told[0]?.[kind]]).toEqual([true, ['open'], max]);
  },
);

test('kinds are counted each by itself', () => {
  const { breaker } = make();
  const failures: FailureKind[] = ['late', 'refused', 'unsigned', 'refused', 'unsigned', 'refused', 'unsigned', 'refused', 'unsigned'];
  for (const kind of failures) breaker.failed(kind, at, at);
  expect(breaker.isOpen).toBe(false);
  breaker.failed('unsigned', at, at);
  expect(breaker.isOpen).toBe(true);
});

test('an answer between, or the end of the window, has them counted anew', () => {
  const { breaker } = make();
  for (let round = 0; round < 5; round++) {
    for (let index = 1; index < breakerRefusedMax; index++) breaker.failed('refused', at, at);
    breaker.answered(at);
  }
  expect(breaker.isOpen).toBe(false);
  for (let index = 1; index < breakerRefusedMax; index++) breaker.failed('refused', at, at);
  breaker.failed('refused', at, at + edgeLimits.breakerWindowMs + 1);
  expect(breaker.isOpen).toBe(false);
});

test('who was late while another was answered asked for much', () => {
  const { breaker } = make();
  breaker.answered(at + 5);
  for (let index = 0; index < 10; index++) breaker.failed('late', at, at + 10_000);
  expect(breaker.isOpen).toBe(false);
});

test('one probe a pause, however often; an answer closes', () => {
  const { breaker, told } = make();
  const { breakerPauseMs: pauseMs, breakerProbeMsMax } = edgeLimits;
  for (let index = 0; index < breakerLateMax; index++) breaker.failed('late', at, at);
  let now = at;
  for (let round = 0; round < 6; round++) {
    expect([breaker.waitMs(now), breaker.passOver(now + pauseMs - 1)]).toEqual([pauseMs, false]);
    now += pauseMs;
    expect([breaker.passOver(now), breaker.passOver(now), breaker.waitMs(now)]).toEqual([true, false, breakerProbeMsMax]);
    breaker.probeFailed(now);
  }
  breaker.answered(now);
  expect([breaker.isOpen, breaker.waitMs(now)]).toEqual([false, 0]);
  expect(told.at(-1)).toEqual({ state: 'closed', openMs: now - at, notSent: 18, late: breakerLateMax, refused: 0, unsigned: 0 });
  breaker.failed('late', now, now);
  expect(breaker.isOpen).toBe(false);
});

test('a probe that never ends is followed by another', () => {
  const { breaker } = make();
  for (let index = 0; index < breakerLateMax; index++) breaker.failed('late', at, at);
  const later = at + edgeLimits.breakerPauseMs;
  expect([breaker.passOver(later), breaker.passOver(later + edgeLimits.breakerProbeMsMax - 1)]).toEqual([true, false]);
  expect(breaker.passOver(later + edgeLimits.breakerProbeMsMax)).toBe(true);
});
