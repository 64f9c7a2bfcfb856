/**
 * A CSV of an older version on its way to an origin that speaks the current one. Names of columns are those of the current
 * version; what a new document has to begin with and the older version has no name for stands in columns in front, of
 * which each row has the same. Rows go on as they come.
 */
import { documentInvalid } from '../../shared/contract/documents.ts';
import type { Translation } from '../../shared/versions/translation.ts';
import { joinedBytes } from '../../shared/wire/bytes.ts';
import type { FieldError } from '../../shared/wire/fault.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { limits } from '../../shared/wire/limits.ts';
import { isJsonObject, type Json, type JsonObject } from '../../shared/wire/values.ts';
import type { Pieces } from '../request/body-pieces.ts';
import { discardRest, mustComeBy } from '../request/read-body.ts';
import { HeldBytes } from './held-bytes.ts';

interface Column {
  readonly name: string;
  /** As it stands in each row. */
  readonly cell: string;
}

/** Reads the header at once: columns that the version does not have refuse the upload whole, as unknown ones do. */
export async function toOlderCsv(pieces: Pieces, translation: Translation): Promise<Pieces> {
  // The origin, which holds the rest to a pace, waits for nothing yet.
  const { header, rest } = await mustComeBy(readHeader(pieces), Date.now() + limits.requestMsMax).catch(async (thrown: unknown) => {
    await pieces.cancel();
    throw thrown;
  });
  const columns = initialColumns(translation.up({}, 'document'));
  const errors: FieldError[] = [];
  const line = header === undefined ? undefined : new TextEncoder().encode(upHeader(header, columns, { translation, errors }));
  if (errors.length > 0) {
    await discardRest(pieces);
    throw documentInvalid(errors);
  }
  return new OlderCsv(pieces, { line, rest }, new RowStarts(header === undefined ? '' : columns.map(({ cell }) => `${cell},`).join('')));
}

class OlderCsv implements Pieces {
  readonly #pieces: Pieces;
  readonly #starts: RowStarts;
  #first: Uint8Array | undefined;

  constructor(pieces: Pieces, { line, rest }: { line: Uint8Array | undefined; rest: Uint8Array }, starts: RowStarts) {
    this.#pieces = pieces;
    this.#starts = starts;
    this.#first = joinedBytes([line ?? new Uint8Array(0), starts.take(rest)]);
  }

  get isCancelled(): boolean {
    return this.#pieces.isCancelled;
  }

  async next(): Promise<Uint8Array | undefined> {
    const first = this.#first;
    this.#first = undefined;
    if (first !== undefined && first.length > 0) return first;
    const piece = await this.#pieces.next();
    return piece === undefined ? undefined : this.#starts.take(piece);
  }

  cancel(): Promise<void> {
    return this.#pieces.cancel();
  }
}

interface Begun {
  /** The first line that is not empty, with its end; absent where it is no text, or takes more than a row. */
  readonly header: string | undefined;
  readonly rest: Uint8Array;
}

async function readHeader(pieces: Pieces): Promise<Begun> {
  const held = new HeldBytes();
  const seek = headerSeeker();
  for (;;) {
    const piece = await pieces.next();
    const end = piece === undefined ? held.length : seek(piece);
    if (piece !== undefined) held.add(piece);
    if (end === undefined && held.length <= limits.importRowBytesMax) continue;
    const bytes = held.take();
    const header = end === undefined ? undefined : decoded(bytes.subarray(0, end));
    return { header, rest: header === undefined ? bytes : bytes.subarray(end) };
  }
}

const [lineFeed, carriageReturn, quote, comma] = [0x0a, 0x0d, 0x22, 0x2c];
const byteOrderMark = [0xef, 0xbb, 0xbf];

/** Says, of all pieces up to this one, where the first line that is not empty ends. */
function headerSeeker(): (piece: Uint8Array) => number | undefined {
  let [seen, hasText] = [0, false];
  return (piece) => {
    for (const byte of piece) {
      if (byte === lineFeed && hasText) return seen + 1;
      hasText ||= byte !== lineFeed && byte !== carriageReturn && byte !== byteOrderMark[seen];
      seen++;
    }
    return undefined;
  };
}

