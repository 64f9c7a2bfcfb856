/**
 * Import: rows streamed in, a report streamed out, memory constant. The answer's head goes out at once, so
 * that no proxy gives up on a long upload; its lines come after the upload has been read, because many
 * clients read nothing before they have sent everything (SEMANTICS: idempotency and import).
 *
 *   {"row":17,"code":"document_invalid","detail":"…","errors":[…]}     one line a rejected row
 *   {"summary":{"imported":…,"replaced":…,"skipped":…,"rejected":…,"lastCommittedRow":…,"complete":true}}
 */
import { Fault, toFault } from '../../shared/contract/fault.ts';
import { limits } from '../../shared/contract/limits.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { ImportReport } from '../import/report.ts';
import { type ImportRow, toMutation } from '../import/row.ts';
import { readRows } from '../import/ndjson.ts';

export async function importRows(context: Context, call: Call<'import'>): Promise<Answer> {
  if (call.hop.header('idempotency-key') !== null) throw new Fault('idempotency_refused', { detail: 'an import commits in batches; repeat it with onDuplicate=skip instead' });
  // An empty write spends the nonce before a byte is read: a captured upload cannot be sent again.
  await context.store.write([], { deadline: call.deadline, nonce: call.nonce });
  const report = new ImportReport();
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      try {
        await consume(context, call, report);
      } catch (thrown) {
        const fault = toFault(thrown);
        context.log.warn({ requestId: call.requestId, err: fault.cause ?? fault, reason: fault.reason }, 'import stopped');
        report.stopped = fault;
      }
      for (const line of report.lines()) controller.enqueue(new TextEncoder().encode(`${line}\n`));
      controller.close();
    },
  });
  return { status: 200, body, headers: { 'content-type': 'application/x-ndjson', 'cache-control': 'no-store' } };
}

async function consume(context: Context, call: Call<'import'>, report: ImportReport): Promise<void> {
  let batch: ImportRow[] = [];
  for await (const row of readRows(call.input.stream, call.resource)) {
    if (row.kind === 'rejected') report.reject(row.number, row.fault);
    else batch.push(row);
    if (batch.length < limits.importBatchRows) continue;
    await commit(context, call, batch, report);
    batch = [];
  }
  await commit(context, call, batch, report);
  report.complete = true;
}

async function commit(context: Context, call: Call<'import'>, batch: readonly ImportRow[], report: ImportReport): Promise<void> {
  const last = batch.at(-1);
  if (last === undefined) return;
  if (context.now() >= call.deadline) throw new Fault('deadline_exceeded');
  const mutations = batch.map((row) => toMutation(call, row, context.now(), report));
  const { outcomes } = await context.store.write(mutations, { deadline: call.deadline });
  outcomes.forEach((outcome, index) => report.count(batch[index]?.number ?? 0, outcome));
  report.lastCommittedRow = last.number;
}
