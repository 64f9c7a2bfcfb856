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
import { type Fault, toFault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { documents } from '../../shared/operations/documents.ts';
import type { WriteAccess } from '../access/write-access.ts';
import type { Answer, Call } from '../call.ts';
import { mustHaveHeader, readCsv } from '../import/csv.ts';
import { readNdjson } from '../import/ndjson.ts';
import { type Begun, readAhead, type Rows } from '../import/read-ahead.ts';
import { ImportReport } from '../import/report.ts';
import type { RowWriter } from '../import/row-writer.ts';
import type { ImportRow, ParsedRow } from '../import/row.ts';
import { signPosition } from '../tokens.ts';
import { toFaultFacts, toTrouble } from '../trouble.ts';

export async function importRows(access: WriteAccess, call: ImportCall): Promise<Answer> {
  const writer = await access.rows(call.input.onDuplicate);
  try {
    return await answer(access, call, await readAhead(openRows(access, call)), writer);
  } catch (thrown) {
    writer.close();
    throw thrown;
  }
}

type ImportCall = Call<typeof documents.import>;

/** Carries the import out and tells of it, in full where all is known already. */
async function answer(access: WriteAccess, call: ImportCall, { isWhole, rows }: Begun, writer: RowWriter): Promise<Answer> {
  const report = new ImportReport();
  const toToken = (position: Position) => signPosition(position, call.tokenKey);
  const ended = consume(writer, rows, report)
    .catch((thrown: unknown) => {
      report.stopped = toFault(thrown);
      call.course?.fail(report.stopped);
      tellStopped(access, call, report.stopped);
    })
    .finally(() => {
      writer.close();
      call.course?.note({ ...report.progress, summary: report.summary(toToken) });
    });
  const lines = () => [...report.lines(toToken)].map((line) => `${line}\n`).join('');
  const head = { outcome: 'streaming', mediaType: 'application/x-ndjson' } as const;
  if (isWhole) {
    await ended;
    return { ...head, body: lines(), ...(report.writtenAt === undefined ? {} : { writtenAt: report.writtenAt }) };
  }
  const body = new ReadableStream<Uint8Array>({
    async start(controller) {
      // Bun sends a head with the first byte behind it, and its signature is good for seconds. JSON passes over white space.
      controller.enqueue(new TextEncoder().encode(' '));
      await ended;
      controller.enqueue(new TextEncoder().encode(lines()));
      controller.close();
    },
  });
  return { ...head, body };
}

/** What the client did is a fact, and what we did a fault. */
function tellStopped({ log }: WriteAccess, { requestId, traceId }: ImportCall, fault: Fault): void {
  if (fault.status < 500) log.info({ requestId, traceId, ...toFaultFacts(fault) }, 'import stopped');
  else log.warn({ requestId, traceId, ...toTrouble(fault) }, 'import stopped');
}

function openRows(
  access: WriteAccess,
  { resource, input: { onDuplicate }, body: { chunks, mediaType }, deadline }: ImportCall,
): Rows {
  const reading = { resource, onDuplicate };
  if (!mediaType.startsWith('text/csv')) return readNdjson(chunks, reading);
  mustHaveHeader(mediaType);
  return readCsv(access.compute, chunks, reading, AbortSignal.timeout(Math.max(1, deadline - access.now())));
}

async function consume(writer: RowWriter, rows: Rows, report: ImportReport): Promise<void> {
  let batch: ImportRow[] = [];
  const take = async (parsed: readonly ParsedRow[]): Promise<void> => {
    for (const row of parsed) {
      if (row.kind === 'rejected') report.reject(row.number, row.fault);
      else batch.push(row);
      if (batch.length < limits.importBatchRows) continue;
      await writer.commit(batch, report);
      batch = [];
    }
  };
  for await (const parsed of rows) await take(parsed);
  await writer.commit(batch, report);
  report.complete = true;
}
