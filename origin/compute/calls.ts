/** Everything that the pool's threads do, by name. */
import type { CsvPlan } from '../../shared/transforms/csv-plan.ts';
import type { CsvBatch, CsvRefusal } from '../../shared/transforms/csv.ts';

/** What one step of a stream came to. With `hasMore`, the next batch is to be asked for before the next chunk. */
export type CsvStep =
  | { readonly batch: CsvBatch | undefined; readonly hasMore: boolean }
  | { readonly refusal: CsvRefusal };

interface CsvCall<More = unknown> {
  request: { readonly stream: number } & More;
  reply: CsvStep;
}

export type ComputeCalls = {
  'csv.open': CsvCall<{ readonly plan: CsvPlan }>;
  'csv.push': CsvCall<{ readonly chunk: Uint8Array<ArrayBuffer> }>;
  'csv.more': CsvCall;
  'csv.finish': CsvCall;
  'csv.close': CsvCall;
};
