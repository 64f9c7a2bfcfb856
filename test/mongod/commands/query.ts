// The common part of everything that looks for documents: parse, choose a plan, run it.
import { fail } from '../errors.ts';
import { type Node, parseFilter } from '../query/filter.ts';
import { compileNode, type MatchContext } from '../query/match.ts';
import { choosePlan, type Plan } from '../query/plan.ts';
import { type Counters, type Hit, newCounters, type Run, runPlan } from '../query/run.ts';
import { parseSort, type SortField } from '../query/sort.ts';
import { compileExpression } from '../query/expression.ts';
import { toTimestamp } from '../replica/cluster-time.ts';
import type { Collection } from '../storage/collection.ts';
import { type Collation, parseCollation } from '../values/collation.ts';
import { type Doc, isDoc } from '../values/types.ts';
import type { Context } from './command.ts';

type QuerySpec = { filter?: unknown; sort?: unknown; hint?: unknown; collation?: unknown; let?: unknown };

export type Query = { collection: Collection | null; filter: Node; sort: SortField[]; plan: Plan; counters: Counters; matching: MatchContext; run: Run | null; hits(): Iterable<Hit> };

export function matchContext(context: Context, variables: unknown, collation: Collation | null): MatchContext {
  const vars: Doc = { NOW: new Date(context.server.clock.now()), CLUSTER_TIME: toTimestamp(context.member.lastAt) };
  if (variables !== undefined && variables !== null) {
    if (!isDoc(variables)) throw fail('TypeMismatch', `BSON field '${context.name}.let' is the wrong type, expected type 'object'`);
    for (const [name, value] of Object.entries(variables)) vars[name] = compileExpression(value, vars)({ root: {}, vars }) ?? null;
  }
  return { collation, variables: vars };
}

export function collationFor(collection: Collection | null, given: unknown): Collation | null {
  return parseCollation(given ?? collection?.options['collation']);
}

export function openQuery(context: Context, collection: Collection | null, spec: QuerySpec): Query {
  const collation = collationFor(collection, spec.collation);
  const matching = matchContext(context, spec.let, collation);
  const filter = parseFilter(spec.filter ?? {});
  const test = compileNode(filter, matching); // errors of the filter are errors of an absent collection too
  const sort = parseSort(spec.sort);
  const counters = newCounters();
  if (!collection) return { collection, filter, sort, plan: { kind: 'empty' }, counters, matching, run: null, hits: () => [] };
  const plan = choosePlan({ collection, filter, sort, collation, hint: spec.hint });
  const run: Run = { collection, view: context.view, plan, test, sort, collation, counters, examined: context.member.examined, tick: context.tick };
  return { collection, filter, sort, plan, counters, matching, run, hits: () => runPlan(run) };
}

export const collectionOf = (context: Context, name: string): Collection | null => {
  const collection = context.member.store.get(context.db, name);
  if (collection && context.transaction && collection.createdAt > context.transaction.view.at && !context.transaction.created.includes(collection)) {
    throw fail('SnapshotUnavailable', `Unable to read from a snapshot due to pending collection catalog changes; please retry the operation. Snapshot timestamp is ${context.transaction.view.at}. Collection minimum is ${collection.createdAt}`);
  }
  return collection;
};
