/** A write of a subject as an endpoint makes it, with the hook that enqueues. */
import { asSystem } from '../../../origin/access/on-behalf.ts';
import { DocumentsChanged, plannedOf } from '../../../origin/access/documents-changed.ts';
import { ReadLedger } from '../../../origin/access/read-ledger.ts';
import type { Context } from '../../../origin/context.ts';
import { anonymous } from '../../../shared/wire/principal.ts';
import { subjects } from './declared.ts';

export async function writeSubject(context: Context, id: string): Promise<void> {
  const { settings, beforeWrites, store } = context;
  const deadline = Date.now() + 10_000;
  const changed = new DocumentsChanged(context, asSystem({
    operation: { name: 'write', right: 'update' }, resource: subjects, id: '', principal: anonymous, deadline, beforeWrites,
    rights: { readable: true, writable: true }, preconditions: { ifMatch: undefined, ifNoneMatch: undefined },
    idempotency: undefined, nonce: undefined, atLeast: undefined, tokenKey: settings.keys[0], requestId: 'write', traceId: undefined,
  }), new ReadLedger());
  const isThere = (await store.get(subjects, id, { deadline })).value !== undefined;
  const change = isThere
    ? changed.merge(subjects, id, ({ n = 0 }) => ({ n: n + 1 }))
    : changed.create(subjects, { id, n: 1 });
  await store.write([plannedOf(change).mutation], { deadline });
}
