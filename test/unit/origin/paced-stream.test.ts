/** A stream that is made while it is read: at its reader's pace, and not slower than the least. */
import { describe, expect, test } from 'bun:test';
import { openPacedStream } from '../../../origin/export/paced-stream.ts';
import { eventually } from '../../support/eventually.ts';

const pace = { silenceMsMax: 40, bytesPerSecondMin: 100_000 };

function source(pieces: number, failsAt = -1) {
  const seen = { made: 0, freed: 0 };
  async function* make(): AsyncGenerator<Uint8Array, void> {
    try {
      while (seen.made < pieces) {
        if (seen.made === failsAt) throw new Error('the source failed');
        seen.made++;
        yield new Uint8Array(1_000);
      }
    } finally {
      seen.freed++;
    }
  }
  return { seen, pieces: make() };
}

describe('a paced stream', () => {
  test('makes nothing ahead of its reader but the first piece, and frees its source at its end', async () => {
    const { seen, pieces } = source(5);
    const cuts: unknown[] = [];
    const reader = (await openPacedStream(pieces, { pace, onCut: (cause) => cuts.push(cause) })).getReader();
    expect(seen.made).toBe(1);
    await reader.read();
    await reader.read();
    expect(seen.made).toBe(2);
    while (!(await reader.read()).done);
    expect([seen.made, seen.freed, cuts]).toEqual([5, 1, []]);
  });

  test('that is cancelled before anything is read, or behind that, frees its source', async () => {
    for (const isRead of [false, true]) {
      const { seen, pieces } = source(5);
      const reader = (await openPacedStream(pieces, { pace, onCut: () => undefined })).getReader();
      if (isRead) await reader.read();
      await reader.cancel();
      await eventually('the end', async () => seen.freed === 1);
      expect(seen.made).toBe(1);
    }
  });

  test('is cut off where nobody ever reads', async () => {
    const { seen, pieces } = source(5);
    await openPacedStream(pieces, { pace, onCut: () => undefined });
    await eventually('the end', async () => seen.freed === 1);
  });

  test('is cut off where its reader stalls, and not for the time that its source takes', async () => {
    const { seen, pieces } = source(5);
    const cuts: unknown[] = [];
    const reader = (await openPacedStream(pieces, { pace, onCut: (cause) => cuts.push(cause) })).getReader();
    await reader.read();
    await eventually('the cut', async () => seen.freed === 1);
    expect(cuts).toEqual([undefined]);
    expect(reader.read()).rejects.toThrow('too slow');

    async function* slow(): AsyncGenerator<Uint8Array, void> {
      for (let piece = 0; piece < 3; piece++) {
        await Bun.sleep(2 * pace.silenceMsMax);
        yield new Uint8Array(1);
      }
    }
    const patient = (await openPacedStream(slow(), { pace, onCut: (cause) => cuts.push(cause) })).getReader();
    while (!(await patient.read()).done);
    expect(cuts).toEqual([undefined]);
  });

  test('throws what its source begins with, and ends with what it fails with later', async () => {
    const cuts: unknown[] = [];
    expect(openPacedStream(source(5, 0).pieces, { pace, onCut: (cause) => cuts.push(cause) })).rejects.toThrow('the source failed');
    const { seen, pieces } = source(5, 2);
    const reader = (await openPacedStream(pieces, { pace, onCut: (cause) => cuts.push(cause) })).getReader();
    await reader.read();
    await reader.read();
    expect(reader.read()).rejects.toThrow('cut off');
    await eventually('the end', async () => cuts.length === 1);
    expect([seen.freed, String(cuts[0])]).toEqual([1, 'Error: the source failed']);
  });
});
