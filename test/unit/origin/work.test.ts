/** What a consumer has in hand ends in time, or is told to end and left behind. */
import { expect, test } from 'bun:test';
import { Work } from '../../../origin/feed/work.ts';

const never = () => new Promise<never>(() => undefined);

test('work that takes too long is told so, and nobody waits for it', async () => {
  const work = new Work(20);
  let told: AbortSignal | undefined;
  await expect(work.inTime((signal) => ((told = signal), never()))).rejects.toThrow('took longer than 20 ms');
  expect(told?.aborted).toBe(true);
  expect(await work.inTime(() => 'in time')).toBe('in time');
});

test('at a stop it ends with time left for its write, which ends with the stop', async () => {
  const work = new Work(60_000);
  const deadline = Date.now() + 600;
  expect(work.deadline(10_000)).toBeGreaterThan(deadline);
  const running = work.inTime(never);
  work.endBy(deadline);
  expect(work.deadline(10_000)).toBe(deadline);
  await expect(running).rejects.toThrow('the origin stops');
  expect(Date.now()).toBeLessThan(deadline);
  await expect(work.inTime(() => 'begun too late')).rejects.toThrow('the origin stops');
});
