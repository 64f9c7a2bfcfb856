/**
 * The distinct values of a field (SEMANTICS §6). Of one that begins an order by a loose walk of its index: from each value to the
 * first one beyond it, so that work is bounded by values and not by documents. Of an array by what the database counts, as an
 * aggregate does, in so many elements at most. A value is one of the field's type: what is missing, null, an array or of another
 * type is none.
 */
import type { ListQuery } from '../../shared/contract/query.ts';
import type { Range } from '../../shared/contract/filter.ts';
import { valueAt } from '../../shared/contract/path.ts';
import { parseFinite, parseShown } from '../../shared/wire/exact-numbers.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Position } from '../../shared/wire/position.ts';
import {
  compareSortValues, formsOf, isExactKind, type Json, ranks, type Scalar, type ScalarKind, type SortValue, toSortValue,
} from '../../shared/wire/values.ts';
import { nothing, toJson, toShown } from '../aggregates/shown-values.ts';
import type { Asked } from '../call.ts';
import { isLongText, isOfDigest } from '../cursor-keys.ts';
import { isArrayField, mustKind } from '../store/kinds.ts';
import { compareKeys } from '../store/merge.ts';
import type { ListRequest, Read, Row, Store } from '../store/store.ts';
import { type Cursor, cursorOutdated } from '../tokens.ts';
import { mustGoOnAt } from './page-start.ts';
import { readOptions } from './representation.ts';
import { mustBeServable } from './servable.ts';

/** Documents of one read of the store: where values are many, each read finds several; where they are few, it costs little. */
const runLength = 8;

export interface Valued {
  /** As documents show it. */
  readonly value: Json;
  /** Its own, alone; of a long text also those behind it of a document that has it, by which a cursor finds it again. */
  readonly keys: readonly SortValue[];
}

interface Distinct {
  readonly field: string;
  readonly request: ListRequest;
  /** Where it begins, if texts are missing there. */
  readonly cut: Cursor['keys'] | undefined;
}

/** As many values as the `limit` of the request at most. */
export async function findDistinct(
  store: Store, call: Asked, query: ListQuery, { field, request, cut }: Distinct,
): Promise<Read<readonly Valued[]>> {
  if (isArrayField(call.resource, field)) return countElements(store, call, query, { field, request, cut });
  const after = cut === undefined ? request.after : await mustGoOnAt(store, call, query, cut);
  const { value, position } = await walkDistinct(store, call, query, { ...request, after });
  for (const { document } of value) mustBeServable(call.resource, document);
  const kind = mustKind(call.resource, field);
  const toValue = ({ document, keys: [key] }: Row) =>
    (key !== undefined && isOfOneForm(key) ? toJson(key, kind) : (valueAt(document.value, field) ?? null));
  return { value: value.map((row) => ({ value: toValue(row), keys: row.keys })), position };
}

/** A number that is told alike whichever of its forms the walk met first; past 2^53 a double and a Long have texts of their own. */
function isOfOneForm({ rank, value }: SortValue): boolean {
  return rank === ranks.number && (!Number.isInteger(value) || Number.isSafeInteger(value));
}

/** The different elements are all found anew for each page, so there are so many at most. */
async function countElements(
  store: Store, call: Asked, query: ListQuery, { field, request, cut }: Distinct,
): Promise<Read<readonly Valued[]>> {
  const { resource } = call;
  const max = limits.aggregateElementsMax;
  const asked = { ...request, sort: walkedOrder(query), fields: [], each: field, max };
  const { value, position } = await store.tally(resource, asked, readOptions(call));
  if (value === undefined) throw tooLarge(`more than ${max} elements of ${field} are found; a filter leaves fewer`);
  if (value.length > limits.distinctElementsMax) {
    throw tooLarge(`${field} has more than ${limits.distinctElementsMax} different elements; a filter leaves fewer`);
  }
  const kind = mustKind(resource, field);
  const { rank } = toSortValue(leastOf(kind), kind);
  const shown = value.flatMap(({ values }) => values.map(toShown)).filter((each) => each.rank === rank);
  const keys = [...new Map(shown.map((each) => [JSON.stringify(each), [each]])).values()];
  const { sort, limit } = request;
  const after = cut === undefined ? request.after : mustFind(keys, cut);
  const found = keys.filter((each) => after === undefined || compareKeys(each, after, sort) > 0);
  const page = found.sort((left, right) => compareKeys(left, right, sort)).slice(0, limit);
  return { value: page.map((each) => ({ value: toJson(each[0] ?? nothing, kind), keys: withItsOwn(each) })), position };
}

