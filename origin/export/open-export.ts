/** A caller's export of their call's resource: which documents, of which state, in which form, until when. */
import { csvColumnsOf, csvColumnsWithin } from '../../shared/contract/csv-columns.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { ExportQuery } from '../../shared/operations/export-query.ts';
import { formats } from '../../shared/operations/formats.ts';
import { toRowForm } from '../../shared/operations/row-form.ts';
import type { Answer, Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { cursorBinding } from '../documents/page.ts';
import { mustGoOnAt, startOf } from '../documents/page-start.ts';
import { presenter } from '../documents/present.ts';
import { readOptions } from '../documents/representation.ts';
import { mustBeServable } from '../documents/servable.ts';
import type { HeldState } from '../store/store.ts';
import { cursorRefused, mustCursor, signCursor, signPosition } from '../tokens.ts';
import { toTrouble } from '../trouble.ts';
import { type Exporting, exportedRows } from './exported-rows.ts';
import { openPacedStream } from './paced-stream.ts';
import { toWalk } from './walk.ts';

/** The first chunk is made before this answers, so that what refuses an export is an answer like any other. */
export async function openExport(context: Context, call: Asked, { query, format }: ExportQuery): Promise<Answer> {
  const toExporting = await prepared(context, call, { query, format });
  const walk = await toWalk(context.store, call, query);
  // What goes on behind its answer has a share of its own.
  const giveBack = call.course === undefined ? context.exports.mustTake(call.principal) : () => undefined;
  const held = await context.store.hold([walk.along, call.resource], { ...readOptions(call), deadline: stepDeadline(context, call) })
    .catch((thrown: unknown) => {
      giveBack();
      throw thrown;
    });
  const rows = exportedRows({ ...toExporting(held), walk, onEnded: giveBack });
  const pace = { silenceMsMax: limits.exportSilenceMsMax, bytesPerSecondMin: limits.exportBytesPerSecondMin };
  const onCut = (cause: unknown) => tellCut(context, call, cause);
  return { outcome: 'streaming', mediaType: formats[format], body: await openPacedStream(rows, { pace, onCut }) };
}

async function prepared(
  context: Context, call: Asked, { query, format }: ExportQuery,
): Promise<(held: HeldState) => Omit<Exporting, 'walk' | 'onEnded'>> {
  const { resource, principal, tokenKey } = call;
  const boundTo = cursorBinding(call, query);
  const cursor = query.after === undefined ? undefined : mustCursor(query.after, boundTo, context.settings.keys);
  if (cursor?.backwards === true) throw cursorRefused('leads back; an export goes on');
  // A page back to the beginning leads on from there.
  const { after, cut } = startOf(cursor);
  const begin = cut === undefined ? after : await mustGoOnAt(context.store, call, query, cut);
  const present = presenter(resource, principal, query.fields);
  const form = toRowForm(format, () => csvColumnsWithin(csvColumnsOf(resource), query.fields));
  let rows = 0;
  return (held) => ({
    held, form, after: begin,
    present: (document) => {
      mustBeServable(resource, document);
      call.course?.note({ rows: ++rows });
      return present(document);
    },
    sign: (keys) => signCursor({ keys, backwards: false }, boundTo, tokenKey),
    position: signPosition(held.position, tokenKey),
    mustGoOn: () => mustGoOn(context, call),
    onStopped: (fault) => {
      call.course?.fail(fault);
      tellCut(context, call, fault);
    },
  });
}

function mustGoOn(context: Context, call: Asked): number {
  call.course?.mustGoOn();
  if (context.streams.signal.aborted) throw new Fault('overloaded', { detail: 'the origin stops; go on from `next`' });
  const detail = 'the time of this export is over; go on from `next`';
  if (context.now() >= call.deadline) throw new Fault('deadline_exceeded', { detail });
  return stepDeadline(context, call);
}

/** A step is a page, and has its time. */
function stepDeadline(context: Context, { deadline }: Asked): number {
  return Math.min(deadline, context.now() + limits.requestMsMax);
}

/** What the reader did is a fact, and what we did a fault. */
function tellCut({ log }: Context, { requestId, traceId }: Asked, cause: unknown): void {
  if (cause === undefined) log.info({ requestId, traceId }, 'an export is cut off: its reader is too slow');
  else log.warn({ requestId, traceId, ...toTrouble(cause) }, 'an export breaks off');
}
