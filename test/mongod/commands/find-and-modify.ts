import { fail } from '../errors.ts';
import { toTimestamp } from '../replica/cluster-time.ts';
import { compileProjection } from '../query/projection.ts';
import type { Collection } from '../storage/collection.ts';
import { compileUpdate } from '../update/apply.ts';
import { upsertDocument } from '../update/upsert.ts';
import type { Doc } from '../values/types.ts';
import { collectionName, type Command, type Context, docField, flag, ok, recordedResult, statementId } from './command.ts';
import { collectionOf, openQuery, type Query } from './query.ts';
import { applyTo } from './update.ts';
import { checkInsertable, collectionForWrite, deleteDoc, insertDoc, untilFree, validate } from './writing.ts';
import { refuseView } from './views.ts';

export const findAndModify: Command = {
  kind: 'write',
  inTransaction: true,
  retryable: true,
  async run(context) {
    const { body } = context;
    const name = collectionName(context);
    refuseView(context, name);
    const removes = flag(body, 'remove');
    if (removes === (body['update'] !== undefined)) throw fail('FailedToParse', removes ? 'Cannot specify both an update and remove=true' : "Either an update or remove=true must be specified");
    if (removes && flag(body, 'upsert')) throw fail('FailedToParse', 'Cannot specify both upsert=true and remove=true');
    if (removes && flag(body, 'new')) throw fail('FailedToParse', "Cannot specify both new=true and remove=true; 'remove' always returns the deleted document");
    const statement = statementId(context, 0);
    const before = recordedResult(context, statement);
    if (before) return ok(before);
    return untilFree(context, () => (removes ? removeOne(context, name, statement) : updateOne(context, name, statement)));
  },
};

function queryFor(context: Context, name: string): Query {
  const { body } = context;
  return openQuery(context, collectionOf(context, name), { filter: docField(body, 'query', 'findAndModify') ?? {}, sort: docField(body, 'sort', 'findAndModify'), hint: body['hint'], collation: body['collation'], let: body['let'] });
}

function shown(context: Context, query: Query, doc: Doc): Doc {
  return compileProjection(context.body['fields'], query.matching, { filter: context.body['query'] ?? {} })?.(doc) ?? doc;
}

function removeOne(context: Context, name: string, statement: number): Doc {
  const query = queryFor(context, name);
  for (const { record, doc } of query.hits()) {
    const result = { lastErrorObject: { n: 1 }, value: shown(context, query, doc) };
    deleteDoc(context, query.collection as Collection, record, doc, { id: statement, result });
    return ok(result);
  }
  return ok({ lastErrorObject: { n: 0 }, value: null });
}

function updateOne(context: Context, name: string, statement: number): Doc {
  const { body } = context;
  const query = queryFor(context, name);
  const updater = compileUpdate(body['update'], body['arrayFilters'], { ...query.matching, filter: body['query'] ?? {}, now: () => context.server.clock.now(), clusterTime: () => toTimestamp(context.member.nextAt()) });
  for (const hit of query.hits()) {
    const lastErrorObject = { n: 1, updatedExisting: true };
    // The answer must be known before the write is logged with it: the update is a pure function of the document.
    const value = shown(context, query, flag(body, 'new') ? updater(hit.doc, false).doc : hit.doc);
    applyTo(context, query.collection as Collection, hit, updater, { id: statement, result: { lastErrorObject, value } });
    return ok({ lastErrorObject, value });
  }
  if (!flag(body, 'upsert')) return ok({ lastErrorObject: { n: 0, updatedExisting: false }, value: null });
  const doc = upsertDocument(body['query'] ?? {}, body['update'], updater);
  checkInsertable(doc);
  const result = { lastErrorObject: { n: 1, updatedExisting: false, upserted: doc['_id'] }, value: flag(body, 'new') ? shown(context, query, doc) : null };
  const collection = collectionForWrite(context, name);
  validate(context, collection, doc);
  insertDoc(context, collection, doc, { id: statement, result });
  return ok(result);
}
