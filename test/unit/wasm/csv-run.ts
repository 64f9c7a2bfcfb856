/** Runs the transform over an input cut into pieces and gathers everything. Runs in Bun and in workerd. */
import type { CsvPlan } from '../../../shared/transforms/csv-plan.ts';
import type { TransformInstance } from '../../../shared/transforms/instance.ts';
import { CsvRefused, CsvTransform, type CsvRefusal, type CsvRejected } from '../../../shared/transforms/csv.ts';

export interface CsvResult {
  ndjson: string;
  rows: number[];
  rejected: CsvRejected[];
  refused?: CsvRefusal;
}

export function runCsv(instance: TransformInstance, plan: CsvPlan, pieces: Iterable<Uint8Array>): CsvResult {
  const result: CsvResult = { ndjson: '', rows: [], rejected: [] };
  const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
  const gather = (batches: ReturnType<CsvTransform['finish']>) => {
    for (const { ndjson, rows, rejected } of batches) {
      result.ndjson += decoder.decode(ndjson);
      for (const row of rows) result.rows.push(row);
      result.rejected.push(...rejected);
    }
  };
  try {
    const csv = new CsvTransform(instance, plan);
    for (const piece of pieces) gather(csv.push(piece));
    gather(csv.finish());
  } catch (error) {
    if (!(error instanceof CsvRefused)) throw error;
    result.refused = error.refusal;
  }
  return result;
}

/** `bytes` cut at each of `cuts`, which ascend. */
export function* cutAt(bytes: Uint8Array, cuts: readonly number[]): Generator<Uint8Array> {
  let from = 0;
  for (const to of [...cuts, bytes.byteLength]) {
    yield bytes.subarray(from, to);
    from = to;
  }
}
