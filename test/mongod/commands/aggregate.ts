import { compileStages, type PipelineContext, runStages } from '../aggregate/stages.ts';
import { openChangeStream } from '../changes/open.ts';
import { fail } from '../errors.ts';
import { explainQuery } from '../query/explain.ts';
import type { Hit } from '../query/run.ts';
import { parseCollation } from '../values/collation.ts';
import { type Doc, isDoc, toNumber } from '../values/types.ts';
import { type Command, type Context, docField, flag, numberField } from './command.ts';
import { sourceOf } from './cursors.ts';
import { withSnapshotTime } from './find.ts';
import { mergeInto, outInto } from './out-merge.ts';
import { collectionOf, matchContext, openQuery, type Query } from './query.ts';
import { cursorReply } from './reply.ts';
import { viewPipeline } from './views.ts';
import { generated, isVirtual, virtualDocs } from './virtual.ts';

export const aggregateCommand: Command = {
  kind: 'read',
  inTransaction: true,
  async run(context) {
    const { body, db } = context;
    const pipeline = stagesOf(body['pipeline']);
    const name = typeof body['aggregate'] === 'string' ? body['aggregate'] : null;
    if (name === null && toNumber(body['aggregate']) !== 1) throw fail('FailedToParse', 'Invalid command format: the aggregate field must specify a collection name or 1');
    const cursor = docField(body, 'cursor', 'aggregate');
    if (!cursor && !flag(body, 'explain')) throw fail('FailedToParse', "The 'cursor' option is required, except for aggregate with the explain argument");
    if (flag(body, 'explain')) return explainAggregate(context, 'queryPlanner');
    const options = { namespace: `${db}.${name ?? '$cmd.aggregate'}`, batchSize: numberField(cursor ?? {}, 'batchSize', 'aggregate.cursor') };
    const first = pipeline[0];
    if (first && '$changeStream' in first) return openChangeStream(context, name, pipeline, options);
    const last = pipeline.at(-1) ?? {};
    if ('$out' in last || '$merge' in last) {
      if (context.transaction) throw fail('OperationNotSupportedInTransaction', `${Object.keys(last)[0]} cannot be used in a transaction`);
      const level = (body['readConcern'] as Doc | undefined)?.['level'];
      if (level === 'linearizable') throw fail('InvalidOptions', `${Object.keys(last)[0]} cannot be used with a 'linearizable' read concern`);
      if (!context.member.isPrimary) throw context.member.notPrimary('NotWritablePrimary');
      const docs = await aggregateDocs(context, name, pipeline.slice(0, -1));
      await ('$out' in last ? outInto(context, last['$out'], docs) : mergeInto(context, last['$merge'], docs));
      return cursorReply(context, sourceOf([]), options);
    }
    return withSnapshotTime(context, await cursorReply(context, sourceOf(aggregateIterable(context, name, pipeline)), options));
  },
};

function stagesOf(pipeline: unknown): Doc[] {
  if (!Array.isArray(pipeline)) throw fail(pipeline === undefined ? 40414 : 'TypeMismatch', "BSON field 'aggregate.pipeline' is missing but a required field");
  for (const stage of pipeline) {
    if (!isDoc(stage)) throw fail('TypeMismatch', "Each element of the 'pipeline' array must be an object");
    if (Object.keys(stage).length !== 1) throw fail(40323, 'A pipeline stage specification object must contain exactly one field.');
  }
  return pipeline as Doc[];
}

export const aggregateDocs = async (context: Context, name: string | null, pipeline: Doc[]): Promise<Doc[]> => [...aggregateIterable(context, name, pipeline)];

function aggregateIterable(context: Context, name: string | null, pipeline: Doc[], variables: Doc = {}): Iterable<Doc> {
  const view = name === null ? null : viewPipeline(context, name);
  if (view) return aggregateIterable(context, view.on, [...view.pipeline, ...pipeline], variables);
  const made = generated(context, name, pipeline[0]);
  if (made || name === null || isVirtual(context.db, name)) {
    if (!made && name === null) throw fail('InvalidNamespace', `{aggregate: 1} is not valid for '${Object.keys(pipeline[0] ?? { none: 1 })[0]}'; a collection is required.`);
    return runStages(made ?? virtualDocs(context, name as string), compileStages(made ? pipeline.slice(1) : pipeline, pipelineContext(context, variables)));
  }
  const { query, rest, skip, limit } = absorb(context, name, pipeline, variables);
  return runStages(docsOf(query.hits(), skip, limit), compileStages(rest, pipelineContext(context, { ...query.matching.variables, ...variables })));
}

