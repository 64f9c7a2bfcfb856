/** Newline-delimited JSON as rows: split on LF, bounded a line, each line parsed by the contract or rejected. */
import { Fault } from '../../shared/contract/fault.ts';
import { limits } from '../../shared/contract/limits.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { type ParsedRow, parseRow } from './row.ts';

/** Rows as the chunks bring them: none is held back for those behind it. */
export async function* readNdjson(chunks: AsyncIterable<Uint8Array>, resource: Resource): AsyncGenerator<readonly ParsedRow[]> {
  let number = 0;
  for await (const lines of readLines(chunks)) yield lines.flatMap((line) => toRow(line, ++number, resource) ?? []);
}

/** Blank lines are counted and passed over. */
function toRow(line: Uint8Array | undefined, number: number, resource: Resource): ParsedRow | undefined {
  if (line === undefined) return { kind: 'rejected', number, fault: new Fault('body_too_large', { detail: `a row has at most ${limits.importRowBytesMax} bytes` }) };
  if (!line.some((byte) => byte > 0x20)) return undefined;
  try {
    return parseRow(JSON.parse(decoder.decode(line)), number, resource);
  } catch {
    return { kind: 'rejected', number, fault: new Fault('body_malformed', { detail: 'the row is not JSON in UTF-8' }) };
  }
}

/** Lines without their end; `undefined` for one that is over the bound, whose rest is passed over. */
async function* readLines(chunks: AsyncIterable<Uint8Array>): AsyncGenerator<readonly (Uint8Array | undefined)[]> {
  let held = Buffer.alloc(0);
  let over = false;
  for await (const chunk of chunks) {
    const lines: (Uint8Array | undefined)[] = [];
    let start = 0;
    for (let end = chunk.indexOf(newline); end >= 0; end = chunk.indexOf(newline, start)) {
      const line = held.length === 0 ? chunk.subarray(start, end) : Buffer.concat([held, chunk.subarray(start, end)]);
      lines.push(over || line.length > limits.importRowBytesMax ? undefined : line);
      held = Buffer.alloc(0);
      over = false;
      start = end + 1;
    }
    if (!over) held = Buffer.concat([held, chunk.subarray(start)]);
    if (held.length > limits.importRowBytesMax) {
      over = true;
      held = Buffer.alloc(0);
    }
    yield lines;
  }
  if (over || held.length > 0) yield [over ? undefined : held];
}

const newline = 0x0a;
const decoder = new TextDecoder('utf-8', { fatal: true });
