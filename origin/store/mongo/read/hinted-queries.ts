import type { Resource } from '../../../../shared/contract/resource.ts';
import type { QueryPlan } from '../../plan.ts';
import type { ListRequest } from '../../store.ts';
import type { Installation } from '../install/installation.ts';
import { type BranchQuery, toBranchQuery } from './branch-query.ts';

/** With the index that is there for it, by its name, and the collation that a collection with one of its own has to be told. */
export type HintedQuery = Omit<BranchQuery, 'hint'> & { readonly walk: ReturnType<Installation['mustHint']> };

/** The walks of a plan, each of an index that is there; throws `shape_not_ready` where one is not. */
export function toHintedQueries(
  installation: Pick<Installation, 'mayBeOdd' | 'mustHint'>,
  resource: Resource,
  { branches, interval }: QueryPlan,
  { sort, after }: Pick<ListRequest, 'sort' | 'after'>,
): readonly HintedQuery[] {
  return branches.flatMap((branch) => {
    const query = toBranchQuery({ resource, branch, sort, interval, after, mayBeOdd: installation.mayBeOdd(resource) });
    if (query === undefined) return [];
    const { filter, sort: order } = query;
    return [{ filter, sort: order, walk: installation.mustHint(resource, branch.index) }];
  });
}
