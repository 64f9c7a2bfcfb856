/**
 * Converts a stream of CSV on the pool. Backpressure is the consumer's: a chunk is taken from the source only when every
 * batch of the one before it has come, and the thread is one batch ahead of what was read, not more.
 */
import type { CsvPlan } from '../../shared/transforms/csv-plan.ts';
import { CsvRefused, type CsvBatch } from '../../shared/transforms/csv.ts';
import type { ComputeCalls, CsvStep } from './calls.ts';
import type { CallOptions, ComputePool, Session } from './pool.ts';

export interface CsvJob {
  readonly plan: CsvPlan;
  /** Chunks are given away: one that owns its whole buffer is empty for its maker afterwards. */
  readonly chunks: AsyncIterable<Uint8Array>;
  /** Ends the job, also while it waits for its source: it carries the request's deadline. */
  readonly signal: AbortSignal;
  /** Milliseconds for which one step may keep its thread. */
  readonly stepMsMax?: number;
}

/** Throws `CsvRefused`, `PoolFull`, another `ComputeFault`, or the signal's reason. */
export async function* convertCsv(pool: ComputePool<ComputeCalls>, job: CsvJob): AsyncGenerator<CsvBatch, void, void> {
  const givenUp = new AbortController();
  const batches = convertInTurn(pool, { ...job, signal: AbortSignal.any([job.signal, givenUp.signal]) });
  try {
    for (let coming = batches.next(); ;) {
      const { done, value } = await coming;
      if (done === true) return;
      coming = batches.next();
      // Met in the next round, or by nobody where the consumer stops.
      coming.catch(() => undefined);
      yield value;
    }
  } finally {
    givenUp.abort();
    batches.return().catch(() => undefined);
  }
}

async function* convertInTurn(pool: ComputePool<ComputeCalls>, job: CsvJob): AsyncGenerator<CsvBatch, void, void> {
  const session = pool.session();
  const stream = session.id;
  const options: CallOptions = { signal: job.signal, ...(job.stepMsMax === undefined ? {} : { msMax: job.stepMsMax }) };
  const source = job.chunks[Symbol.asyncIterator]();
  let isDrained = false;
  try {
    mustTake(await session.call('csv.open', { stream, plan: job.plan }, options));
    for (;;) {
      const next = await take(source, job.signal);
      isDrained = next.done === true;
      let step = next.done
        ? mustTake(await session.call('csv.finish', { stream }, options))
        : mustTake(await push(session, next.value, options));
      if (step.batch) yield step.batch;
      while (step.hasMore) {
        step = mustTake(await session.call('csv.more', { stream }, options));
        if (step.batch) yield step.batch;
      }
      if (next.done) return;
    }
  } finally {
    // Neither is awaited: whoever gives a job up must not wait for its last step, or for a source that hangs.
    release(session);
    if (!isDrained) source.return?.().catch(() => undefined);
  }
}

function push(session: Session<ComputeCalls>, bytes: Uint8Array, options: CallOptions): Promise<CsvStep> {
  const chunk = toOwned(bytes);
  return session.call('csv.push', { stream: session.id, chunk }, { ...options, transfer: [chunk.buffer] });
}

/** Frees the stream in its thread, behind a step that may still run; a thread that is gone has freed it already. */
function release(session: Session<ComputeCalls>): void {
  const unaborted = new AbortController().signal;
  session
    .call('csv.close', { stream: session.id }, { signal: unaborted })
    .catch(() => undefined)
    .finally(() => session.close());
}

function mustTake(step: CsvStep) {
  if ('refusal' in step) throw new CsvRefused(step.refusal);
  return step;
}

/** The chunk itself where it is all of an own buffer, else a copy: others may look at the rest of the buffer. */
function toOwned(chunk: Uint8Array): Uint8Array<ArrayBuffer> {
  const { buffer } = chunk;
  if (buffer instanceof ArrayBuffer && buffer.byteLength === chunk.byteLength) return new Uint8Array(buffer);
  return new Uint8Array(chunk);
}

/** The next chunk, or the signal's reason: a source that hangs does not hold the job past its deadline. */
async function take(source: AsyncIterator<Uint8Array>, signal: AbortSignal): Promise<IteratorResult<Uint8Array>> {
  signal.throwIfAborted();
  const { promise: aborted, reject } = Promise.withResolvers<never>();
  const abort = () => reject(signal.reason);
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([source.next(), aborted]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}
