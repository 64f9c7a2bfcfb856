/**
 * CSV → typed NDJSON, by the Rust module: `wasm/src/csv.rs` says what is taken and what is rejected. Runs
 * wherever a `WebAssembly.Module` does; its only state is a context in the instance that it is given.
 */
import { toPlanBytes, type CsvPlan } from './csv-plan.ts';
import type { TransformInstance } from './instance.ts';
import { StreamRefused, TransformStreamer, type StreamOutput } from './stream.ts';

/** Why one row was rejected, in the order of the module's numbers (`wasm/src/csv/reasons.rs`). Exported for tests that meet each. */
export const csvReasons = [
  'row_too_long',
  'utf8_invalid',
  'quote_stray',
  'quote_unclosed',
  'carriage_return_lone',
  'fields_missing',
  'fields_extra',
  'field_too_long',
  'field_empty',
  'number_invalid',
  'number_out_of_range',
  'integer_invalid',
  'integer_unsafe',
  'boolean_invalid',
  'date_time_invalid',
  'byte_order_mark',
] as const;
export type CsvReason = (typeof csvReasons)[number];

export interface CsvRejected {
  /** The data row, from 1, counting rejected ones too. */
  readonly row: number;
  /** The line of the input on which the row begins, from 1. */
  readonly line: number;
  /** The header's name of the field at fault; absent where the whole row is. */
  readonly column?: string;
  readonly reason: CsvReason;
}

/** A part of the result. Written and rejected rows of one part lie between those of its neighbours. */
export interface CsvBatch {
  readonly ndjson: Uint8Array<ArrayBuffer>;
  /** The data row that each line of `ndjson` comes from. */
  readonly rows: Uint32Array<ArrayBuffer>;
  readonly rejected: readonly CsvRejected[];
}

export type CsvRefusal = {
  readonly reason: 'plan_invalid' | 'header_absent' | 'header_invalid' | 'header_columns' | 'lines_too_many';
  /** What is wrong with the header, for `header_invalid`; else empty. */
  readonly detail: string;
  /** Header names outside the plan, required ones that are absent, repeated ones: for `header_columns`. */
  readonly unknown: readonly string[];
  readonly missing: readonly string[];
  readonly duplicate: readonly string[];
};

/** The input as a whole is refused, before any row for all reasons but `lines_too_many`. */
export class CsvRefused extends Error {
  override readonly name = 'CsvRefused';
  readonly refusal: CsvRefusal;
  constructor(refusal: CsvRefusal) {
    super(`the CSV is refused: ${JSON.stringify(refusal)}`);
    this.refusal = refusal;
  }
}

export class CsvTransform {
  readonly #plan: CsvPlan;
  readonly #streamer: TransformStreamer;

  constructor(instance: TransformInstance, plan: CsvPlan) {
    this.#plan = plan;
    this.#streamer = refusing(() => new TransformStreamer(instance, 'csv_open', toPlanBytes(plan)));
  }

  /** Reads a chunk, however the input is cut. Each batch is bounded; read them all before the next call. */
  push(chunk: Uint8Array): Generator<CsvBatch, void, void> {
    return this.#batches(this.#streamer.push(chunk));
  }

  /** Ends the input: the last row may have no line end. */
  finish(): Generator<CsvBatch, void, void> {
    return this.#batches(this.#streamer.finish());
  }

  /** Gives the input up before its end; harmless after it. */
  close(): void {
    this.#streamer.close();
  }

  *#batches(outputs: Generator<StreamOutput, void, void>): Generator<CsvBatch, void, void> {
    for (;;) {
      const next = refusing(() => outputs.next());
      if (next.done) return;
      const { bytes, origins, rejected } = next.value;
      yield { ndjson: bytes, rows: new Uint32Array(origins.buffer), rejected: toRejected(rejected, this.#plan) };
    }
  }
}

const rejectedWords = 4;
const noColumn = 0xffff_ffff;

function toRejected(bytes: Uint8Array<ArrayBuffer>, plan: CsvPlan): CsvRejected[] {
  const words = new Uint32Array(bytes.buffer);
  return Array.from({ length: words.length / rejectedWords }, (_, index) => {
    const [row = 0, line = 0, column = noColumn, reason = 0] = words.subarray(index * rejectedWords);
    const source = plan.columns[column]?.source;
    return { row, line, ...(source === undefined ? {} : { column: source }), reason: mustReason(reason) };
  });
}

function mustReason(number: number): CsvReason {
  const reason = csvReasons[number];
  if (reason === undefined) throw new Error(`the module rejects a row for reason ${number}, which has no name`);
  return reason;
}

function refusing<T>(call: () => T): T {
  try {
    return call();
  } catch (error) {
    if (!(error instanceof StreamRefused)) throw error;
    throw new CsvRefused(mustRefusal(error.report));
  }
}

/** The report is written by `Refusal::to_json` of the module, whose fields are those of the type. */
function mustRefusal(report: string): CsvRefusal {
  return JSON.parse(report) as CsvRefusal;
}
