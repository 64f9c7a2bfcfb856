import { fail } from '../errors.ts';
import { explainQuery } from '../query/explain.ts';
import { compileProjection } from '../query/projection.ts';
import type { Hit } from '../query/run.ts';
import { toTimestamp } from '../replica/cluster-time.ts';
import type { Doc } from '../values/types.ts';
import { collectionName, type Command, type Context, docField, flag, numberField } from './command.ts';
import { sourceOf } from './cursors.ts';
import { collectionOf, openQuery, type Query } from './query.ts';
import { cursorReply } from './reply.ts';
import { isVirtual, virtualDocs } from './virtual.ts';
import { viewPipeline } from './views.ts';
import { aggregateCommand } from './aggregate.ts';

type Find = { query: Query; docs: Iterable<Doc>; limit: number; skip: number; project: boolean };

function prepareFind(context: Context, name: string): Find {
  const { body } = context;
  const limit = numberField(body, 'limit', 'find') ?? 0;
  const skip = numberField(body, 'skip', 'find') ?? 0;
  if (skip < 0) throw fail(51024, `BSON field 'skip' value must be >= 0, actual value '${skip}'`);
  if (flag(body, 'tailable') && !collectionOf(context, name)?.options['capped']) throw fail('BadValue', `error processing query: ns=${context.db}.${name} tailable cursor requested on non capped collection`);
  for (const refused of ['min', 'max', 'returnKey', 'showRecordId', 'tailable']) if (body[refused] !== undefined && body[refused] !== false) throw fail('NotImplemented', `find.${refused} is refused by this test server`);
  const query = openQuery(context, collectionOf(context, name), { filter: docField(body, 'filter', 'find') ?? {}, sort: docField(body, 'sort', 'find'), hint: body['hint'], collation: body['collation'], let: body['let'] });
  const projection = compileProjection(body['projection'], query.matching, { filter: body['filter'] ?? {} });
  const docs = shape(query.hits(), skip, projection);
  return { query, docs, skip, limit: Math.abs(limit) || Infinity, project: projection !== null };
}

function* shape(hits: Iterable<Hit>, skip: number, projection: ((doc: Doc) => Doc) | null): Generator<Doc> {
  let passed = 0;
  for (const { doc } of hits) {
    if (passed++ < skip) continue;
    yield projection ? projection(doc) : doc;
  }
}

export const find: Command = {
  kind: 'read',
  inTransaction: true,
  async run(context) {
    const { body, db } = context;
    const name = collectionName(context);
    const view = viewPipeline(context, name);
    if (view) return aggregateCommand.run({ ...context, name: 'aggregate', body: findAsAggregate(body, name) });
    const batchSize = numberField(body, 'batchSize', 'find');
    const single = flag(body, 'singleBatch') || (numberField(body, 'limit', 'find') ?? 0) < 0;
    const options = { namespace: `${db}.${name}`, batchSize, single, immortal: flag(body, 'noCursorTimeout') };
    if (isVirtual(db, name)) return cursorReply(context, sourceOf(virtualDocs(context, name)), options);
    const { docs, limit } = prepareFind(context, name);
    const reply = await cursorReply(context, sourceOf(docs, limit), options);
    return withSnapshotTime(context, reply);
  },
};

// A snapshot read tells which time it saw, so that the session's next ones see the same.
export function withSnapshotTime(context: Context, reply: Doc): Doc {
  return { ...reply, cursor: { ...(reply['cursor'] as Doc), ...snapshotTime(context) } };
}

export function snapshotTime(context: Context): Doc {
  const concern = context.body['readConcern'] as Doc | undefined;
  return concern?.['level'] === 'snapshot' && !context.transaction ? { atClusterTime: toTimestamp(context.view.at) } : {};
}

function findAsAggregate(body: Doc, name: string): Doc {
  const stages: Doc[] = [{ $match: body['filter'] ?? {} }];
  for (const [field, stage] of [['sort', '$sort'], ['skip', '$skip'], ['limit', '$limit'], ['projection', '$project']] as const) if (body[field] !== undefined && body[field] !== 0 && !(field === 'projection' && Object.keys(body[field] as Doc).length === 0)) stages.push({ [stage]: body[field] });
  return { aggregate: name, pipeline: stages, cursor: body['batchSize'] === undefined ? {} : { batchSize: body['batchSize'] }, ...(body['collation'] ? { collation: body['collation'] } : {}), ...(body['readConcern'] ? { readConcern: body['readConcern'] } : {}) };
}

export function explainFind(context: Context, verbosity: string): Doc {
  const name = collectionName(context);
  const { query, docs, limit, skip, project } = prepareFind(context, name);
  let returned = 0;
  if (verbosity !== 'queryPlanner') for (const _ of docs) if (++returned >= limit) break;
  return explainQuery(context, query, { verbosity, returned, limit, skip, project, namespace: `${context.db}.${name}` });
}