/** An element is of no document alone. */
function withItsOwn(element: readonly SortValue[]): readonly SortValue[] {
  return element.some(isLongText) ? [...element, nothing] : element;
}

function mustFind(elements: readonly (readonly SortValue[])[], [cut]: Cursor['keys']): readonly SortValue[] {
  const found = elements.find(([element]) => cut !== undefined && 'digest' in cut && isOfDigest(element?.value, cut));
  if (found === undefined) throw cursorOutdated();
  return found;
}

/** The order of the shape that its range asks for: whichever, since all that it finds is counted. */
function walkedOrder({ shape: { sorts }, range }: ListQuery): ListRequest['sort'] {
  return sorts.find(([first]) => range === undefined || first?.field === range.field) ?? [];
}

function tooLarge(detail: string): Fault {
  return new Fault('aggregate_too_large', { detail });
}

/** A row for each value, the first of its documents. */
async function walkDistinct(store: Store, call: Asked, query: ListQuery, request: ListRequest): Promise<Read<readonly Row[]>> {
  const { resource } = call;
  const [{ field, descending } = { field: '', descending: false }] = request.sort;
  const kind = mustKind(resource, field);
  const rows: Row[] = [];
  let position: Position | undefined;
  let beyond = request.after?.[0];
  let isBeyond = beyondAll(beyond, kind, descending);
  for (;;) {
    const range = rangeBeyond({ field, kind, descending, given: query.range, beyond });
    const limit = Math.min(runLength, request.limit - rows.length);
    const read = await store.list(resource, { ...request, range, after: undefined, limit }, readOptions(call));
    position ??= read.position;
    for (const { document, keys } of read.value) {
      const [key] = keys;
      if (key === undefined || !isBeyond(key)) continue;
      beyond = asShown(key, kind);
      isBeyond = beyondAll(beyond, kind, descending);
      rows.push({ document, keys: isLongText(key) ? keys : [beyond] });
    }
    if (read.value.length < limit || rows.length === request.limit) return { value: rows, position };
  }
}

/** By its forms a range leaves out every number that is shown alike. */
function asShown(key: SortValue, kind: ScalarKind): SortValue {
  const shown = toShown(key);
  if (key.rank !== ranks.number || shown.rank !== ranks.number) return key;
  const value = isExactKind(kind) ? parseFinite(String(shown.value)) : parseShown(String(shown.value));
  return value === undefined ? key : { rank: ranks.number, value };
}

/** Whether a key is past each form of a value, as it is for the range of the next read. */
function beyondAll(beyond: SortValue | undefined, kind: ScalarKind, descending: boolean): (key: SortValue) => boolean {
  if (beyond === undefined) return () => true;
  const forms = beyond.rank === ranks.number ? formsOf(beyond.value, kind).map((form) => toSortValue(form, kind)) : [beyond];
  return (key) => forms.every((form) => (descending ? compareSortValues(form, key) : compareSortValues(key, form)) > 0);
}

function rangeBeyond({ field, kind, descending, given, beyond }: {
  readonly field: string;
  readonly kind: ScalarKind;
  readonly descending: boolean;
  readonly given: Range | undefined;
  readonly beyond: SortValue | undefined;
}): Range {
  // A bound of its type keeps values of others out.
  const bounds = given?.bounds ?? { gte: leastOf(kind) };
  return { field, bounds: beyond === undefined ? bounds : { ...bounds, [descending ? 'lt' : 'gt']: toScalar(beyond) } };
}

/** What no value of the kind is before; of numbers the least Decimal128. */
function leastOf(kind: ScalarKind): Scalar {
  switch (kind) {
    case 'number':
    case 'integer':
    case 'decimal':
    case 'long':
      return parseFinite('-9999999999999999999999999999999999E6111') ?? 0;
    case 'boolean':
      return false;
    case 'instant':
      return '0000-01-01T00:00:00.000Z';
    case 'objectId':
      return '0'.repeat(24);
    case 'string':
    case 'uuid':
    case 'binary':
      return '';
  }
}

function toScalar({ rank, value }: SortValue): Scalar {
  return rank === ranks.boolean ? value === 1 : value;
}
