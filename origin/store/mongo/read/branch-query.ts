/** One branch of a plan as one query: a filter whose every alternative is a run of one index, and the order of that index. */
import type { Document } from 'mongodb';
import { holdersOf } from '../../../../shared/contract/path.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Pin } from '../../../../shared/contract/rules.ts';
import type { IndexSpec, SortKey } from '../../../../shared/contract/shapes.ts';
import { type SortValue, toSortValue } from '../../../../shared/wire/values.ts';
import type { Interval } from '../../interval.ts';
import { isArrayField, mustKind } from '../../kinds.ts';
import type { Branch } from '../../plan.ts';
import { oddTypesOf, toOperand } from './brackets.ts';
import { toBinaries } from './bson-values.ts';
import { type Condition, type Keys, toAlternatives, toBounds, toPath } from './keyset.ts';
import { idFormOf } from './stored-ids.ts';

export interface BranchRequest {
  readonly resource: Resource;
  readonly branch: Branch;
  readonly sort: readonly SortKey[];
  readonly interval: Interval | undefined;
  readonly after: readonly SortValue[] | undefined;
  /** Whether documents may hold what has no order; then the walk leaves them out (odd-documents.ts). */
  readonly mayBeOdd: boolean;
}

export interface BranchQuery {
  readonly filter: Document;
  readonly sort: Document;
  /** The key of the index that is walked. */
  readonly hint: Document;
}

/** The query of a branch; `undefined` where no document can be in it. */
export function toBranchQuery({ resource, branch, sort, interval, after, mayBeOdd }: BranchRequest): BranchQuery | undefined {
  const keys: Keys = { resource, sort, pinned: branch.pinned, interval };
  const common = [...toEqualities(resource, branch), ...toBounds(keys), ...toTypes(keys, mayBeOdd)];
  const alternatives = after === undefined ? [[]] : toAlternatives(keys, after);
  if (alternatives.length === 0) return undefined;
  const without = toWithout(resource, branch);
  // All documents of the branch have one value in what it pins: named in the order, a null of two points has some servers sort.
  const walked = sort.filter(({ field }) => !branch.pinned.has(field));
  const filters = alternatives.map((alternative) => ({ ...toFilter([...common, ...alternative]), ...without }));
  const [only, second] = filters;
  return {
    filter: only !== undefined && second === undefined ? only : { $or: filters },
    sort: Object.fromEntries(walked.map(({ field, descending }) => [toPath(resource, field), descending ? -1 : 1])),
    hint: toIndexKey(resource, branch.index),
  };
}

function toWithout(resource: Resource, { without }: Branch): Document {
  if (without.length === 0) return {};
  const toCondition = (branch: (typeof without)[number]) =>
    Object.fromEntries([...branch].map(([path, values]) => [toPath(resource, path), { $in: values }]));
  return { $nor: without.map(toCondition) };
}

/** The key of an index: each field once; the id alone is the index that every collection has. */
export function toIndexKey(resource: Resource, { equal, has, sort }: IndexSpec): Document {
  const pinned = [...(has === undefined ? [] : [has]), ...equal].map((field) => [toPath(resource, field), 1] as const);
  const walked = sort.map(({ field, descending }) => [toPath(resource, field), descending ? -1 : 1] as const);
  const key = Object.fromEntries([...pinned, ...walked]);
  return isIdAlone(key) ? { _id: 1 } : key;
}

export function isIdAlone(key: Document): boolean {
  return Object.keys(key).join() === '_id';
}

function toEqualities(resource: Resource, { pinned, has }: Branch): readonly Condition[] {
  const stored = (field: string, value: Pin): unknown =>
    field === 'id' && resource.idKind !== 'integer'
      ? idFormOf(resource).toStored(String(value)) ?? null
      : toOperand(toSortValue(value, mustKind(resource, field)));
  const isBytes = (field: string): boolean => field !== 'id' && mustKind(resource, field) === 'binary';
  const equal = (field: string, value: Pin): Condition => ({
    [toPath(resource, field)]: isBytes(field) && value !== null ? { $in: toBinaries(String(value)) } : { $eq: stored(field, value) },
  });
  return [...(has === undefined ? [] : [equal(has.field, has.value)]), ...[...pinned].map(([field, value]) => equal(field, value))];
}

/**
 * Conditions that leave out arrays: equality would find those that contain the value, orders would take one element, and
 * a path would lead through one to its elements' members.
 */
function toTypes({ resource, sort, pinned }: Keys, mayBeOdd: boolean): readonly Condition[] {
  const idType: Condition = idFormOf(resource).filter;
  if (!mayBeOdd) return [idType];
  const odd = oddPlaces(resource, plainFields(resource, sort, pinned));
  return [idType, ...[...odd].map(([path, $type]) => ({ [path]: { $not: { $type } } }))];
}

/** What makes a document odd, by where it stands: at a field itself, and on the way to it an array. */
export function oddPlaces(resource: Resource, fields: readonly string[]): ReadonlyMap<string, readonly string[]> {
  const paths = fields.map((field) => toPath(resource, field));
  return new Map<string, readonly string[]>([
    ...paths.flatMap(holdersOf).map((path) => [path, ['array']] as const),
    ...fields.map((field) => [toPath(resource, field), oddTypesOf(mustKind(resource, field))] as const),
  ]);
}

/** Fields whose one value a list depends on. */
export function plainFields(resource: Resource, sort: readonly SortKey[], pinned: ReadonlyMap<string, unknown>): readonly string[] {
  return [...new Set([...pinned.keys(), ...sort.map(({ field }) => field)])].filter(
    (field) => field !== 'id' && !isArrayField(resource, field),
  );
}

/** Operators of one field that do not meet stand in one operand: the form that planners read bounds from. */
function toFilter(conditions: readonly Condition[]): Document {
  // A map: others may store a member by a name that every object inherits, `constructor` say.
  const operands = new Map<string, Condition[string]>();
  const rest: Condition[] = [];
  for (const condition of conditions) for (const [path, operand] of Object.entries(condition)) {
    const there = operands.get(path) ?? {};
    if (Object.keys(operand).some((operator) => Object.hasOwn(there, operator))) rest.push({ [path]: operand });
    else operands.set(path, { ...there, ...operand });
  }
  const filter = Object.fromEntries(operands);
  return rest.length === 0 ? filter : { ...filter, $and: rest };
}
