/** Who holds a place in the origin sends at a pace, or loses it; an origin that reads slowly blames nobody. */
import { expect, test } from 'bun:test';
import { paced } from '../../../origin/hop/upload-pace.ts';
import { inItsTime } from '../../support/fake-time.ts';

const pace = { silenceMsMax: 100, bytesPerSecondMin: 1_000 };

/** A stream of `bytes` each `ms`, `times` times, and then nothing more, or the end. */
function trickle({ bytes, ms, times, ends }: { bytes: number; ms: number; times: number; ends: boolean }) {
  const seen = { cancelled: false };
  let left = times;
  const stream = new ReadableStream<Uint8Array>({
    async pull(controller) {
      if (left-- > 0) {
        await wait(ms);
        controller.enqueue(new Uint8Array(bytes));
      } else if (ends) controller.close();
      else await new Promise(() => undefined);
    },
    cancel: () => void (seen.cancelled = true),
  }, { highWaterMark: 0 });
  return { stream, seen };
}

async function bytesOf(stream: ReadableStream<Uint8Array>, waitMs = 0): Promise<number> {
  let bytes = 0;
  for await (const chunk of paced(stream, pace)) {
    bytes += chunk.length;
    await wait(waitMs);
  }
  return bytes;
}

/** Of the timers that `inItsTime` moves, as those of the pace are. */
function wait(ms: number): Promise<void> {
  return new Promise((resolve) => void setTimeout(resolve, ms));
}

test('a byte now and then ends the upload, and so does silence', async () => {
  const slow = trickle({ bytes: 1, ms: 20, times: 1_000, ends: true });
  await expect(inItsTime(() => bytesOf(slow.stream))).rejects.toMatchObject({ reason: 'body_late' });
  expect(slow.seen.cancelled).toBe(true);
  const silent = trickle({ bytes: 100_000, ms: 0, times: 1, ends: false });
  // However much came before: an allowance does not grow.
  const soon = () => Promise.race([bytesOf(silent.stream), wait(2 * pace.silenceMsMax)]);
  await expect(inItsTime(soon)).rejects.toMatchObject({ reason: 'body_late' });
  expect(silent.seen.cancelled).toBe(true);
});

test('an upload that keeps the pace goes on for longer than any silence may last', async () => {
  expect(await inItsTime(() => bytesOf(trickle({ bytes: 100, ms: 20, times: 20, ends: true }).stream))).toBe(2_000);
});

test('the time that the reader takes is not the sender\'s', async () => {
  expect(await inItsTime(() => bytesOf(trickle({ bytes: 1, ms: 1, times: 6, ends: true }).stream, 60))).toBe(6);
});
