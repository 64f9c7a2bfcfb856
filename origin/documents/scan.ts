/**
 * Pages of what no index answers (SEMANTICS §6): documents of an index walk are looked into one by one, so many a page as
 * the shape says. A page may be short, or empty, and go on: its cursor stands at the last document that was looked into, so
 * that pages together hold what is asked once, and each costs no more than its budget, wherever it begins.
 */
import type { ListQuery } from '../../shared/contract/query.ts';
import { meets } from '../../shared/contract/residual.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { Asked } from '../call.ts';
import type { ListRequest, Read, Row, Store } from '../store/store.ts';
import { type Cursor, hasPagesBefore } from '../tokens.ts';
import type { PageRows } from './page.ts';
import { readOptions } from './representation.ts';

export interface Scanned {
  /** What was found, in the order of the walk: one less than the `limit` of the request at most. */
  readonly found: readonly Row[];
  /** The first document that was looked into. */
  readonly first: Row | undefined;
  /** The last one, where the walk goes on. */
  readonly last: Row | undefined;
}

/** Documents of one read of the store, at most: so many are held in memory at once, whatever the budget. */
const runMax = 256;

/**
 * Ends at the budget of the shape, or at the `limit`-th document found, which tells that there are more and is left to the
 * next page. The position is that of the first of several reads: whatever has changed since comes after it.
 */
export async function scan(store: Store, call: Asked, { shape, residual }: ListQuery, request: ListRequest): Promise<Read<Scanned>> {
  const found: Row[] = [];
  let first: Row | undefined;
  let last: Row | undefined;
  let position: Position | undefined;
  let left = shape.examined;
  for (let run = request.limit; ; run *= 2) {
    const limit = Math.min(run, runMax, left);
    const read = await store.list(call.resource, { ...request, after: last?.keys ?? request.after, limit }, readOptions(call));
    position ??= read.position;
    for (const row of read.value) {
      const isFound = meets(call.resource, row.document.value, residual);
      if (isFound && found.length + 1 === request.limit) return { value: { found, first, last }, position };
      if (isFound) found.push(row);
      first ??= row;
      last = row;
    }
    left -= read.value.length;
    if (read.value.length < limit) return { value: { found, first, last: undefined }, position };
    if (left === 0) return { value: { found, first, last }, position };
  }
}

/** The pages around begin where documents were looked into, found or not. */
export function toScannedPage({ found, first, last }: Scanned, cursor: Cursor | undefined, sign: (cursor: Cursor) => string): PageRows {
  const isBackwards = cursor?.backwards === true;
  const onwards = last === undefined ? undefined : sign({ keys: last.keys, backwards: isBackwards });
  const back = hasPagesBefore(cursor) ? sign({ keys: first?.keys ?? [], backwards: !isBackwards }) : undefined;
  return isBackwards ? { rows: found.toReversed(), next: back, prev: onwards } : { rows: found, next: onwards, prev: back };
}
