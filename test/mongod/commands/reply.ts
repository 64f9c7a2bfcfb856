// Cursor replies: the first batch, and a cursor kept open if there is more.
import { fail } from '../errors.ts';
import type { Doc } from '../values/types.ts';
import type { Context } from './command.ts';
import { FIRST_BATCH, type Source } from './cursors.ts';

export type CursorOptions = { namespace: string; batchSize?: number | undefined; single?: boolean; waits?: boolean; immortal?: boolean };

export async function cursorReply(context: Context, source: Source, options: CursorOptions): Promise<Doc> {
  const size = options.batchSize ?? FIRST_BATCH;
  if (size < 0) throw fail(51024, "BSON field 'batchSize' value must be >= 0");
  const batch = source.next(size, 0, context.signal);
  const first = batch instanceof Promise ? await batch : batch;
  const { docs, done, postBatchResumeToken } = first;
  const more = !done && !options.single;
  if (!more) source.close?.();
  const id = more ? context.member.cursors.add({
    source, namespace: options.namespace, db: context.db, session: context.session?.key ?? null, batchSize: options.batchSize ?? null,
    txnNumber: context.transaction?.txnNumber ?? null, waits: options.waits ?? false, immortal: options.immortal ?? false,
  }).id : 0n;
  return { cursor: { firstBatch: docs, ...(postBatchResumeToken ? { postBatchResumeToken } : {}), id, ns: options.namespace }, ok: 1 };
}
