/**
 * Import: rows streamed in, a report streamed out, memory constant. The answer's head goes out at once, so
 * that no proxy gives up on a long upload; its lines come after the upload has been read, because many
 * clients read nothing before they have sent everything (SEMANTICS §10).
 *
 *   {"row":17,"code":"document_invalid","detail":"…","errors":[…]}     one line a rejected row
 *   {"summary":{"imported":…,"replaced":…,"skipped":…,"rejected":…,"lastCommittedRow":…,"complete":true,"position":"…"}}
 *
 * `position` is the token of the last commit, which demands that a read shows all of this. An upload that ends at once
 * has it as `Tombolo-Position` too, like other writes; of a longer one the head has gone by then.
 */
import { Fault, toFault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { Answer, Call } from '../call.ts';
import type { Context } from '../context.ts';
import { mustHaveHeader, readCsv } from '../import/csv.ts';
import { readNdjson } from '../import/ndjson.ts';
import { type Begun, readAhead, type Rows } from '../import/read-ahead.ts';
import { nonceOf } from '../documents/write-one.ts';
import { ImportReport } from '../import/report.ts';
import type { ImportRow, ParsedRow } from '../import/row.ts';
import { toMutation } from '../import/write-row.ts';
import { signPosition } from '../tokens.ts';

export async function importRows(context: Context, call: Call<typeof documents.import>): Promise<Answer> {
  if (call.idempotency !== undefined) {
    throw new Fault('idempotency_refused', { detail: 'an import commits in batches; repeat it with onDuplicate=skip instead' });
  }
  if (call.resource.preconditions === 'required' && call.input.onDuplicate !== 'reject' && call.input.onDuplicate !== 'skip') {
    throw new Fault('precondition_required', {
      detail: 'rows cannot say which document was read: import here with onDuplicate=reject or skip',
    });
  }
  const giveBack = context.imports.mustTake(call.principal);
  try {
    // An empty write spends the nonce before a byte is read: a captured upload cannot be sent again.
    await context.store.write([], { deadline: call.deadline, ...nonceOf(call) });
    return await answer(context, call, await readAhead(openRows(context, call)), giveBack);
  } catch (thrown) {
    giveBack();
    throw thrown;
  }
}

/** Carries the import out and tells of it, in full where all is known already. */
async function answer(
  context: Context,
  call: Call<typeof documents.import>,
  { isWhole, rows }: Begun,
  giveBack: () => void,
): Promise<Answer> {
  const report = new ImportReport();
  const ended = consume(context, call, rows, report)
    .catch((thrown: unknown) => {
      report.stopped = toFault(thrown);
      tellStopped(context, call, report.stopped);
    })
    .finally(giveBack);
  const lines = () => [...report.lines((position) => signPosition(position, call.tokenKey))].map((line) => `${line}\n`).join('');
  const head = { outcome: 'streaming', mediaType: 'application/x-ndjson' } as const;
  if (isWhole) {
    await ended;
    return { ...head, body: lines(), ...(report.writtenAt === undefined ? {} : { writtenAt: report.writtenAt }) };
  }
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      await ended;
      controller.enqueue(new TextEncoder().encode(lines()));
      controller.close();
    },
  });
  return { ...head, body };
}

/** What the client did is a fact, and what we did a fault. */
function tellStopped(context: Context, { requestId, traceId }: Call<typeof documents.import>, fault: Fault): void {
  if (fault.status < 500) {
    context.log.info({ requestId, traceId, reason: fault.reason, detail: fault.detail, facts: fault.facts }, 'import stopped');
  } else {
    context.log.warn({ requestId, traceId, err: fault.cause ?? fault }, 'import stopped');
  }
}

function openRows(
  context: Context,
  { resource, input: { onDuplicate }, body: { chunks, mediaType }, deadline }: Call<typeof documents.import>,
): Rows {
  const reading = { resource, onDuplicate };
  if (!mediaType.startsWith('text/csv')) return readNdjson(chunks, reading);
  mustHaveHeader(mediaType);
  return readCsv(context.compute, chunks, reading, AbortSignal.timeout(Math.max(1, deadline - context.now())));
}

async function consume(context: Context, call: Call<typeof documents.import>, rows: Rows, report: ImportReport): Promise<void> {
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
  for await (const parsed of rows) await take(parsed);
  await commit(context, call, batch, report);
  report.complete = true;
}

async function commit(
  context: Context,
  call: Call<typeof documents.import>,
  batch: readonly ImportRow[],
  report: ImportReport,
): Promise<void> {
  const last = batch.at(-1);
  if (last === undefined) return;
  if (context.now() >= call.deadline) throw new Fault('deadline_exceeded');
  const mutations = batch.map((row) => toMutation(call, row, context.now(), report));
  const { outcomes, position } = await context.store.write(mutations, { deadline: call.deadline });
  outcomes.forEach((outcome, index) => report.count(batch[index]?.number ?? 0, outcome));
  report.lastCommittedRow = last.number;
  if (outcomes.some(({ kind }) => kind === 'written')) report.writtenAt = position;
}
