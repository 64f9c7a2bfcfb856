/**
 * The range of a request as one interval of one bracket: `gt`, `gte`, `lt`, `lte` and `prefix` compare only
 * with values of their own type (SEMANTICS §3, §5).
 */
import type { Range } from '../../shared/contract/filter.ts';
import { compareSortValues, type Scalar, type ScalarKind, type SortValue, toSortValue } from '../../shared/wire/values.ts';

export interface Bound {
  readonly value: SortValue;
  readonly inclusive: boolean;
}

export interface Interval {
  readonly field: string;
  /** The bracket of every value inside. */
  readonly rank: number;
  readonly lower: Bound | undefined;
  readonly upper: Bound | undefined;
}

/** The interval; `undefined` where no value can lie in it. */
export function toInterval(range: Range, kind: ScalarKind): Interval | undefined {
  const { gt, gte, lt, lte, prefix } = range.bounds;
  const bound = (value: Scalar | undefined, inclusive: boolean): Bound[] =>
    value === undefined ? [] : [{ value: toSortValue(value, kind), inclusive }];
  const end = typeof prefix === 'string' ? afterPrefix(prefix) : undefined;
  const lower = [...bound(gt, false), ...bound(gte, true), ...bound(prefix, true)].reduce<Bound | undefined>(
    (a, b) => tighter(a, b, 1),
    undefined,
  );
  const upper = [...bound(lt, false), ...bound(lte, true), ...bound(end, false)].reduce<Bound | undefined>(
    (a, b) => tighter(a, b, -1),
    undefined,
  );
  const rank = lower?.value.rank ?? upper?.value.rank;
  if (rank === undefined || (upper !== undefined && upper.value.rank !== rank)) return undefined;
  return { field: range.field, rank, lower, upper };
}

/** The interval with each of its ends made anew. `inside` 1: what is greater than this end lies inside, -1: what is less. */
export function withEnds(interval: Interval, toEnd: (end: Bound, inside: 1 | -1) => Bound): Interval {
  const { lower, upper } = interval;
  return {
    ...interval,
    lower: lower === undefined ? undefined : toEnd(lower, 1),
    upper: upper === undefined ? undefined : toEnd(upper, -1),
  };
}

/** The bound that leaves less: of lower bounds (`side` 1) the greater, of upper bounds (-1) the smaller. */
function tighter(left: Bound | undefined, right: Bound, side: 1 | -1): Bound {
  if (left === undefined) return right;
  const order = compareSortValues(left.value, right.value) * side;
  return order > 0 || (order === 0 && !left.inclusive) ? left : right;
}

export function contains(interval: Interval, value: SortValue): boolean {
  return value.rank === interval.rank && beyondLower(interval, value) && withinUpper(interval, value);
}

export function beyondLower({ lower }: Interval, value: SortValue): boolean {
  if (lower === undefined) return true;
  const order = compareSortValues(value, lower.value);
  return order > 0 || (order === 0 && lower.inclusive);
}

export function withinUpper({ upper }: Interval, value: SortValue): boolean {
  if (upper === undefined) return true;
  const order = compareSortValues(value, upper.value);
  return order < 0 || (order === 0 && upper.inclusive);
}

/** Exported for tests: the first string, by UTF-8 bytes, after all that begin with `prefix`; `undefined` where there is none. */
export function afterPrefix(prefix: string): string | undefined {
  const points = Array.from(prefix, (character) => character.codePointAt(0) ?? 0);
  while (points.at(-1) === 0x10ffff) points.pop();
  const last = points.pop();
  if (last === undefined) return undefined;
  // Surrogates are no characters of their own: U+E000 follows U+D7FF.
  return String.fromCodePoint(...points, last === 0xd7ff ? 0xe000 : last + 1);
}
