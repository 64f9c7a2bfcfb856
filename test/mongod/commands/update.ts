import { fail } from '../errors.ts';
import { toTimestamp } from '../replica/cluster-time.ts';
import { visible } from '../storage/records.ts';
import type { Collection } from '../storage/collection.ts';
import { compileUpdate, isReplacement, type Updater } from '../update/apply.ts';
import { isNoop } from '../update/diff.ts';
import { upsertDocument } from '../update/upsert.ts';
import { isIdentical } from '../values/compare.ts';
import { type Doc, isDoc } from '../values/types.ts';
import type { Hit } from '../query/run.ts';
import { explainQuery } from '../query/explain.ts';
import { collectionName, type Command, type Context, docField, flag, listField, ok, recordedResult } from './command.ts';
import { collectionOf, openQuery, type Query } from './query.ts';
import { runStatements } from './statements.ts';
import { checkInsertable, collectionForWrite, insertDoc, untilFree, updateDoc, validate } from './writing.ts';
import { refuseView } from './views.ts';

type Result = { n: number; nModified: number; upserted?: unknown };

export const update: Command = {
  kind: 'write',
  inTransaction: true,
  retryable: true,
  async run(context) {
    const name = collectionName(context);
    refuseView(context, name);
    const total = { n: 0, nModified: 0 };
    const upserted: Doc[] = [];
    const list = listField(context.body, 'updates', 'update');
    if (context.txnNumber !== null && list.some(item => flag(item, 'multi'))) throw fail('InvalidOptions', 'Cannot use retryable writes with multi=true');
    if (list.some(item => item['sort'] !== undefined)) throw fail(40415, "BSON field 'update.updates.sort' is an unknown field."); // since 8.0
    const errors = await runStatements(context, list, async ({ item, index, id }) => {
      const result = await runUpdate(context, name, item, id);
      total.n += result.n;
      total.nModified += result.nModified;
      if (result.upserted !== undefined) upserted.push({ index, _id: result.upserted });
    });
    return ok({ ...total, ...(upserted.length ? { upserted } : {}), ...errors });
  },
};

function checkUpdateItem(item: Doc): void {
  if (!isDoc(item['q'])) throw fail(40414, "BSON field 'update.updates.q' is missing but a required field");
  if (item['u'] === undefined) throw fail(40414, "BSON field 'update.updates.u' is missing but a required field");
  if (flag(item, 'multi') && !Array.isArray(item['u']) && isReplacement(item['u'])) throw fail('FailedToParse', 'multi update is not supported for replacement-style update');
  if (item['sort'] !== undefined && flag(item, 'multi')) throw fail('FailedToParse', 'Cannot specify sort with multi=true');
}

function queryFor(context: Context, collection: Collection | null, item: Doc): Query {
  return openQuery(context, collection, { filter: item['q'], sort: docField(item, 'sort', 'update.updates'), hint: item['hint'], collation: item['collation'], let: item['c'] ?? context.body['let'] });
}

async function runUpdate(context: Context, name: string, item: Doc, statement: number): Promise<Result> {
  checkUpdateItem(item);
  const before = recordedResult(context, statement);
  if (before) return before as Result;
  const collection = collectionOf(context, name);
  const query = queryFor(context, collection, item);
  const updater = compileUpdate(item['u'], item['arrayFilters'], { ...query.matching, filter: item['q'], now: () => context.server.clock.now(), clusterTime: () => toTimestamp(context.member.nextAt()) });
  const result = flag(item, 'multi') ? await updateMany(context, query, updater, statement) : await updateFirst(context, query, updater, statement);
  if (result.n > 0 || !flag(item, 'upsert')) return result;
  return upsert(context, name, item, updater, statement);
}

async function updateMany(context: Context, query: Query, updater: Updater, statement: number): Promise<Result> {
  const result: Result = { n: 0, nModified: 0 };
  for (const { record } of [...query.hits()]) {
    await untilFree(context, () => {
      const doc = visible(record, context.view);
      if (!doc || !query.run?.test(doc)) return;
      const modified = applyTo(context, query.collection as Collection, { record, doc }, updater, { id: statement, result: {} });
      result.n++;
      if (modified) result.nModified++;
    });
  }
  return result;
}

async function updateFirst(context: Context, query: Query, updater: Updater, statement: number): Promise<Result> {
  const { collection } = query;
  if (!collection) return { n: 0, nModified: 0 };
  return untilFree(context, () => {
    for (const hit of query.hits()) {
      const modified = applyTo(context, collection, hit, updater, { id: statement, result: { n: 1, nModified: 1 } });
      return { n: 1, nModified: modified ? 1 : 0 };
    }
    return { n: 0, nModified: 0 };
  });
}

// Writes the updated document unless nothing changed. Returns whether it wrote.
export function applyTo(context: Context, collection: Collection, { record, doc }: Hit, updater: Updater, statement: { id: number; result: Doc }): Doc | null {
  const next = updater(doc, false);
  if (next.description ? isNoop(next.description) : isIdentical(doc, next.doc)) return null;
  validate(context, collection, next.doc, doc);
  updateDoc(context, collection, record, { before: doc, ...next }, statement);
  return next.doc;
}

async function upsert(context: Context, name: string, item: Doc, updater: Updater, statement: number): Promise<Result> {
  const doc = upsertDocument(item['q'], item['u'], updater);
  checkInsertable(doc);
  const result = { n: 1, nModified: 0, upserted: doc['_id'] };
  await untilFree(context, () => {
    const collection = collectionForWrite(context, name);
    validate(context, collection, doc);
    insertDoc(context, collection, doc, { id: statement, result });
  });
  return result;
}

export function explainUpdate(context: Context, verbosity: string): Doc {
  const name = collectionName(context);
  const item = listField(context.body, 'updates', 'update')[0] as Doc;
  checkUpdateItem(item);
  const query = queryFor(context, collectionOf(context, name), item);
  let returned = 0;
  if (verbosity !== 'queryPlanner') for (const _ of query.hits()) { returned++; if (!flag(item, 'multi')) break; }
  return explainQuery(context, query, { verbosity, returned: 0, limit: Infinity, skip: 0, project: false, namespace: `${context.db}.${name}`, write: 'UPDATE', written: returned });
}
