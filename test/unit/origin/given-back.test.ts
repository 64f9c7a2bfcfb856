/** When memory is given back: once after each burst of work, and not while there is any. */
import { expect, test } from 'bun:test';
import { Bursts } from '../../../origin/given-back.ts';

/** Looks after seconds in which the process used such shares of one core; the seconds after which it gave back, which takes `ms`. */
function givesBackAfter(shares: readonly number[], ms = 0): readonly number[] {
  let [cpuMicros, nowMs] = [5e6, 0];
  const given: number[] = [];
  const giveBack = () => {
    given.push(Math.floor(nowMs / 1_000));
    nowMs += ms;
    cpuMicros += ms * 1_000;
  };
  const bursts = new Bursts({ cpuMicros: () => cpuMicros, nowMs: () => nowMs, giveBack });
  for (const share of shares) {
    nowMs += 1_000;
    cpuMicros += share * 1e6;
    bursts.look();
  }
  return given;
}

test('once when a burst is over, of whatever threads', () => {
  expect(givesBackAfter([0.9, 1.7, 0.02, 0, 0.01])).toEqual([3]);
  expect(givesBackAfter([0.3, 0, 0.02, 0.5, 0.04, 0])).toEqual([2, 5]);
});

test('not while something is done still, however long', () => {
  expect(givesBackAfter([0.9, 0.2, 0.1, 0.06, 0.2])).toEqual([]);
  expect(givesBackAfter([0.9, 0.2, 0.1, 0.04])).toEqual([4]);
});

test('for a hundredth of the time at most, and then as soon as that is over', () => {
  expect(givesBackAfter([0.9, 0, 0.9, 0, 0, 0.9, 0, 0, 0], 40)).toEqual([2, 7]);
});

test('not where nothing was asked, or little', () => {
  expect(givesBackAfter([0.02, 0.2, 0.01, 0.24, 0])).toEqual([]);
});
