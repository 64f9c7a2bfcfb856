/**
 * What a client asks for by a number, in the numbers that SQLite stores, which are doubles: one that no double is equals no
 * stored number, and a range that ends there ends at the double beside it (SEMANTICS §4).
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Pin } from '../../../../shared/contract/rules.ts';
import { compareExact } from '../../../../shared/wire/exact-numbers.ts';
import { isExactKind, isNumeric, ranks } from '../../../../shared/wire/values.ts';
import { type Bound, withEnds } from '../../interval.ts';
import { mustKind } from '../../kinds.ts';
import type { Branch, QueryPlan } from '../../plan.ts';

export function toDoublePlan(resource: Resource, { branches, interval, disjoint }: QueryPlan): QueryPlan {
  const held = branches.filter((branch) => mayHold(resource, branch));
  const isOfDoubles = interval?.rank === ranks.number && interval.field !== 'id' && isDouble(resource, interval.field);
  return {
    branches: held,
    interval: isOfDoubles ? withEnds(interval, toDoubleEnd) : interval,
    disjoint: disjoint || held.length < 2,
  };
}

function mayHold(resource: Resource, { pinned, has }: Branch): boolean {
  const isStored = (field: string, value: Pin) => typeof value !== 'string' || field === 'id' || !isDouble(resource, field);
  return [...pinned].every(([field, value]) => isStored(field, value)) && (has === undefined || isStored(has.field, has.value));
}

/** Decimals and longs are stored as what they are. */
function isDouble(resource: Resource, field: string): boolean {
  const kind = mustKind(resource, field);
  return isNumeric(kind) && !isExactKind(kind);
}

/** The nearest double is inside itself where it lies on that side of the end. */
function toDoubleEnd(end: Bound, inside: 1 | -1): Bound {
  const { value: { rank, value } } = end;
  if (typeof value === 'number') return end;
  const nearest = Number(value);
  return { value: { rank, value: nearest }, inclusive: compareExact(nearest, value) * inside > 0 };
}
