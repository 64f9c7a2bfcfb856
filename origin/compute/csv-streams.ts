/**
 * The CSV streams that live in one thread. A step hands out one batch; a batch ahead is held back, so that
 * the last one of a chunk says that it is the last without another round trip.
 */
import { CsvRefused, CsvTransform, type CsvBatch } from '../../shared/transforms/csv.ts';
import type { TransformInstance } from '../../shared/transforms/instance.ts';
import type { ComputeCalls, CsvStep } from './calls.ts';
import type { Answer, Handlers } from './serve.ts';

interface Stream {
  readonly csv: CsvTransform;
  batches: Iterator<CsvBatch, void, void>;
  ahead: CsvBatch | undefined;
}

const none = { reply: { batch: undefined, hasMore: false } } as const;

export function csvStreams(instance: TransformInstance): Handlers<ComputeCalls> {
  const streams = new Map<number, Stream>();
  const read = (stream: number, start?: (csv: CsvTransform) => Iterator<CsvBatch, void, void>): Answer<CsvStep> => {
    const found = streams.get(stream);
    if (!found) throw new Error(`no CSV stream ${stream} in this thread`);
    return refusing(() => {
      if (start) {
        found.batches = start(found.csv);
        found.ahead = found.batches.next().value ?? undefined;
      }
      const batch = found.ahead;
      found.ahead = batch && (found.batches.next().value ?? undefined);
      return toAnswer(batch, found.ahead !== undefined);
    });
  };
  return {
    'csv.open': ({ stream, plan }) =>
      refusing(() => {
        streams.set(stream, { csv: new CsvTransform(instance, plan), batches: [].values(), ahead: undefined });
        return none;
      }),
    'csv.push': ({ stream, chunk }) => read(stream, (csv) => csv.push(chunk)),
    'csv.more': ({ stream }) => read(stream),
    'csv.finish': ({ stream }) => read(stream, (csv) => csv.finish()),
    'csv.close': ({ stream }) => {
      streams.get(stream)?.csv.close();
      streams.delete(stream);
      return none;
    },
  };
}

function toAnswer(batch: CsvBatch | undefined, hasMore: boolean): Answer<CsvStep> {
  return { reply: { batch, hasMore }, transfer: batch ? [batch.ndjson.buffer, batch.rows.buffer] : [] };
}

function refusing(step: () => Answer<CsvStep>): Answer<CsvStep> {
  try {
    return step();
  } catch (error) {
    if (error instanceof CsvRefused) return { reply: { refusal: error.refusal } };
    throw error;
  }
}
