/**
 * What a client asks for by a number, in the numbers that SQLite stores, which are doubles: one that no double is equals no
 * stored number, and a range that ends there ends at the double beside it (SEMANTICS §4).
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { compareExact } from '../../../../shared/wire/exact-numbers.ts';
import { isNumeric, ranks, type Scalar } from '../../../../shared/wire/values.ts';
import type { Bound, Interval } from '../../interval.ts';
import { mustKind } from '../../kinds.ts';
import type { Branch, QueryPlan } from '../../plan.ts';

export function toDoublePlan(resource: Resource, { branches, interval, disjoint }: QueryPlan): QueryPlan {
  const held = branches.filter((branch) => mayHold(resource, branch));
  return {
    branches: held,
    interval: interval?.rank === ranks.number ? toDoubleInterval(interval) : interval,
    disjoint: disjoint || held.length < 2,
  };
}

function mayHold(resource: Resource, { pinned, has }: Branch): boolean {
  const isStored = (field: string, value: Scalar) => typeof value !== 'string' || field === 'id' || !isNumeric(mustKind(resource, field));
  return [...pinned].every(([field, value]) => isStored(field, value)) && (has === undefined || isStored(has.field, has.value));
}

function toDoubleInterval(interval: Interval): Interval {
  const { lower, upper } = interval;
  return {
    ...interval,
    lower: lower === undefined ? undefined : toDoubleBound(lower, 1),
    upper: upper === undefined ? undefined : toDoubleBound(upper, -1),
  };
}

/** `side` 1: what is greater is inside. The nearest double is inside itself where it lies on that side of the bound. */
function toDoubleBound(bound: Bound, side: 1 | -1): Bound {
  const { value: { rank, value } } = bound;
  if (typeof value === 'number') return bound;
  const nearest = Number(value);
  return { value: { rank, value: nearest }, inclusive: compareExact(nearest, value) * side > 0 };
}
