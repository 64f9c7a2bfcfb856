/** Newline-delimited JSON as rows: split on LF, bounded a line, each line parsed by the contract or rejected. */
import { markOf } from '../../shared/operations/export-mark.ts';
import { Fault, toFault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { othersTurn } from '../others-turn.ts';
import { type ParsedRow, parseRow, type Reading } from './row.ts';

/**
 * Rows as the chunks bring them, none waiting for those of the next, in pieces of what is committed together. Blank lines, and
 * what an export says of itself, are counted and passed over. Throws `body_malformed` at the end of an export that was broken
 * off or cut, unless what resumed it follows.
 */
export async function* readNdjson(chunks: AsyncIterable<Uint8Array>, reading: Reading): AsyncGenerator<readonly ParsedRow[]> {
  let number = 0;
  let mark: JsonObject | undefined;
  for await (const lines of readLines(chunks)) {
    for (let from = 0; from < lines.length; from += limits.importBatchRows) {
      const read = lines.slice(from, from + limits.importBatchRows).map((line) => toRow(line, ++number, reading));
      mark = read.findLast((each) => each?.kind === 'mark')?.mark ?? mark;
      yield read.filter((each) => each !== undefined && each.kind !== 'mark');
      // Rows that are all rejected wait for no commit.
      await othersTurn();
    }
  }
  if (mark === undefined || mark['complete'] === true) return;
  throw new Fault('body_malformed', { detail: `the export that was sent ends early, after ${JSON.stringify(mark)}` });
}

interface Mark {
  readonly kind: 'mark';
  readonly mark: JsonObject;
}

function toRow(line: Uint8Array | undefined, number: number, reading: Reading): ParsedRow | Mark | undefined {
  if (line === undefined) {
    return {
      kind: 'rejected',
      number,
      fault: new Fault('body_too_large', { detail: `a row has at most ${limits.importRowBytesMax} bytes` }),
    };
  }
  if (!line.some((byte) => byte > 0x20)) return undefined;
  try {
    const value = parseLine(line, number === 1);
    const mark = markOf(value);
    return mark === undefined ? parseRow(value, number, reading) : { kind: 'mark', mark };
  } catch (thrown) {
    return { kind: 'rejected', number, fault: toFault(thrown) };
  }
}

/** A byte order mark may begin the upload (RFC 8259 §8.1 lets receivers pass over it), and is no JSON elsewhere. */
function parseLine(line: Uint8Array, isFirst: boolean): unknown {
  const text = mustText(line);
  try {
    return JSON.parse(isFirst && text.startsWith('\ufeff') ? text.slice(1) : text);
  } catch {
    throw new Fault('body_malformed', { detail: 'the row is not JSON' });
  }
}

function mustText(line: Uint8Array): string {
  try {
    return decoder.decode(line);
  } catch {
    throw new Fault('body_malformed', { detail: 'the row is not UTF-8' });
  }
}

/** Lines without their end; `undefined` for one that is over the bound, whose rest is passed over. */
async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly (Uint8Array | undefined)[]> {
  const begun = new BegunLine();
  for await (const chunk of chunks) {
    const lines: (Uint8Array | undefined)[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      begun.add(chunk.subarray(start, end));
      lines.push(begun.take());
      start = end + 1;
    }
    begun.add(chunk.subarray(start));
    yield lines;
  }
  if (!begun.isEmpty) yield [begun.take()];
}

/** A line whose end has not come. Its pieces are joined once: joined as they come, many small ones cost their square. */
class BegunLine {
  #pieces: Uint8Array[] = [];
  #bytes = 0;

  get isEmpty(): boolean {
    return this.#bytes === 0;
  }

  /** Spaces in front of a row are none of it: an edge that holds a long one sends them, so that it is not taken for silent. */
  add(given: Uint8Array): void {
    const piece = this.isEmpty ? given.subarray(firstOf(given)) : given;
    this.#bytes += piece.length;
    if (this.#bytes > limits.importRowBytesMax) this.#pieces = [];
    else if (piece.length > 0) this.#pieces.push(piece);
  }

  /** The whole line; `undefined` where it is over the bound. */
  take(): Uint8Array | undefined {
    const [first = new Uint8Array(0), ...more] = this.#pieces;
    const line = this.#bytes > limits.importRowBytesMax ? undefined : more.length === 0 ? first : Buffer.concat(this.#pieces);
    this.#pieces = [];
    this.#bytes = 0;
    return line;
  }
}

/** Where the first byte stands that is no space. */
function firstOf(bytes: Uint8Array): number {
  const first = bytes.findIndex((byte) => byte !== space);
  return first < 0 ? bytes.length : first;
}

const [newline, space] = [0x0a, 0x20];
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
