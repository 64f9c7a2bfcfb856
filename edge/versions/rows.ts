/**
 * Rows of an import in an older version, on their way to an origin that speaks the current one. A row that names what its
 * version does not have goes on as `null`, which no resource takes, and is rejected in the words of its version by the
 * report: as it is, it might be a row of the current version.
 */
import { toBodyErrors } from '../../shared/contract/body-errors.ts';
import { limits } from '../../shared/wire/limits.ts';
import { markOf } from '../../shared/operations/export-mark.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { isJsonObject, type Json } from '../../shared/wire/values.ts';
import type { Translation } from '../../shared/versions/translation.ts';
import { edgeLimits } from '../limits.ts';
import type { Pieces } from '../request/body-pieces.ts';
import { toOlderCsv } from './csv.ts';
import { LineMapper, type MapLine } from './lines.ts';
import { downTold } from './problems.ts';

export interface OlderRows {
  readonly pieces: Pieces;
  /** A line of the origin's report as the caller's version has it. */
  readonly downLine: MapLine;
}

interface Sent {
  readonly mediaType: string;
  /** `Content-Length`, if sent: the origin, which is sent other bytes, cannot check it. */
  readonly length: string | null;
}

export async function toOlderRows(sent: Pieces, { mediaType, length }: Sent, translation: Translation): Promise<OlderRows> {
  const refused = new Map<number, Fault>();
  const downLine: MapLine = (line) => downReportLine(line, translation, refused);
  const pieces = length === null ? sent : new DeclaredPieces(sent, Number(length));
  if (/^\s*text\/csv\b/i.test(mediaType)) return { pieces: await toOlderCsv(pieces, translation), downLine };
  // With its end: the longest row that the origin takes must not pass as one of the current version.
  const mapper = new LineMapper((line, number) => upRow(line, number, translation, refused), limits.importRowBytesMax + 1);
  return { pieces: new MappedPieces(pieces, mapper), downLine };
}

/** Rejects at the end of an upload that is not as long as its sender declared (SEMANTICS §10). */
class DeclaredPieces implements Pieces {
  readonly #pieces: Pieces;
  #left: number;

  constructor(pieces: Pieces, length: number) {
    this.#pieces = pieces;
    this.#left = length;
  }

  get isCancelled(): boolean {
    return this.#pieces.isCancelled;
  }

  async next(bytesMax?: number): Promise<Uint8Array | undefined> {
    const piece = await this.#pieces.next(bytesMax);
    this.#left -= piece?.length ?? 0;
    if (this.#left < 0 || (piece === undefined && this.#left > 0)) throw new Error('the upload is not as long as was declared');
    return piece;
  }

  cancel(): Promise<void> {
    return this.#pieces.cancel();
  }
}

/**
 * While a row is held until its end, the origin sees nothing of it, and would take a long one that comes at a fair rate for
 * silence. Spaces in front of the row, of which it takes no notice, say what has come: no more of them than bytes, nor than
 * the least rate asks for.
 */
class MappedPieces implements Pieces {
  readonly #pieces: Pieces;
  readonly #mapper: LineMapper;
  #isAtEnd = false;
  #heardMs = performance.now();
  #unheardBytes = 0;

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
      // Its rows are mapped in one turn.
      const piece = await this.#pieces.next(edgeLimits.pieceBytesMax);
      this.#isAtEnd = piece === undefined;
      this.#unheardBytes += piece?.length ?? 0;
      const out = piece === undefined ? this.#mapper.end() : this.#mapper.take(piece);
      const unheardMs = performance.now() - this.#heardMs;
      if (out.length === 0 && (this.#isAtEnd || unheardMs < edgeLimits.heldRowToldMs)) continue;
      const told = out.length > 0 ? out : spaces(Math.min(this.#unheardBytes, (unheardMs / 1_000) * limits.importBytesPerSecondMin));
      this.#heardMs = performance.now();
      this.#unheardBytes = 0;
      return told;
    }
    return undefined;
  }

  cancel(): Promise<void> {
    return this.#pieces.cancel();
  }
}

function spaces(count: number): Uint8Array {
  return new Uint8Array(Math.ceil(count)).fill(0x20);
}

const byteOrderMark = '\ufeff';

function upRow(line: string, number: number, translation: Translation, refused: Map<number, Fault>): string | undefined {
  const row = parsed(number === 1 && line.startsWith(byteOrderMark) ? line.slice(1) : line);
  // What no schema takes goes on as it came, and is refused: nothing walks through it, and an infinity must not become a null.
  // Nor is what an export says of itself a row of any version.
  if (row === undefined || !isJsonObject(row) || markOf(row) !== undefined || toBodyErrors(row).length > 0) return undefined;
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

/** The data of the server-sent events (WHATWG HTML §9.2) that carry documents; of others it is an id alone, or nothing. */
export function downEvents(translation: Translation): MapLine {
  let event = '';
  return (line) => {
    if (line.startsWith('event: ')) event = line.slice('event: '.length);
    if (!line.startsWith('data: {') || !withDocuments.has(event)) return undefined;
    const document = parsed(line.slice('data: '.length));
    return document !== undefined && isJsonObject(document) ? `data: ${JSON.stringify(translation.down(document))}` : undefined;
  };
}

const withDocuments: ReadonlySet<string> = new Set(['created', 'updated', 'entered']);
