/**
 * What a client asks for by a number, in the numbers that MongoDB stores: it compares them exactly, whatever their types, so
 * a double of 0.1, which is a little more, and a Decimal128 of 0.10 are two. Both are shown as 0.1, and both are meant by it
 * (SEMANTICS §4).
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import {
  compareSortValues, formsOf, ranks, type Scalar, type ScalarKind, type SortValue, toSortValue,
} from '../../../../shared/wire/values.ts';
import { type Interval, withEnds } from '../../interval.ts';
import { mustKind } from '../../kinds.ts';
import type { Branch, QueryPlan } from '../../plan.ts';

/** A branch for each form of each number that it pins, so that each still has one value in every pinned field. */
export function toExactPlan(resource: Resource, plan: QueryPlan): QueryPlan {
  const branches = plan.branches.flatMap((branch) => toExactBranches(resource, branch));
  // An array may hold both forms of one number.
  const disjoint = plan.disjoint && (branches.length === plan.branches.length || branches.every(({ has }) => has === undefined));
  return { branches, interval: plan.interval, disjoint };
}

function toExactBranches(resource: Resource, branch: Branch): readonly Branch[] {
  const { pinned, has } = branch;
  const elements = has === undefined ? [undefined] : formsIn(resource, has.field, has.value).map((value) => ({ ...has, value }));
  let ways: readonly Branch[] = elements.map((element) => ({ ...branch, has: element }));
  for (const [field, value] of pinned) {
    const forms = value === null ? [] : formsIn(resource, field, value);
    if (forms.length > 1) {
      ways = ways.flatMap((way) => forms.map((form) => ({ ...way, pinned: new Map([...way.pinned, [field, form]]) })));
    }
  }
  return ways;
}

function formsIn(resource: Resource, field: string, value: Scalar): readonly Scalar[] {
  return field === 'id' ? [value] : formsOf(value, mustKind(resource, field));
}

/** With every form of its ends inside, where the ends themselves are, and outside where they are not. */
export function toExactInterval(interval: Interval, kind: ScalarKind): Interval {
  if (interval.rank !== ranks.number) return interval;
  return withEnds(interval, (end, inside) => ({ ...end, value: extreme(end.value, kind, end.inclusive ? -inside : inside) }));
}

/** The greatest form of a number (`side` above 0), or the least. */
function extreme({ value }: SortValue, kind: ScalarKind, side: number): SortValue {
  return formsOf(value, kind)
    .map((form) => toSortValue(form, kind))
    .reduce((a, b) => (compareSortValues(a, b) * side < 0 ? b : a));
}
