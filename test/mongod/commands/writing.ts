// How every write reaches the store: checks, conflicts, the log, the session's memory, and the wait for others.
import { UUID } from 'bson';
import { CODES, codeName, fail, MongoFault, WriteConflictFault } from '../errors.ts';
import type { Operation, StatementResult } from '../replica/oplog.ts';
import type { Collection } from '../storage/collection.ts';
import type { StoredRecord } from '../storage/records.ts';
import { documentBytes, DOCUMENT_BYTES_MAX } from '../values/size.ts';
import { type Doc, isDoc, typeOf } from '../values/types.ts';
import { type Context, flag, sessionMark } from './command.ts';
import type { Description } from '../update/diff.ts';
import { createCollection } from './create.ts';
import { injectedWrite } from './sessions.ts';

type Statement = { id: number; result: StatementResult };

// Writes one document's next state and logs it, with the answer that a repetition of the statement gets.
function writeDoc(context: Context, collection: Collection, record: StoredRecord | null, doc: Doc | null, operation: Operation, statement: Statement): StoredRecord {
  const { member, transaction } = context;
  const { store } = member;
  if (transaction) {
    const written = collection.put(record, doc, { at: 0, holder: transaction, snapshotAt: transaction.view.at }, () => undefined);
    transaction.wrote(collection, written, operation);
    return written;
  }
  const closes = context.txnNumber !== null && injectedWrite(context);
  const at = member.nextAt();
  const written = collection.put(record, doc, { at, holder: null, snapshotAt: Infinity }, obsolete => store.onObsolete(collection, obsolete));
  context.wroteAt = member.log([operation], sessionMark(context, statement.id, statement.result), at);
  if (closes) context.connection.closeAfterCommand = true;
  return written;
}

const placeOf = (collection: Collection): { db: string; collection: string; uuid: UUID } => ({ db: collection.db, collection: collection.name, uuid: collection.uuid });

// Whether changes of the collection are logged with what was before and after, for change streams to give.
const keepsImages = ({ options }: Collection): boolean => (options['changeStreamPreAndPostImages'] as Doc | undefined)?.['enabled'] === true;

export function insertDoc(context: Context, collection: Collection, doc: Doc, statement: Statement): void {
  writeDoc(context, collection, null, doc, { kind: 'insert', doc, ...placeOf(collection) }, statement);
}

export function updateDoc(context: Context, collection: Collection, record: StoredRecord, change: { before: Doc; doc: Doc; description: Description | null }, statement: Statement): void {
  writeDoc(context, collection, record, change.doc, { kind: 'update', id: change.doc['_id'], ...change, images: keepsImages(collection), ...placeOf(collection) }, statement);
}

export function deleteDoc(context: Context, collection: Collection, record: StoredRecord, before: Doc, statement: Statement): void {
  writeDoc(context, collection, record, null, { kind: 'delete', id: before['_id'], before, images: keepsImages(collection), ...placeOf(collection) }, statement);
}

// Outside a transaction a writer that meets an open one's document waits for its end and looks again.
export async function untilFree<T>(context: Context, attempt: () => T): Promise<T> {
  for (;;) {
    try {
      return attempt();
    } catch (error) {
      if (!(error instanceof WriteConflictFault) || !error.blocker || context.transaction) throw error;
      await waitFor(context, error.blocker);
    }
  }
}

// A collection is dropped or renamed only when no open transaction has written to it.
export async function untilUnused(context: Context, collection: Collection): Promise<void> {
  const user = (): { settled: Promise<void> } | undefined => [...context.member.sessions.openTransactions()].find(transaction => transaction.touches(collection));
  for (let holder = user(); holder; holder = user()) await waitFor(context, holder.settled);
}

async function waitFor(context: Context, blocker: Promise<void>): Promise<void> {
  const stop = new AbortController();
  const signal = AbortSignal.any([context.signal, stop.signal, context.member.roleSignal]);
  const over = context.deadline === null ? null : context.server.clock.sleep(Math.max(0, context.deadline - context.server.clock.now()), signal);
  const gone = new Promise<void>(resolve => { if (signal.aborted) resolve(); else signal.addEventListener('abort', () => resolve(), { once: true }); });
  await Promise.race(over ? [blocker, over, gone] : [blocker, gone]);
  stop.abort();
  context.tick();
  if (!context.member.isPrimary) throw context.member.notPrimary('InterruptedDueToReplStateChange');
}

// An absent collection comes into being with its first document.
export function collectionForWrite(context: Context, name: string): Collection {
  return context.member.store.get(context.db, name) ?? createCollection(context, name, {});
}

export function checkInsertable(doc: Doc): void {
  const bytes = documentBytes(doc);
  if (bytes > DOCUMENT_BYTES_MAX) throw fail('BadValue', `object to insert too large. size in bytes: ${bytes}, max size: ${DOCUMENT_BYTES_MAX}`);
  checkId(doc['_id']);
}

function checkId(id: unknown): void {
  if (id === undefined) return;
  const type = typeOf(id);
  if (type === 'array' || type === 'regex') throw fail('InvalidIdField', `The '_id' value cannot be of type ${type}`);
  if (isDoc(id)) checkIdFields(id);
}

function checkIdFields(id: Doc): void {
  for (const [name, value] of Object.entries(id)) {
    if (name.startsWith('$')) throw fail('DollarPrefixedFieldName', `_id fields may not contain '$'-prefixed fields: ${name} is not valid for storage.`);
    if (isDoc(value)) checkIdFields(value);
  }
}

// Validators: `before` is the document that an update starts from; under `moderate` an invalid one may stay so.
export function validate(context: Context, collection: Collection, doc: Doc, before: Doc | null = null): void {
  const { validator, options } = collection;
  if (!validator || flag(context.body, 'bypassDocumentValidation')) return;
  const level = options['validationLevel'] ?? 'strict';
  if (level === 'off') return;
  const details = validator(doc);
  if (!details || (level === 'moderate' && before && validator(before))) return;
  if (options['validationAction'] === 'warn') { context.server.warn({ c: 'STORAGE', id: 20294, msg: 'Document would fail validation', attr: { namespace: `${collection.db}.${collection.name}`, document: doc, errInfo: details } }); return; }
  throw fail('DocumentValidationFailure', 'Document failed validation', { errInfo: { failingDocumentId: doc['_id'], details } });
}

export function toWriteError(error: unknown, index: number, context: Context): Doc {
  if (!(error instanceof MongoFault)) throw error;
  if (context.transaction && isFatalInTransaction(error)) throw error;
  if (error.code === CODES.MaxTimeMSExpired || error.code === CODES.InterruptedDueToReplStateChange || error.code === CODES.NotWritablePrimary || error.code === CODES.Interrupted) throw error;
  return { index, code: error.code, ...(error.code === CODES.DuplicateKey ? {} : { codeName: codeName(error.code) }), ...error.facts, errmsg: error.message };
}

const isFatalInTransaction = ({ code }: MongoFault): boolean => code === CODES.WriteConflict || code === CODES.SnapshotUnavailable || code === CODES.NoSuchTransaction;
