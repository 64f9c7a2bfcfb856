/**
 * Import: rows streamed in, a report streamed out, memory constant. The answer's head goes out at once, so
 * that no proxy gives up on a long upload; its lines come after the upload has been read, because many
 * clients read nothing before they have sent everything (SEMANTICS §10).
 *
 *   {"row":17,"code":"document_invalid","detail":"…","errors":[…]}     one line a rejected row
 *   {"summary":{"imported":…,"replaced":…,"skipped":…,"rejected":…,"lastCommittedRow":…,"complete":true}}
 */
import { Fault, toFault } from '../../shared/contract/fault.ts';
import { limits } from '../../shared/contract/limits.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { readCsv } from '../import/csv.ts';
import { readNdjson } from '../import/ndjson.ts';
import { nonceOf } from '../documents/write-one.ts';
import { ImportReport } from '../import/report.ts';
import { type ImportRow, type ParsedRow, toMutation } from '../import/row.ts';

type Rows = AsyncGenerator<readonly ParsedRow[]>;

export async function importRows(context: Context, call: Call<typeof documents.import>): Promise<Answer> {
  if (call.idempotency !== undefined) throw new Fault('idempotency_refused', { detail: 'an import commits in batches; repeat it with onDuplicate=skip instead' });
  if (call.resource.preconditions === 'required' && call.input.onDuplicate !== 'reject' && call.input.onDuplicate !== 'skip')
    throw new Fault('precondition_required', { detail: 'rows cannot say which document was read: import here with onDuplicate=reject or skip' });
  // An empty write spends the nonce before a byte is read: a captured upload cannot be sent again.
  await context.store.write([], { deadline: call.deadline, ...nonceOf(call) });
  const rows = openRows(context, call);
  // The first rows are read before the head goes out, so that an input refused as a whole is a problem document.
  const first = await rows.next();
  const report = new ImportReport();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      await consume(context, call, first.value ?? [], rows, report).catch((thrown: unknown) => {
        report.stopped = toFault(thrown);
        tellStopped(context, call, report.stopped);
      });
      for (const line of report.lines()) controller.enqueue(new TextEncoder().encode(`${line}\n`));
      controller.close();
    },
  });
  return { outcome: 'streaming', body, mediaType: 'application/x-ndjson' };
}

/** What the client did is a fact, and what we did a fault. */
function tellStopped(context: Context, { requestId }: Call<typeof documents.import>, fault: Fault): void {
  if (fault.status < 500) context.log.info({ requestId, reason: fault.reason, detail: fault.detail, facts: fault.facts }, 'import stopped');
  else context.log.warn({ requestId, err: fault.cause ?? fault }, 'import stopped');
}

function openRows(context: Context, call: Call<typeof documents.import>): Rows {
  const { chunks, mediaType } = call.body;
  const isCsv = mediaType.startsWith('text/csv');
  if (!isCsv) return readNdjson(chunks, call.resource);
  return readCsv(context.compute, chunks, call.resource, AbortSignal.timeout(Math.max(1, call.deadline - context.now())));
}

async function consume(context: Context, call: Call<typeof documents.import>, first: readonly ParsedRow[], rows: Rows, report: ImportReport): Promise<void> {
  let batch: ImportRow[] = [];
  const take = async (parsed: readonly ParsedRow[]): Promise<void> => {
    for (const row of parsed) {
      if (row.kind === 'rejected') report.reject(row.number, row.fault);
      else batch.push(row);
      if (batch.length < limits.importBatchRows) continue;
      await commit(context, call, batch, report);
      batch = [];
    }
  };
  await take(first);
  for await (const parsed of rows) await take(parsed);
  await commit(context, call, batch, report);
  report.complete = true;
}

async function commit(context: Context, call: Call<typeof documents.import>, batch: readonly ImportRow[], report: ImportReport): Promise<void> {
  const last = batch.at(-1);
  if (last === undefined) return;
  if (context.now() >= call.deadline) throw new Fault('deadline_exceeded');
  const mutations = batch.map((row) => toMutation(call, row, context.now(), report));
  const { outcomes } = await context.store.write(mutations, { deadline: call.deadline });
  outcomes.forEach((outcome, index) => report.count(batch[index]?.number ?? 0, outcome));
  report.lastCommittedRow = last.number;
}