/** RFC 4180 §2: names may stand in quotes. */
function upHeader(
  header: string, columns: readonly Column[], { translation, errors }: { translation: Translation; errors: FieldError[] },
): string {
  const [, before = '', text = '', end = ''] = /^(\ufeff?[\r\n]*)(.*?)([\r\n]*)$/s.exec(header) ?? [];
  const names = [...text.matchAll(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)].slice(0, text.endsWith(',') || text === '' ? undefined : -1);
  const own = names.map(([, name = '']) => {
    const plain = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
    const renamed = translation.upPath(plain);
    if (renamed === undefined) errors.push({ at: toPointer([plain]), in: 'body', detail: 'no such column' });
    else if (holdsOthers(translation, plain, renamed)) {
      errors.push({ at: toPointer([plain]), in: 'body', detail: 'holds what this version calls otherwise; send NDJSON' });
    }
    return renamed === undefined || renamed === plain ? name : quoted(renamed);
  });
  return `${before}${[...columns.map(({ name }) => quoted(name)), ...own].join()}${end}`;
}

/** Whether something in a column's JSON, which goes on as it comes, is called or said otherwise in the current version. */
function holdsOthers(translation: Translation, old: string, now: string): boolean {
  const places = [...(translation.levels[0]?.old.keys() ?? [])];
  return places.some((path) => path.startsWith(`${old}.`) && translation.upPath(path) !== `${now}${path.slice(old.length)}`);
}

/** Scalars by their paths, which alone have columns. */
function initialColumns(initial: JsonObject, above: readonly string[] = []): readonly Column[] {
  return Object.entries(initial).flatMap(([name, value]): readonly Column[] => {
    const path = [...above, name];
    if (isJsonObject(value)) return initialColumns(value, path);
    return Array.isArray(value) ? [] : [{ name: path.join('.'), cell: toCell(value) }];
  });
}

function toCell(value: Json): string {
  return typeof value === 'string' ? quoted(value) : value === null ? '' : String(value);
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/**
 * Puts cells in front of each row, however its bytes are cut. What a row is, `wasm/src/csv.rs` says: an empty line is none,
 * and a quote opens a field only as its first byte.
 *
 *   begin ──any other──▶ unquoted ◀──','── (any but quoted)      LF in any but quoted: begin
 *   field start ──'"'──▶ quoted ──'"'──▶ closed ──'"' right behind──▶ quoted
 */
class RowStarts {
  readonly #cells: Uint8Array;
  #state: 'begin' | 'field start' | 'unquoted' | 'quoted' | 'closed' = 'begin';
  #wasClosing = false;

  constructor(cells: string) {
    this.#cells = new TextEncoder().encode(cells);
  }

  take(piece: Uint8Array): Uint8Array {
    if (this.#cells.length === 0) return piece;
    const out: Uint8Array[] = [];
    let from = 0;
    for (let at = 0; at < piece.length; at++) {
      const byte = piece[at] ?? 0;
      if (this.#state === 'begin' && byte !== lineFeed && byte !== carriageReturn) {
        out.push(piece.subarray(from, at), this.#cells);
        from = at;
        this.#state = 'field start';
      }
      this.#step(byte);
    }
    out.push(piece.subarray(from));
    return joinedBytes(out);
  }

  #step(byte: number): void {
    const wasClosing = this.#wasClosing;
    this.#wasClosing = false;
    if (this.#state === 'quoted') {
      if (byte !== quote) return;
      this.#state = 'closed';
      this.#wasClosing = true;
    } else if (byte === lineFeed) this.#state = 'begin';
    else if (byte === comma) this.#state = 'field start';
    else if (byte === quote && (this.#state === 'field start' || wasClosing)) this.#state = 'quoted';
    else if (this.#state === 'field start') this.#state = 'unquoted';
  }
}

function decoded(bytes: Uint8Array): string | undefined {
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}
