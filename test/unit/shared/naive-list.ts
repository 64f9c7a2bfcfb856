/** A list answered the slow, obvious way: the reference that engines, dependencies and cursors are held against. */
import { idField } from '../../../shared/contract/id-declarations.ts';
import type { ListQuery } from '../../../shared/contract/query.ts';
import type { Residual } from '../../../shared/contract/residual.ts';
import type { Resource } from '../../../shared/contract/resource.ts';
import { type Predicate, satisfies } from '../../../shared/contract/rules.ts';
import {
  compareSortValues, compareUtf8, type Json, type JsonObject, type Scalar, type ScalarKind, type SortValue, toSortValue,
} from '../../../shared/wire/values.ts';
import { naiveValue, naiveValues } from '../../support/naive-path.ts';

export function naiveList(
  resource: Resource,
  documents: readonly JsonObject[],
  query: Omit<ListQuery, 'after' | 'fields' | 'shape'>,
  where: Predicate = true,
): readonly JsonObject[] {
  return documents
    .filter(
      (document) =>
        satisfies(document, where) &&
        Object.entries(query.equal).every(([field, wanted]) => holds(naiveValues(document, field), wanted)) &&
        inRange(resource, document, query) && query.residual.every((condition) => meetsOne(document, condition)),
    )
    .sort((left, right) => {
      for (const key of query.sort) {
        const order = compareSortValues(keyOf(resource, left, key.field), keyOf(resource, right, key.field));
        if (order !== 0) return key.descending ? -order : order;
      }
      return 0;
    })
    .slice(0, query.limit);
}

function keyOf(resource: Resource, document: JsonObject, field: string): SortValue {
  const kind = (field === 'id' ? idField(resource) : resource.fields.get(field))?.kind ?? 'string';
  return toSortValue(naiveValue(document, field), kind as ScalarKind);
}

function holds(values: readonly Json[], wanted: readonly Scalar[]): boolean {
  return values.some((value) => wanted.includes(value as Scalar));
}

function meetsOne(document: JsonObject, condition: Residual): boolean {
  const values = naiveValues(document, condition.field);
  if (condition.operator === 'exists') return values.some((value) => value !== null) === condition.value;
  const has = (wanted: Scalar) => values.includes(wanted);
  return condition.operator === 'nin' ? !condition.values.some(has) : condition.values.every(has);
}

function inRange(resource: Resource, document: JsonObject, { range }: Pick<ListQuery, 'range'>): boolean {
  if (range === undefined) return true;
  const key = keyOf(resource, document, range.field);
  return Object.entries(range.bounds).every(([operator, bound]) => {
    if (operator === 'prefix') return typeof key.value === 'string' && key.value.startsWith(String(bound));
    const kind = (range.field === 'id' ? idField(resource) : resource.fields.get(range.field))?.kind ?? 'string';
    const limit = toSortValue(bound, kind as ScalarKind);
    if (limit.rank !== key.rank) return false;
    const order =
      typeof key.value === 'string' && typeof limit.value === 'string'
        ? compareUtf8(key.value, limit.value)
        : Number(key.value) - Number(limit.value);
    return operator === 'gt' ? order > 0 : operator === 'gte' ? order >= 0 : operator === 'lt' ? order < 0 : order <= 0;
  });
}