function* docsOf(hits: Iterable<Hit>, skip: number, limit: number): Generator<Doc> {
  if (limit <= 0) return;
  let n = 0;
  for (const { doc } of hits) {
    if (n++ < skip) continue;
    yield doc;
    if (n >= skip + limit) return;
  }
}

// The head of a pipeline that a plan can answer: $match, then $sort, then $skip and $limit.
function absorb(context: Context, name: string, pipeline: Doc[], variables: Doc): { query: Query; rest: Doc[]; skip: number; limit: number } {
  const filters: unknown[] = [];
  let sort: unknown;
  let skip = 0;
  let limit = Infinity;
  let at = 0;
  while (pipeline[at] && '$match' in (pipeline[at] as Doc)) filters.push((pipeline[at++] as Doc)['$match']);
  if (isDoc(pipeline[at]?.['$sort']) && Object.keys(pipeline[at]?.['$sort'] as Doc).length) sort = (pipeline[at++] as Doc)['$sort'];
  const skipStage = toNumber(pipeline[at]?.['$skip']);
  if (skipStage !== undefined && skipStage >= 0) { skip = skipStage; at++; }
  const limitStage = toNumber(pipeline[at]?.['$limit']);
  if (limitStage !== undefined && limitStage > 0) { limit = limitStage; at++; }
  for (const filter of filters) if (!isDoc(filter)) throw fail(15959, 'the match filter must be an expression in an object');
  const filter = filters.length > 1 ? { $and: filters } : filters[0] ?? {};
  const { body } = context;
  const query = openQuery(context, collectionOf(context, name), { filter, sort, hint: body['hint'], collation: body['collation'], let: { ...literals(variables), ...body['let'] as Doc | undefined } });
  return { query, rest: pipeline.slice(at), skip, limit };
}

const literals = (variables: Doc): Doc => Object.fromEntries(Object.entries(variables).filter(([name]) => name !== 'NOW' && name !== 'CLUSTER_TIME').map(([name, value]) => [name, { $literal: value }]));

export function pipelineContext(context: Context, variables: Doc): PipelineContext {
  const matching = matchContext(context, undefined, parseCollation(context.body['collation']));
  return {
    ...matching, variables: { ...matching.variables, ...variables }, db: context.db, tick: context.tick, random: context.server.random,
    collectionDocs: (name, pipeline, vars) => aggregateIterable({ ...context, body: bare(context.body) }, name, pipeline, vars),
    findBy: (name, path, values) => aggregateIterable({ ...context, body: bare(context.body) }, name, [{ $match: { [path]: values.length === 1 ? { $eq: values[0] } : { $in: values } } }]),
  };
}

const bare = ({ hint: _, ...body }: Doc): Doc => body;

export function explainAggregate(context: Context, verbosity: string): Doc {
  const name = String(context.body['aggregate']);
  const pipeline = stagesOf(context.body['pipeline']);
  const { query, rest, skip, limit } = absorb(context, name, pipeline, {});
  let returned = 0;
  const docs = runStages(docsOf(query.hits(), skip, limit), compileStages(rest, pipelineContext(context, query.matching.variables)));
  if (verbosity !== 'queryPlanner') for (const _ of docs) returned++;
  const explained = explainQuery(context, query, { verbosity, returned, limit, skip, project: false, namespace: `${context.db}.${name}` });
  if (rest.every(stage => '$project' in stage)) return explained;
  const { queryPlanner, executionStats, ...more } = explained;
  return { ...more, stages: [{ $cursor: { queryPlanner, ...(executionStats ? { executionStats } : {}) }, ...(executionStats ? { nReturned: query.counters.matched } : {}) }, ...rest] };
}
