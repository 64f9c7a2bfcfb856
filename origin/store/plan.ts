/**
 * The plan of a list: what the read rule leaves of the request, as branches, one for each alternative of the rule and
 * value of each `in`. Every branch pins its fields by equality and is then one ordered walk of one declared index;
 * merged (`merge.ts`) the branches are the answer, and nothing remains to be filtered but what a union does not name.
 */
import { Fault } from '../../shared/wire/fault.ts';
import { type Branch as UnionBranch, branchesWithout } from '../../shared/contract/branches-without.ts';
import { equalitiesOf, type Pin } from '../../shared/contract/rules.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { coveringIndex, type IndexSpec, toIndex } from '../../shared/contract/shapes.ts';
import { ranks, type Scalar, toSortValue } from '../../shared/wire/values.ts';
import { contains, type Interval, toInterval } from './interval.ts';
import { isArrayField, mustKind } from './kinds.ts';
import { storeLimits } from './limits.ts';
import type { ListRequest } from './store.ts';

export interface Branch {
  readonly index: IndexSpec;
  /** Scalar fields and the value that each document of this branch has in them, null where it has none. */
  readonly pinned: ReadonlyMap<string, Pin>;
  /** The array field of the index and the element that it must contain. */
  readonly has: { readonly field: string; readonly value: Scalar } | undefined;
  /** Branches of a union that do not name what is asked: their documents are left out as they are read, and are few or none. */
  readonly without: readonly UnionBranch[];
}

export interface QueryPlan {
  readonly branches: readonly Branch[];
  /** The interval of the order's first key; in branches that pin its field it is decided already. */
  readonly interval: Interval | undefined;
  /** Whether no document is in two branches. */
  readonly disjoint: boolean;
}

type Pins = ReadonlyMap<string, Pin>;

export function toQueryPlan(resource: Resource, request: Pick<ListRequest, 'equal' | 'range' | 'sort' | 'where'>): QueryPlan {
  const interval = request.range === undefined ? undefined : toInterval(request.range, mustKind(resource, request.range.field));
  if (request.range !== undefined && interval === undefined) return { branches: [], interval, disjoint: true };
  const ways = toWays(resource, request).filter((pins) => admits(resource, interval, pins));
  const asked = [...Object.keys(request.equal), ...(request.range === undefined ? [] : [request.range.field])];
  const without = branchesWithout(resource, asked);
  const branches = ways.map((pins) => ({ ...toBranch(resource, request, pins), without }));
  return { branches, interval, disjoint: areDisjoint(resource, ways) };
}

function toWays(resource: Resource, request: Pick<ListRequest, 'equal' | 'where'>): readonly Pins[] {
  const alternatives = equalitiesOf(request.where);
  // `resource()` refuses such rules at start; an index cannot serve them, and a scan is no answer.
  if (alternatives === undefined) {
    throw new Fault('query_not_served', { detail: `the read rule of ${resource.name} needs more than equalities` });
  }
  let ways: readonly Pins[] = alternatives;
  for (const [field, values] of Object.entries(request.equal)) {
    ways = ways.flatMap((pins) =>
      values.filter((value) => !pins.has(field) || pins.get(field) === value).map((value) => new Map([...pins, [field, value]])),
    );
    if (ways.length > storeLimits.branchesMax) {
      throw new Fault('query_invalid', { detail: `more than ${storeLimits.branchesMax} combinations of values` });
    }
  }
  return ways;
}

/** Whether pins and interval can both hold: a pinned field decides a range over itself. */
function admits(resource: Resource, interval: Interval | undefined, pins: Pins): boolean {
  const id = pins.get('id');
  if (id !== undefined && !isIdValue(resource, id)) return false;
  const pinned = interval === undefined || isArrayField(resource, interval.field) ? undefined : pins.get(interval.field);
  return interval === undefined || pinned === undefined || contains(interval, toSortValue(pinned, mustKind(resource, interval.field)));
}

/** An id equals text alone, or numbers alone. */
function isIdValue({ idKind }: Resource, value: Pin): boolean {
  return idKind === 'integer' ? toSortValue(value, 'integer').rank === ranks.number : typeof value === 'string';
}

function toBranch(resource: Resource, request: Pick<ListRequest, 'sort'>, pins: Pins): Omit<Branch, 'without'> {
  const isArray = (field: string) => isArrayField(resource, field);
  const wanted = toIndex([...pins.keys()], request.sort, isArray);
  const index = coveringIndex(resource.indexes, wanted);
  if (index === undefined || !isOnlyOf(index, pins)) {
    throw new Fault('query_not_served', { detail: `${resource.name} has no index ${wanted.name}` });
  }
  const element = index.has === undefined ? null : (pins.get(index.has) ?? null);
  return {
    index,
    pinned: new Map([...pins].filter(([field]) => !isArray(field))),
    has: index.has === undefined || element === null ? undefined : { field: index.has, value: element },
  };
}

/** Whether the index has all documents of these pins. */
function isOnlyOf({ only = {} }: IndexSpec, pins: Pins): boolean {
  return Object.entries(only).every(([field, value]) => pins.get(field) === value);
}

/** Whether no two alternatives share a document, since each pair wants different values of one scalar field. */
function areDisjoint(resource: Resource, ways: readonly Pins[]): boolean {
  return ways.every((left, index) => ways.slice(index + 1).every((right) =>
    [...left].some(([field, value]) => !isArrayField(resource, field) && right.has(field) && right.get(field) !== value)));
}
