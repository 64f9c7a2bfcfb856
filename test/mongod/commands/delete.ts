import { fail } from '../errors.ts';
import { visible } from '../storage/records.ts';
import type { Collection } from '../storage/collection.ts';
import { type Doc, isDoc, toNumber } from '../values/types.ts';
import { explainQuery } from '../query/explain.ts';
import { collectionName, type Command, type Context, listField, ok, recordedResult } from './command.ts';
import { collectionOf, openQuery, type Query } from './query.ts';
import { deleteDoc, untilFree } from './writing.ts';
import { runStatements } from './statements.ts';
import { refuseView } from './views.ts';

export const remove: Command = {
  kind: 'write',
  inTransaction: true,
  retryable: true,
  async run(context) {
    const name = collectionName(context);
    refuseView(context, name);
    const list = listField(context.body, 'deletes', 'delete');
    if (context.txnNumber !== null && list.some(item => toNumber(item['limit']) === 0)) throw fail('InvalidOptions', 'Cannot use retryable writes with limit=0');
    let n = 0;
    const errors = await runStatements(context, list, async ({ item, id }) => { n += await runDelete(context, name, item, id); });
    return ok({ n, ...errors });
  },
};

function queryFor(context: Context, collection: Collection | null, item: Doc): Query {
  if (!isDoc(item['q'])) throw fail(40414, "BSON field 'delete.deletes.q' is missing but a required field");
  return openQuery(context, collection, { filter: item['q'], hint: item['hint'], collation: item['collation'], let: context.body['let'] });
}

async function runDelete(context: Context, name: string, item: Doc, statement: number): Promise<number> {
  const limit = toNumber(item['limit']);
  if (limit !== 0 && limit !== 1) throw fail(limit === undefined ? 40414 : 'FailedToParse', `The limit field in delete objects must be 0 or 1. Got ${String(limit)}`);
  const before = recordedResult(context, statement);
  if (before) return before['n'] as number;
  const collection = collectionOf(context, name);
  const query = queryFor(context, collection, item);
  if (!collection) return 0;
  return limit === 1 ? deleteFirst(context, query, collection, statement) : deleteMany(context, query, collection, statement);
}

const deleteFirst = (context: Context, query: Query, collection: Collection, statement: number): Promise<number> => untilFree(context, () => {
  for (const { record, doc } of query.hits()) {
    deleteDoc(context, collection, record, doc, { id: statement, result: { n: 1 } });
    return 1;
  }
  return 0;
});

async function deleteMany(context: Context, query: Query, collection: Collection, statement: number): Promise<number> {
  let n = 0;
  for (const { record } of [...query.hits()]) {
    await untilFree(context, () => {
      const doc = visible(record, context.view);
      if (!doc || !query.run?.test(doc)) return;
      deleteDoc(context, collection, record, doc, { id: statement, result: {} });
      n++;
    });
  }
  return n;
}

export function explainDelete(context: Context, verbosity: string): Doc {
  const name = collectionName(context);
  const item = listField(context.body, 'deletes', 'delete')[0] as Doc;
  const query = queryFor(context, collectionOf(context, name), item);
  let returned = 0;
  if (verbosity !== 'queryPlanner') for (const _ of query.hits()) { returned++; if (toNumber(item['limit']) === 1) break; }
  return explainQuery(context, query, { verbosity, returned: 0, limit: Infinity, skip: 0, project: false, namespace: `${context.db}.${name}`, write: 'DELETE', written: returned });
}
