/**
 * Documents that hold an array, an object or another value without order where a plain one is declared, or an array on the
 * way to it, through which MongoDB reaches what a path does not (SEMANTICS §14). Only
 * programs that wrote before our validators stood can have left such, so there are few or none. A partial index
 * holds exactly these; a list reads them all, puts them in order itself and merges them with its index walks.
 */
import { Binary, type Document } from 'mongodb';
import { Fault } from '../../../../shared/wire/fault.ts';
import { branchesWithout, isOf } from '../../../../shared/contract/branches-without.ts';
import { toIdKey } from '../../../../shared/contract/ids.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { satisfies } from '../../../../shared/contract/rules.ts';
import { compareSortValues, formsOf, type Scalar, type SortValue, toSortValue } from '../../../../shared/wire/values.ts';
import { contains, type Interval } from '../../interval.ts';
import { isArrayField, mustKind } from '../../kinds.ts';
import { compareKeys } from '../../merge.ts';
import type { ListRequest } from '../../store.ts';
import { toSortKey } from './brackets.ts';
import { oddPlaces, plainFields } from './branch-query.ts';
import { toJson } from './bson-values.ts';
import { toValue } from './documents.ts';
import { toExactInterval } from './exact-forms.ts';
import { type RawDocument, RawRow } from './raw-documents.ts';

/** The most odd documents of a list; where there are more, it is refused until they are mended. */
const oddDocumentsMax = 1_000;

/** Finds what is odd in a field that any index walks by value; `undefined` when there are none. */
export function oddFilter(resource: Resource): Document | undefined {
  const types = [...oddPlaces(resource, walkedFields(resource))].sort(([a], [b]) => (a < b ? -1 : 1));
  return types.length === 0 ? undefined : { $or: types.map(([path, $type]) => ({ [path]: { $type } })) };
}

/** Whether documents may be odd that every check lets pass. */
export function isPartlyChecked(resource: Resource): boolean {
  return walkedFields(resource).some((field) => resource.fields.get(field)?.isOfBranches === true);
}

function walkedFields(resource: Resource): readonly string[] {
  return resource.indexes.flatMap(({ equal, sort }) => plainFields(resource, sort, new Map(equal.map((field) => [field, true]))));
}

export const oddReadMax = oddDocumentsMax + 1;

type Asked = Pick<ListRequest, 'equal' | 'where' | 'sort'> & Partial<Pick<ListRequest, 'after'>>;

/** The odd documents that this list shows, in its order. What a walk shows as well, the merge shows once. */
export function oddRows(
  resource: Resource,
  request: Asked,
  interval: Interval | undefined,
  documents: readonly RawDocument[],
): readonly RawRow[] {
  if (documents.length >= oddReadMax) {
    throw new Fault('query_not_served', {
      detail: `more than ${oddDocumentsMax} documents of ${resource.name} hold arrays or objects where plain values are declared`,
    });
  }
  return documents
    .flatMap((document) => toOddRow(resource, request, interval, document) ?? [])
    .sort((a, b) => compareKeys(a.keys, b.keys, request.sort));
}

function toOddRow(resource: Resource, request: Asked, interval: Interval | undefined, document: RawDocument): RawRow | undefined {
  const value = toValue(resource, document.id, document.stored);
  const asked = [...Object.keys(request.equal), ...(interval === undefined ? [] : [interval.field])];
  if (branchesWithout(resource, asked).some((branch) => isOf(value, branch))) return undefined;
  if (!satisfies(value, request.where) || !isWanted(resource, request, document, interval)) return undefined;
  const row = new RawRow(document, request.sort);
  return request.after !== undefined && compareKeys(row.keys, request.after, request.sort) <= 0 ? undefined : row;
}

function isWanted(resource: Resource, { equal }: Asked, document: RawDocument, interval: Interval | undefined): boolean {
  const holds = Object.entries(equal).every(([field, values]) => values.some((wanted) => isEqual(resource, field, document, wanted)));
  if (!holds || interval === undefined) return holds;
  return contains(toExactInterval(interval, mustKind(resource, interval.field)), keyOf(resource, interval, document));
}

/** An id is text, compared with whole ObjectIds or with the beginning of one. */
function keyOf(resource: Resource, { field, rank }: Interval, document: RawDocument): SortValue {
  return field === 'id' ? { rank, value: toIdKey(resource, document.id).value } : document.keyAt(field);
}

function isEqual(resource: Resource, field: string, document: RawDocument, wanted: Scalar): boolean {
  if (field === 'id') return toIdKey(resource, document.id).value === wanted;
  const kind = mustKind(resource, field);
  const values: readonly unknown[] = isArrayField(resource, field) ? document.allAt(field) : [document.at(field)];
  if (kind === 'binary') return values.some((value) => value instanceof Binary && toJson(value) === wanted);
  const keys = values.map(toSortKey);
  return formsOf(wanted, kind).some((form) => keys.some((key) => compareSortValues(key, toSortValue(form, kind)) === 0));
}
