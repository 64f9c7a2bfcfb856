/**
 * What comes strictly after a cursor in the order of a branch, as alternatives of which each is one run of the
 * branch's index: equal up to some key, then the rest of that key's bracket or a whole bracket behind it. One
 * query gives the alternatives to the database as `$or`, which merges their walks in order and stops at the limit.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Pin } from '../../../../shared/contract/rules.ts';
import type { SortKey } from '../../../../shared/contract/shapes.ts';
import { toStoredPath } from '../../../../shared/contract/stored-names.ts';
import { compareSortValues, ranks, type SortValue, toSortValue } from '../../../../shared/wire/values.ts';
import type { Interval } from '../../interval.ts';
import { mustKind } from '../../kinds.ts';
import { beyond, type Operand, toOperand } from './brackets.ts';
import { toExactInterval } from './exact-forms.ts';
import { idFormOf, type LeastIdForm, leastIdFormOf } from './stored-ids.ts';

/** Conditions that all hold; several on one field stand beside each other. */
export type Condition = Readonly<Record<string, Operand>>;

export interface Keys {
  readonly resource: Resource;
  readonly sort: readonly SortKey[];
  readonly pinned: ReadonlyMap<string, Pin>;
  readonly interval: Interval | undefined;
}

/** Where a field stands in its collection. */
export function toPath(resource: Pick<Resource, 'names'>, field: string): string {
  return field === 'id' ? '_id' : toStoredPath(resource, field);
}

/** The alternatives. An empty list: nothing comes after; `[[]]`: all of the branch does. */
export function toAlternatives(keys: Keys, after: readonly SortValue[], from = 0): readonly (readonly Condition[])[] {
  const key = keys.sort[from];
  if (key === undefined) return [];
  const at = after[from];
  if (at === undefined) throw new Error(`a cursor of ${after.length} values in an order of ${keys.sort.length}`);
  const constant = toConstant(keys, key.field);
  if (constant !== undefined) {
    const order = compareSortValues(constant, at) * (key.descending ? -1 : 1);
    return order === 0 ? toAlternatives(keys, after, from + 1) : order > 0 ? [[]] : [];
  }
  const path = toPath(keys.resource, key.field);
  const nearer =
    at.rank === ranks.other
      ? []
      : toAlternatives(keys, after, from + 1).map((rest) => [{ [path]: { $eq: toValue(keys, key, at) } }, ...rest]);
  const ranged = keys.interval?.field === key.field && key.field !== 'id' ? keys.interval.rank : undefined;
  return [
    ...nearer,
    ...beyondOf(keys, key, at)
      .filter(({ rank }) => ranged === undefined || rank === ranged)
      .map(({ operand }) => [{ [path]: operand }]),
  ];
}

function toConstant({ resource, pinned }: Keys, field: string): SortValue | undefined {
  const value = pinned.get(field);
  if (value === undefined) return undefined;
  const isTextId = field === 'id' && resource.idKind !== 'integer';
  return isTextId ? { rank: ranks.string, value: String(value) } : toSortValue(value, mustKind(resource, field));
}

function toValue({ resource }: Keys, key: SortKey, at: SortValue): unknown {
  return key.field === 'id' ? toIdOperand(resource, at) : toOperand(at);
}

/** Ids travel as text, also where the database has other values; their order is the same. */
function toIdOperand(resource: Resource, at: SortValue): unknown {
  return at.rank === ranks.number ? toOperand(at) : (idFormOf(resource).toStored(String(at.value)) ?? null);
}

function beyondOf(keys: Keys, key: SortKey, at: SortValue): ReturnType<typeof beyond> {
  if (key.field !== 'id') return beyond(at, key.descending);
  return [{ rank: at.rank, operand: { [key.descending ? '$lt' : '$gt']: toIdOperand(keys.resource, at) } }];
}

/** The bounds of the interval, where no pinned value has decided them. */
export function toBounds({ resource, interval, pinned }: Keys): readonly Condition[] {
  if (interval === undefined || pinned.has(interval.field)) return [];
  const path = toPath(resource, interval.field);
  const form = interval.field === 'id' ? leastIdFormOf(resource) : undefined;
  if (form !== undefined) return toIdBounds(interval, form);
  const { lower, upper } = toExactInterval(interval, mustKind(resource, interval.field));
  return [
    ...(lower === undefined ? [] : [{ [path]: { [lower.inclusive ? '$gte' : '$gt']: toOperand(lower.value) } }]),
    ...(upper === undefined ? [] : [{ [path]: { [upper.inclusive ? '$lte' : '$lt']: toOperand(upper.value) } }]),
  ];
}

/** Bounds of ids are text; between text and the ids of this form the least that is not before it decides. */
function toIdBounds({ lower, upper }: Interval, { least, fromStored }: LeastIdForm): readonly Condition[] {
  const none: Condition = { _id: { $in: [] } };
  const bound = (text: string, whenWhole: string, otherwise: string, beyondAll: readonly Condition[]): readonly Condition[] => {
    const found = least(text);
    return found === undefined ? beyondAll : [{ _id: { [fromStored(found) === text ? whenWhole : otherwise]: found } }];
  };
  return [
    ...(lower === undefined ? [] : bound(String(lower.value.value), lower.inclusive ? '$gte' : '$gt', '$gte', [none])),
    ...(upper === undefined ? [] : bound(String(upper.value.value), upper.inclusive ? '$lte' : '$lt', '$lt', [])),
  ];
}
