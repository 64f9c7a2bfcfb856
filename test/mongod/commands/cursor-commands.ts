// getMore and killCursors
import { fail, MongoFault } from '../errors.ts';
import { Double } from 'bson';
import type { Doc } from '../values/types.ts';
import { type Command, type Context, numberField, ok } from './command.ts';
import type { Cursor } from './cursors.ts';

const AWAIT_MS = 1000;

const toId = (value: unknown): bigint => (value instanceof Double ? BigInt(value.value) : BigInt(value as bigint | number));

export const getMore: Command = {
  kind: 'any',
  inTransaction: true,
  async run(context) {
    const { member, body } = context;
    const cursor = member.cursors.use(toId(body['getMore']));
    checkOwner(context, cursor);
    try {
      return await readChecked(context, cursor);
    } catch (error) {
      if (error instanceof MongoFault && cursor.waits) error.onChangeStream = true;
      throw error;
    }
  },
};

function readChecked(context: Context, cursor: Cursor): Promise<Doc> {
  const { member } = context;
  const injected = member.failPoints.enter('failGetMoreAfterCursorCheckout');
  if (injected) {
    if (injected['closeConnection']) { context.connection.close(); throw fail('SocketException', 'closed by a fail point'); }
    const fault = fail(Number(injected['errorCode'] ?? 1), "Failing getMore due to 'failGetMoreAfterCursorCheckout' failpoint");
    if (Array.isArray(injected['errorLabels'])) fault.labels = injected['errorLabels'] as string[];
    throw fault;
  }
  return readBatch(context, cursor);
}

async function readBatch(context: Context, cursor: Cursor): Promise<Doc> {
  const { member, body } = context;
  const size = numberField(body, 'batchSize', 'getMore') ?? 0;
  const wait = cursor.waits ? numberField(body, 'maxTimeMS', 'getMore') ?? AWAIT_MS : 0;
  cursor.busy = new AbortController();
  const signal = AbortSignal.any([context.signal, cursor.busy.signal]);
  try {
    const batch = cursor.source.next(size > 0 ? size : Infinity, wait, signal);
    const { docs, done, postBatchResumeToken } = batch instanceof Promise ? await batch : batch;
    if (!member.cursors.open.has(cursor.id) && !done) throw fail('CursorNotFound', `cursor id ${cursor.id} was killed`);
    if (done) member.cursors.close(cursor.id);
    return { cursor: { nextBatch: docs, ...(postBatchResumeToken ? { postBatchResumeToken } : {}), id: done ? 0n : cursor.id, ns: cursor.namespace }, ok: 1 };
  } catch (error) {
    member.cursors.close(cursor.id);
    throw error;
  } finally {
    cursor.busy = null;
    cursor.usedAt = member.clock.now();
  }
}

function checkOwner({ body, db, session, transaction }: Context, cursor: Cursor): void {
  const namespace = `${db}.${String(body['collection'])}`;
  if (cursor.namespace !== namespace) throw fail('Unauthorized', `Requested getMore on namespace '${namespace}', but cursor belongs to a different namespace ${cursor.namespace}`);
  if (cursor.session !== (session?.key ?? null)) throw fail(cursor.session ? 50737 : 50736, 'Cannot run getMore on a cursor of another session');
  if (cursor.txnNumber !== (transaction?.txnNumber ?? null)) throw fail(50740, 'Cannot run getMore on a cursor of another transaction');
}

export const killCursors: Command = {
  kind: 'any',
  inTransaction: true,
  run({ member, body }) {
    const ids = (Array.isArray(body['cursors']) ? body['cursors'] : []).map(toId);
    const killed = ids.filter(id => member.cursors.close(id));
    return ok({ cursorsKilled: killed, cursorsNotFound: ids.filter(id => !killed.includes(id)), cursorsAlive: [], cursorsUnknown: [] });
  },
};
