/** Ordered merge of the branches of a list, without doubles. */
import { compareSortValues, type SortValue } from '../../shared/wire/values.ts';
import type { SortKey } from '../../shared/contract/shapes.ts';

/** What the merge looks at in a row, also in an engine's own that has no text yet. */
interface Mergeable {
  readonly document: { readonly id: string };
  readonly keys: readonly SortValue[];
}

/**
 * The first `limit` rows of all lists together. Each list is in the order of `sort` and holds at least the
 * first `limit` rows of its branch. A document that is in two branches has equal keys in both, so its
 * doubles come next to one another.
 */
export function mergeRows<Row extends Mergeable>(
  lists: readonly (readonly Row[])[],
  sort: readonly SortKey[],
  limit: number,
): readonly Row[] {
  const [only, second] = lists;
  if (only !== undefined && second === undefined) return only;
  const at = lists.map(() => 0);
  const merged: Row[] = [];
  while (merged.length < limit) {
    const next = firstOf(lists, at, sort);
    const row = next === undefined ? undefined : lists[next]?.[at[next] ?? 0];
    if (next === undefined || row === undefined) break;
    at[next] = (at[next] ?? 0) + 1;
    if (merged.at(-1)?.document.id !== row.document.id) merged.push(row);
  }
  return merged;
}

function firstOf(lists: readonly (readonly Mergeable[])[], at: readonly number[], sort: readonly SortKey[]): number | undefined {
  let first: { readonly list: number; readonly row: Mergeable } | undefined;
  for (const [list, rows] of lists.entries()) {
    const row = rows[at[list] ?? 0];
    if (row !== undefined && (first === undefined || compareKeys(row.keys, first.row.keys, sort) < 0)) first = { list, row };
  }
  return first?.list;
}

/** Compares keys in the order of `sort`: below 0 where `left` comes first. */
export function compareKeys(left: readonly SortValue[], right: readonly SortValue[], sort: readonly SortKey[]): number {
  for (const [index, key] of sort.entries()) {
    const a = left[index];
    const b = right[index];
    if (a === undefined || b === undefined) {
      throw new Error(`keys do not fit the order: ${left.length} and ${right.length} of ${sort.length}`);
    }
    const order = compareSortValues(a, b);
    if (order !== 0) return key.descending ? -order : order;
  }
  return 0;
}
