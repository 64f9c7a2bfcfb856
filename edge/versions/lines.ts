/**
 * Text that comes in lines, each changed by itself: rows of an import, its report, the fields of server-sent events.
 * However it is cut, work is in proportion to bytes and no more than one line is held.
 */
import { joinedBytes } from '../../shared/wire/bytes.ts';
import { HeldBytes } from './held-bytes.ts';

/** `undefined`: the line goes on as it came. `null`: there is none in its place. */
export type MapLine = (line: string, number: number) => string | null | undefined;

const newline = 0x0a;

export class LineMapper {
  readonly #map: MapLine;
  readonly #bytesMax: number;
  readonly #held = new HeldBytes();
  /** Whether a line past the bound is under way: it passes, and its reader has its own bound. */
  #isPassing = false;
  #number = 0;

  constructor(map: MapLine, bytesMax: number) {
    this.#map = map;
    this.#bytesMax = bytesMax;
  }

  /** What can go on now that these bytes have come. */
  take(piece: Uint8Array): Uint8Array {
    const out: Uint8Array[] = [];
    let start = 0;
    for (let end = piece.indexOf(newline); end >= 0; end = piece.indexOf(newline, start)) {
      this.#hold(piece.subarray(start, end + 1), out);
      this.#release(out);
      start = end + 1;
    }
    this.#hold(piece.subarray(start), out);
    return joinedBytes(out);
  }

  /** The last line, which need not have an end. */
  end(): Uint8Array {
    const out: Uint8Array[] = [];
    if (this.#held.length > 0 || this.#isPassing) this.#release(out);
    return joinedBytes(out);
  }

  #hold(part: Uint8Array, out: Uint8Array[]): void {
    if (part.length === 0) return;
    if (!this.#isPassing && this.#held.length + part.length <= this.#bytesMax) return this.#held.add(part);
    this.#isPassing = true;
    out.push(this.#held.take(), part);
  }

  #release(out: Uint8Array[]): void {
    this.#number++;
    if (!this.#isPassing) out.push(mapped(this.#held.take(), (line) => this.#map(line, this.#number)));
    this.#isPassing = false;
  }
}

/** A stream of such lines. */
export function mapLines(stream: ReadableStream<Uint8Array>, map: MapLine, bytesMax: number): ReadableStream<Uint8Array> {
  const mapper = new LineMapper(map, bytesMax);
  const reader = stream.getReader();
  return new ReadableStream<Uint8Array>({
    async pull(controller) {
      for (;;) {
        const { done, value } = await reader.read();
        const out = done ? mapper.end() : mapper.take(value);
        if (out.length > 0) controller.enqueue(out);
        if (done) return controller.close();
        if (out.length > 0) return;
      }
    },
    cancel: (reason) => reader.cancel(reason),
  }, { highWaterMark: 0 });
}

function mapped(bytes: Uint8Array, map: (line: string) => string | null | undefined): Uint8Array {
  const hasEnd = bytes.at(-1) === newline;
  const text = decoded(hasEnd ? bytes.subarray(0, -1) : bytes);
  const line = text === undefined ? undefined : map(text);
  if (line === null) return new Uint8Array(0);
  return line === undefined ? bytes : new TextEncoder().encode(hasEnd ? `${line}\n` : line);
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
