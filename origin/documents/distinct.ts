/**
 * The distinct values of a field that begins an order, by a loose walk of its index (SEMANTICS §6): from each value to the
 * first one beyond it, so that work is bounded by values and not by documents. A value is one of the field's type: what is
 * missing, null, an array or of another type is none.
 */
import type { ListQuery } from '../../shared/contract/query.ts';
import type { Range } from '../../shared/contract/filter.ts';
import { valueAt } from '../../shared/contract/path.ts';
import { parseFinite } from '../../shared/wire/exact-numbers.ts';
import type { Position } from '../../shared/wire/position.ts';
import { compareSortValues, type Json, ranks, type Scalar, type ScalarKind, type SortValue } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import { mustKind } from '../store/kinds.ts';
import type { ListRequest, Read, Row, Store } from '../store/store.ts';
import { readOptions } from './representation.ts';

/** Documents of one read of the store: where values are many, each read finds several; where they are few, it costs little. */
const runLength = 8;

/** A row for each value, the first of its documents, its key alone; as many as the `limit` of the request at most. */
export async function walkDistinct(store: Store, call: Asked, query: ListQuery, request: ListRequest): Promise<Read<readonly Row[]>> {
  const { resource } = call;
  const [{ field, descending } = { field: '', descending: false }] = request.sort;
  const kind = mustKind(resource, field);
  const rows: Row[] = [];
  let position: Position | undefined;
  let beyond = request.after?.[0];
  for (;;) {
    const range = rangeBeyond({ field, kind, descending, given: query.range, beyond });
    const limit = Math.min(runLength, request.limit - rows.length);
    const read = await store.list(resource, { ...request, range, after: undefined, limit }, readOptions(call));
    position ??= read.position;
    for (const { document, keys: [key] } of read.value) {
      if (key === undefined || (beyond !== undefined && compareSortValues(key, beyond) === 0)) continue;
      rows.push({ document, keys: [key] });
      beyond = key;
    }
    if (read.value.length < limit || rows.length === request.limit) return { value: rows, position };
  }
}

/** As the document shows it. */
export function valueOf({ document }: Row, field: string): Json {
  return valueAt(document.value, field) ?? null;
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
