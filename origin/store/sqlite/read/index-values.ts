/** Values as an index holds them: those of exact numbers are keys there, and numbers everywhere else (install/exact-keys.ts). */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Pin } from '../../../../shared/contract/rules.ts';
import { isExactKind, ranks, type SortValue, toSortValue } from '../../../../shared/wire/values.ts';
import { type Interval, withEnds } from '../../interval.ts';
import { mustKind } from '../../kinds.ts';
import { fromExactKey, toExactKey } from '../install/exact-keys.ts';

export function toIndexValue(resource: Resource, field: string, value: Pin): SortValue {
  return toIndexed(resource, field, toSortValue(value, mustKind(resource, field)));
}

export function toIndexed(resource: Resource, field: string, { rank, value }: SortValue): SortValue {
  // An id may be a number that no double is, and has a column of its own.
  if (rank !== ranks.number || field === 'id') return { rank, value };
  return { rank, value: isExactKind(mustKind(resource, field)) ? toExactKey(value) : Number(value) };
}

/** An infinity is a text outside the index, as all that no JSON holds (exact-numbers.ts). */
export function fromIndexed(resource: Resource, field: string, { rank, value }: SortValue): SortValue {
  if (rank !== ranks.number) return { rank, value };
  if (isExactKind(mustKind(resource, field))) return { rank, value: fromExactKey(String(value)) };
  return { rank, value: Number.isFinite(value) ? value : String(value) };
}

/** Keys compare as the text that they are. */
export function toIndexedInterval(resource: Resource, interval: Interval): Interval {
  const { field, rank } = interval;
  if (rank !== ranks.number || !isExactKind(mustKind(resource, field))) return interval;
  const inText = withEnds(interval, (end) => ({ ...end, value: { rank: ranks.string, value: toExactKey(end.value.value) } }));
  return { ...inText, rank: ranks.string };
}
