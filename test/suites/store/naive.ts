/** The slow, obvious list: filter everything, sort everything. What both engines are compared with. */
import { satisfies } from '../../../shared/contract/rules.ts';
import { toIdKey, toIdValue } from '../../../shared/contract/ids.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import type { SortKey } from '../../../shared/contract/shapes.ts';
import {
  compareSortValues, isExactKind, type Json, type JsonObject, type Scalar, type SortValue, toSortValue,
} from '../../../shared/wire/values.ts';
import { mustKind } from '../../../origin/store/kinds.ts';
import type { ListRequest } from '../../../origin/store/store.ts';
import { naiveValue, naiveValues } from '../../support/naive-path.ts';

interface NaiveRow {
  readonly id: string;
  readonly keys: readonly SortValue[];
}

export function naiveList(resource: Resource, documents: ReadonlyMap<string, JsonObject>, request: ListRequest): readonly NaiveRow[] {
  return [...documents]
    .map(([id, document]) => ({ id: toIdValue(resource, id), ...document }))
    .filter((document) => satisfies(document, request.where) && matches(resource, document, request))
    .map((document) => ({ id: String(document['id']), keys: request.sort.map(({ field }) => sortValue(resource, document, field)) }))
    .sort((a, b) => compare(a.keys, b.keys, request.sort))
    .filter((row) => request.after === undefined || compare(row.keys, request.after, request.sort) > 0)
    .slice(0, request.limit);
}

function sortValue(resource: Resource, document: JsonObject, field: string): SortValue {
  if (field === 'id') return toIdKey(resource, String(document['id']));
  return toSortValue(naiveValue(document, field), mustKind(resource, field));
}

function compare(left: readonly SortValue[], right: readonly SortValue[], sort: readonly SortKey[]): number {
  for (const [index, key] of sort.entries()) {
    const order = compareSortValues(left[index]!, right[index]!);
    if (order !== 0) return key.descending ? -order : order;
  }
  return 0;
}

function matches(resource: Resource, document: JsonObject, { equal, range }: ListRequest): boolean {
  const equals = Object.entries(equal).every(([field, values]) => values.some((value) => holds(resource, document, field, value)));
  if (!equals || range === undefined) return equals;
  const kind = mustKind(resource, range.field);
  const isTextId = range.field === 'id' && resource.idKind !== 'integer';
  const value = isTextId ? toSortValue(document['id'], kind) : sortValue(resource, document, range.field);
  return Object.entries(range.bounds).every(([operator, bound]) => {
    const found = naiveValue(document, range.field);
    if (operator === 'prefix') return typeof found === 'string' && found.startsWith(String(bound));
    const wanted = toSortValue(bound, kind);
    const order = compareSortValues(value, wanted);
    return (
      value.rank === wanted.rank &&
      (operator === 'gt' ? order > 0 : operator === 'gte' ? order >= 0 : operator === 'lt' ? order < 0 : order <= 0)
    );
  });
}

function holds(resource: Resource, document: JsonObject, field: string, value: Scalar): boolean {
  const kind = mustKind(resource, field);
  if (field === 'id') return toIdKey(resource, String(document['id'])).value === value;
  const isMany = resource.fields.get(field)?.kind === 'array';
  return isMany ? naiveValues(document, field).some(isSame) : isSame(naiveValue(document, field));

  function isSame(each: Json | undefined): boolean {
    return isExactKind(kind) ? compareSortValues(toSortValue(each, kind), toSortValue(value, kind)) === 0 : each === value;
  }
}
