/**
 * Rows of an import in an older version, on their way to an origin that speaks the current one. A row that names what its
 * version does not have goes on as `null`, which no resource takes, and is rejected in the words of its version by the
 * report: as it is, it might be a row of the current version.
 */
import { toBodyErrors } from '../../shared/contract/body-errors.ts';
import { documentInvalid } from '../../shared/contract/documents.ts';
import { limits } from '../../shared/wire/limits.ts';
import { toPointer } from '../../shared/wire/json-pointer.ts';
import { Fault, type FieldError } from '../../shared/wire/fault.ts';
import { isJsonObject, type Json } from '../../shared/wire/values.ts';
import type { Translation } from '../../shared/versions/translation.ts';
import type { Pieces } from '../request/body-pieces.ts';
import { LineMapper, type MapLine } from './lines.ts';
import { downTold } from './problems.ts';

export interface OlderRows {
  readonly pieces: Pieces;
  /** A line of the origin's report as the caller's version has it. */
  readonly downLine: MapLine;
}

/** Reads the first line of a CSV at once: columns that the version does not have refuse it whole, as unknown ones do. */
export async function toOlderRows(pieces: Pieces, mediaType: string, translation: Translation): Promise<OlderRows> {
  const refused = new Map<number, Fault>();
  const downLine: MapLine = (line) => downReportLine(line, translation, refused);
  if (/^\s*text\/csv\b/i.test(mediaType)) return { pieces: await withOwnColumns(pieces, translation), downLine };
  // With its end: the longest row that the origin takes must not pass as one of the current version.
  const mapper = new LineMapper((line, number) => upRow(line, number, translation, refused), limits.importRowBytesMax + 1);
  return { pieces: new MappedPieces(pieces, mapper), downLine };
}

class MappedPieces implements Pieces {
  readonly #pieces: Pieces;
  readonly #mapper: LineMapper;
  #isAtEnd = false;

  constructor(pieces: Pieces, mapper: LineMapper) {
    this.#pieces = pieces;
    this.#mapper = mapper;
  }

  get isCancelled(): boolean {
    return this.#pieces.isCancelled;
  }

  /** Rejects as the sender breaks off: the part of a row that came before is none (SEMANTICS §10). */
  async next(): Promise<Uint8Array | undefined> {
    while (!this.#isAtEnd) {
      const piece = await this.#pieces.next();
      this.#isAtEnd = piece === undefined;
      const out = piece === undefined ? this.#mapper.end() : this.#mapper.take(piece);
      if (out.length > 0) return out;
    }
    return undefined;
  }

  cancel(): Promise<void> {
    return this.#pieces.cancel();
  }
}

const byteOrderMark = '\ufeff';

function upRow(line: string, number: number, translation: Translation, refused: Map<number, Fault>): string | undefined {
  const row = parsed(number === 1 && line.startsWith(byteOrderMark) ? line.slice(1) : line);
  // What no schema takes goes on as it came, and is refused: nothing walks through it, and an infinity must not become a null.
  if (row === undefined || !isJsonObject(row) || toBodyErrors(row).length > 0) return undefined;
  try {
    return JSON.stringify(translation.up(row, 'document'));
  } catch (thrown) {
    if (!(thrown instanceof Fault)) throw thrown;
    if (refused.size < limits.importRejectedListedMax) refused.set(number, thrown);
    return 'null';
  }
}

function downReportLine(line: string, translation: Translation, refused: ReadonlyMap<number, Fault>): string | undefined {
  const told = parsed(line);
  if (told === undefined || !isJsonObject(told) || typeof told['row'] !== 'number') return undefined;
  const { row } = told;
  const own = refused.get(row);
  if (own !== undefined) return JSON.stringify({ row, code: own.reason, detail: own.detail, errors: own.errors });
  return JSON.stringify(downTold(told, translation));
}

function parsed(line: string): Json | undefined {
  try {
    return JSON.parse(line) as Json;
  } catch {
    return undefined;
  }
}

/** The names of columns take at most as much as a row. */
async function withOwnColumns(pieces: Pieces, translation: Translation): Promise<Pieces> {
  const errors: FieldError[] = [];
  const upFirst: MapLine = (line, number) => (number === 1 ? upColumns(line, translation, errors) : undefined);
  const mapper = new LineMapper(upFirst, limits.importRowBytesMax);
  const mapped = new MappedPieces(pieces, mapper);
  const first = await mapped.next();
  if (errors.length > 0) throw documentInvalid(errors);
  let next: Uint8Array | undefined = first;
  return {
    get isCancelled() {
      return mapped.isCancelled;
    },
    next: async () => {
      const piece = next ?? (first === undefined ? undefined : await mapped.next());
      next = undefined;
      return piece;
    },
    cancel: () => mapped.cancel(),
  };
}

/** RFC 4180 §2: names may stand in quotes. */
function upColumns(line: string, translation: Translation, errors: FieldError[]): string {
  const [, mark = '', text = '', end = ''] = /^(\ufeff?)(.*?)(\r?)$/s.exec(line) ?? [];
  const names = [...text.matchAll(/("(?:[^"]|"")*"|[^,]*)(,|$)/g)].slice(0, text.endsWith(',') || text === '' ? undefined : -1);
  const columns = names.map(([, name = '']) => {
    const plain = name.startsWith('"') ? name.slice(1, -1).replaceAll('""', '"') : name;
    const renamed = translation.upPath(plain);
    if (renamed === undefined) errors.push({ at: toPointer([plain]), in: 'body', detail: 'no such column' });
    return renamed === undefined || renamed === plain ? name : `"${renamed.replaceAll('"', '""')}"`;
  });
  return `${mark}${columns.join()}${end}`;
}

/** The data of server-sent events (WHATWG HTML §9.2): a document, or an id alone. */
export function downEventLine(line: string, translation: Translation): string | undefined {
  if (!line.startsWith('data: {')) return undefined;
  const document = parsed(line.slice('data: '.length));
  return document !== undefined && isJsonObject(document) ? `data: ${JSON.stringify(translation.down(document))}` : undefined;
}
