/**
 * Where a page begins and ends, as conditions that one index walk serves. The order of a branch is a list of
 * components: columns of its index in order, some of them constant in this branch. What comes strictly after
 * the cursor is a sequence of segments, the nearest first, each a run of the index: equal up to some column
 * and beyond the cursor from there. Columns of one direction stay together as one row-value comparison, which
 * SQLite seeks; a cursor over mixed directions becomes one segment for each change of direction.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { SortKey } from '../../../../shared/contract/shapes.ts';
import { parseExact } from '../../../../shared/wire/exact-numbers.ts';
import { compareUtf8, ranks, type SortValue } from '../../../../shared/wire/values.ts';
import { beyondLower, type Interval, withinUpper } from '../../interval.ts';
import type { Branch } from '../../plan.ts';
import { rankColumn, valueColumn } from '../install/columns.ts';
import { toIndexed, toIndexValue } from './index-values.ts';

/** A `bigint` where a double would not be exact. */
export type SqlValue = string | number | bigint;
type Operator = '=' | '>' | '>=' | '<' | '<=';

export interface Condition {
  readonly columns: readonly string[];
  readonly operator: Operator;
  readonly values: readonly SqlValue[];
}

export interface Component {
  readonly column: string;
  readonly descending: boolean;
  /** The value that every document of the branch has here. */
  readonly constant: SqlValue | undefined;
  /** What no value of the column is before; `undefined`: nobody asks for it. */
  readonly least?: SqlValue;
}

/** All conditions hold; they are a seek in the branch's index. */
export type Segment = readonly Condition[];

export function toComponents(
  resource: Resource,
  branch: Branch,
  sort: readonly SortKey[],
  interval: Interval | undefined,
): readonly Component[] {
  return sort.flatMap(({ field, descending }): readonly Component[] => {
    const pinned = branch.pinned.get(field);
    const known = pinned === undefined ? undefined : toIndexValue(resource, field, pinned);
    if (field === 'id') {
      const least = resource.idKind === 'integer' ? -(2n ** 63n) : '';
      return [{ column: 'id', descending, constant: known === undefined ? undefined : toSqlValue(known), least }];
    }
    const rank = known?.rank ?? (interval?.field === field ? interval.rank : undefined);
    return [
      { column: rankColumn(field), descending, constant: rank, least: 0 },
      { column: valueColumn(field), descending, constant: known?.value },
    ];
  });
}

/** The cursor's values, one for each component. */
export function toCursorValues(resource: Resource, sort: readonly SortKey[], after: readonly SortValue[]): readonly SqlValue[] {
  return sort.flatMap(({ field }, index) => {
    const at = after[index];
    if (at === undefined) throw new Error(`a cursor of ${after.length} values in an order of ${sort.length}`);
    return field === 'id' ? [toSqlValue(at)] : [at.rank, toIndexed(resource, field, at).value];
  });
}

/** A number that no double is, of an id: other numbers are stored as doubles (doubles.ts). */
export function toSqlValue({ rank, value }: SortValue): SqlValue {
  const [, digits = '', zeros] = rank === ranks.number && typeof value === 'string' ? (/^(-?\d+)E(\d+)$/.exec(value) ?? []) : [];
  return zeros === undefined ? value : BigInt(digits) * 10n ** BigInt(zeros);
}

interface Walk {
  readonly components: readonly Component[];
  readonly interval: Interval | undefined;
  readonly cursor: readonly SqlValue[] | undefined;
}

export function toSegments({ components, interval, cursor }: Walk): readonly Segment[] {
  const known = components.flatMap((component) => (component.constant === undefined ? [] : [equal(component.column, component.constant)]));
  const first = components.findIndex((component) => component.constant === undefined);
  const component = components[first];
  // Everything is pinned, the id included: one document or none, and no page after it.
  if (component === undefined) return cursor === undefined || after(components, cursor, 0).length > 0 ? [known] : [];
  const ranged = interval !== undefined && component.column === rangeColumn(interval) ? interval : undefined;
  const at = cursor?.[first];
  const begins = cursor !== undefined && ranged !== undefined && at !== undefined && !hasBegun(ranged, component, at);
  if (cursor === undefined || begins) return [[...known, ...open(component, ranged)]];
  return after(components, cursor, 0).map((segment) => [...known, ...segment, ...end(component, ranged)]);
}

function rangeColumn(interval: Interval): string {
  return interval.field === 'id' ? 'id' : valueColumn(interval.field);
}

/** Whether the cursor lies inside or past the range's beginning; no cursor that was given out lies before it. */
function hasBegun(interval: Interval, component: Component, at: SqlValue): boolean {
  const value = { rank: interval.rank, value: typeof at === 'bigint' ? (parseExact(String(at)) ?? 0) : at };
  return component.descending ? withinUpper(interval, value) : beyondLower(interval, value);
}

/** The conditions without a cursor: both bounds, and one that always holds where there is none, so that the index is sought. */
function open(component: Component, interval: Interval | undefined): readonly Condition[] {
  const bounds = [...lowerBound(component, interval), ...upperBound(component, interval)];
  if (bounds.length > 0) return bounds;
  return component.least === undefined ? [] : [compare(component.column, '>=', component.least)];
}

/** The upper bound alone: a cursor is past the range's beginning, and a second lower bound could mislead the planner. */
function end(component: Component, interval: Interval | undefined): readonly Condition[] {
  return component.descending ? lowerBound(component, interval) : upperBound(component, interval);
}

function lowerBound({ column }: Component, interval: Interval | undefined): readonly Condition[] {
  const bound = interval?.lower;
  return bound === undefined ? [] : [compare(column, bound.inclusive ? '>=' : '>', toSqlValue(bound.value))];
}

function upperBound({ column }: Component, interval: Interval | undefined): readonly Condition[] {
  const bound = interval?.upper;
  return bound === undefined ? [] : [compare(column, bound.inclusive ? '<=' : '<', toSqlValue(bound.value))];
}

/** The segments strictly after the cursor, given that everything before component `from` is equal to it. */
function after(components: readonly Component[], cursor: readonly SqlValue[], from: number): readonly Segment[] {
  const component = components[from];
  const at = cursor[from];
  if (component === undefined || at === undefined) return [];
  if (component.constant !== undefined) {
    const order = compareSql(component.constant, at) * (component.descending ? -1 : 1);
    return order === 0 ? after(components, cursor, from + 1) : order > 0 ? [[]] : [];
  }
  const length = runLength(components, from);
  const columns = components.slice(from, from + length).map(({ column }) => column);
  const values = cursor.slice(from, from + length);
  const same = columns.map((column, index) => equal(column, values[index] ?? 0));
  const nearer = after(components, cursor, from + length).map((segment) => [...same, ...segment]);
  return [...nearer, [{ columns, operator: component.descending ? '<' : '>', values }]];
}

function runLength(components: readonly Component[], from: number): number {
  const direction = components[from]?.descending;
  const end = components.findIndex(
    (component, index) => index > from && (component.constant !== undefined || component.descending !== direction),
  );
  return (end < 0 ? components.length : end) - from;
}

/** Compares as `compareSortValues` does within one bracket; between text and number the rank before them has decided. */
function compareSql(left: SqlValue, right: SqlValue): number {
  if (typeof left === 'string' && typeof right === 'string') return compareUtf8(left, right);
  // Exact also between a number and a bigint.
  return left < right ? -1 : left > right ? 1 : 0;
}

function equal(column: string, value: SqlValue): Condition {
  return compare(column, '=', value);
}

function compare(column: string, operator: Operator, value: SqlValue): Condition {
  return { columns: [column], operator, values: [value] };
}
