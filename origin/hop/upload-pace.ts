/**
 * The least pace of an upload: whoever holds a place in the origin sends, or loses it (SEMANTICS §10). Time is taken
 * from an allowance only while the next bytes are waited for, so that an origin that reads slowly blames nobody; bytes
 * give it back, up to where it began. What falls behind ends as `body_late`.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { late, within } from '../within.ts';

export interface Pace {
  /** The whole allowance: the longest silence. */
  readonly silenceMsMax: number;
  readonly bytesPerSecondMin: number;
}

export async function* paced(stream: ReadableStream<Uint8Array>, pace: Pace): AsyncGenerator<Uint8Array> {
  const reader = stream.getReader();
  let msLeft = pace.silenceMsMax;
  try {
    for (;;) {
      const askedAt = performance.now();
      const next = await within(msLeft, reader.read());
      if (next === late) throw tooSlow(pace);
      if (next.done) return;
      const gainedMs = (next.value.length / pace.bytesPerSecondMin) * 1_000;
      msLeft = Math.min(pace.silenceMsMax, msLeft - (performance.now() - askedAt) + gainedMs);
      yield next.value;
    }
  } finally {
    // The end of the source is not awaited: it may hang.
    reader.cancel().catch(() => undefined);
  }
}

function tooSlow({ silenceMsMax, bytesPerSecondMin }: Pace): Fault {
  return new Fault('body_late', {
    detail: `an import sends ${bytesPerSecondMin} bytes a second at least, and is silent for ${silenceMsMax / 1_000} seconds at most`,
  });
}
