// explain: the plan that ran, with what it touched.
import type { Context } from '../commands/command.ts';
import type { Query } from '../commands/query.ts';
import type { Doc } from '../values/types.ts';
import type { Plan, Scan } from './plan.ts';

type ExplainOptions = {
  verbosity: string;
  returned: number;
  limit: number;
  skip: number;
  project: boolean;
  namespace: string;
  write?: 'UPDATE' | 'DELETE' | 'COUNT';
  written?: number;
};

export function explainQuery(context: Context, query: Query, options: ExplainOptions): Doc {
  const executed = options.verbosity !== 'queryPlanner';
  const filter = (context.body['filter'] ?? context.body['query'] ?? {}) as Doc;
  const winningPlan = stages(query, options, executed ? query.counters : null, filter);
  const { keys, docs } = query.counters;
  return {
    explainVersion: '1',
    queryPlanner: { namespace: options.namespace, indexFilterSet: false, parsedQuery: filter, maxIndexedOrSolutionsReached: false, winningPlan: stages(query, options, null, filter), rejectedPlans: [] },
    ...(executed ? { executionStats: { executionSuccess: true, nReturned: options.returned, executionTimeMillis: 0, totalKeysExamined: keys, totalDocsExamined: docs, executionStages: winningPlan } } : {}),
    command: context.body,
    serverInfo: context.server.serverInfo(context.member),
    ok: 1,
  };
}

type Counts = Query['counters'] | null;

function stages(query: Query, options: ExplainOptions, counts: Counts, filter: Doc): Doc {
  let stage = baseStage(query.plan, counts, filter);
  const pattern = Object.fromEntries(query.sort.map(({ path, direction }) => [path, direction]));
  const wrap = (name: string, fields: Doc, returned: number): void => { stage = { stage: name, ...fields, ...(counts ? { nReturned: returned } : {}), inputStage: stage }; };
  const sortsInMemory = query.sort.length > 0 && query.sort[0]?.path !== '$natural' && !('sorted' in query.plan && query.plan.sorted) && query.plan.kind !== 'id' && query.plan.kind !== 'empty';
  if (sortsInMemory) wrap('SORT', { sortPattern: pattern, memLimit: 104857600, type: 'simple', ...(Number.isFinite(options.limit) ? { limitAmount: options.limit + options.skip } : {}), ...(counts ? { totalDataSizeSorted: 0, usedDisk: false } : {}) }, counts?.sortedDocs ?? 0);
  if (options.skip > 0) wrap('SKIP', { skipAmount: options.skip }, options.returned);
  if (Number.isFinite(options.limit) && !sortsInMemory) wrap('LIMIT', { limitAmount: options.limit }, options.returned);
  if (options.project) wrap('PROJECTION_DEFAULT', {}, options.returned);
  if (options.write) wrap(options.write, counts ? { ...(options.write === 'COUNT' ? { nCounted: options.written } : options.write === 'UPDATE' ? { nMatched: options.written, nWouldModify: options.written } : { nWouldDelete: options.written }) } : {}, 0);
  return stage;
}

function baseStage(plan: Plan, counts: Counts, filter: Doc): Doc {
  const touched = (fields: Doc): Doc => (counts ? fields : {});
  const n = counts?.matched ?? 0;
  switch (plan.kind) {
    case 'empty': return { stage: 'EOF', ...touched({ nReturned: 0 }) };
    case 'id': return { stage: 'IDHACK', ...touched({ nReturned: n, keysExamined: counts?.keys, docsExamined: counts?.docs }) };
    case 'collection': return { stage: 'COLLSCAN', ...(Object.keys(filter).length ? { filter } : {}), direction: plan.reverse ? 'backward' : 'forward', ...touched({ nReturned: n, docsExamined: counts?.docs }) };
    case 'index': {
      const input = plan.merge ? { stage: 'SORT_MERGE', ...touched({ nReturned: counts?.docs }), inputStages: plan.scan.ranges.map(() => scanStage(plan.scan, null)) } : scanStage(plan.scan, counts);
      return { stage: 'FETCH', ...(Object.keys(filter).length ? { filter } : {}), ...touched({ nReturned: n, docsExamined: counts?.docs }), inputStage: input };
    }
    case 'or': return { stage: 'FETCH', ...touched({ nReturned: n, docsExamined: counts?.docs }), inputStage: { stage: plan.sorted ? 'SORT_MERGE' : 'OR', ...touched({ nReturned: counts?.docs }), inputStages: plan.scans.map(scan => scanStage(scan, null)) } };
  }
}

function scanStage({ index, reverse, shown }: Scan, counts: Counts): Doc {
  const { spec, multikeyPaths } = index;
  return {
    stage: 'IXSCAN', ...(counts ? { nReturned: counts.docs, keysExamined: counts.keys } : {}), keyPattern: spec.pattern, indexName: spec.name,
    isMultiKey: multikeyPaths.size > 0, multiKeyPaths: Object.fromEntries(spec.fields.map(({ path }) => [path, multikeyPaths.has(path) ? [path] : []])),
    isUnique: spec.unique, isSparse: spec.sparse, isPartial: spec.partial !== null, indexVersion: 2, direction: reverse ? 'backward' : 'forward', indexBounds: shown,
  };
}
