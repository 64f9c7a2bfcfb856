/**
 * What an export walks along: an index of the documents, the entries of a shape in their order, or those of the map. What no index
 * answers is looked at in each document that is met, as a page does (origin/documents/scan.ts, found-by-entries.ts), but for as
 * long as the export goes on.
 */
import type { ListQuery } from '../../shared/contract/query.ts';
import { meets } from '../../shared/contract/residual.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { entryIndexOf } from '../../shared/contract/entry-index.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Asked } from '../call.ts';
import { EntryReader } from '../documents/entry-walk.ts';
import { documentsOf, toEntriesWalk } from '../documents/found-by-entries.ts';
import { type AskedOfMap, MapWalk } from '../documents/map-walk.ts';
import { toFound } from '../documents/page.ts';
import { readOptions } from '../documents/representation.ts';
import type { CountRequest, HeldState, ListRequest, ReadOptions, Row, Store } from '../store/store.ts';

export interface Met {
  readonly rows: readonly Row[];
  readonly isLast: boolean;
  /** The keys up to which all is met; `undefined`: no further than before. */
  readonly upTo: Row['keys'] | undefined;
}

export interface From {
  readonly after: ListRequest['after'];
  /** So many at most. */
  readonly limit: number;
}

export interface Walk {
  /** What is met: documents, or entries of them. */
  readonly along: Resource;
  /** How many may be met in one go. */
  readonly rowsMax: number;
  /** Goes on from where it was met before. */
  meet(held: Pick<HeldState, 'list'>, from: From, options: ReadOptions): Promise<Met>;
  /** The documents that are asked for, of those that are met. */
  find(held: Pick<HeldState, 'many'>, met: readonly Row[], options: ReadOptions): Promise<readonly Row[]>;
}

/** Throws where the query is not served now, as its list does. */
export async function toWalk(store: Store, call: Asked, query: ListQuery): Promise<Walk> {
  const { resource } = call;
  const { area, residual, shape } = query;
  const request = toFound(call, query);
  const index = entryIndexOf(resource, shape);
  if (index === undefined) {
    const isAll = residual.length === 0;
    const find: Walk['find'] = async (_held, met) =>
      (isAll ? met : met.filter(({ document }) => meets(resource, document.value, residual)));
    const rowsMax = isAll ? limits.exportChunkRowsMax : limits.exportLookedIntoRows;
    return { along: resource, rowsMax, meet: inOrderOf(resource, request), find };
  }
  const asked = { resource, index, query, request };
  const walked = await toEntriesWalk(store, asked, readOptions(call));
  const along = index.entries;
  return {
    along, rowsMax: limits.exportEntriesRows,
    meet: area === undefined ? inOrderOf(along, walked) : overMap(along, { request: walked, derived: index.derived, area }),
    find: (held, entries, options) => documentsOf(held, asked, entries, options),
  };
}

function inOrderOf(along: Resource, request: CountRequest): Walk['meet'] {
  return async (held, { after, limit }, options) => {
    const { value: rows } = await held.list(along, { ...request, after, limit }, options);
    return { rows, isLast: rows.length < limit, upTo: rows.at(-1)?.keys };
  };
}

/** One walk that goes on from step to step, each of which examines as much as a page may. */
function overMap(along: Resource, asked: Omit<AskedOfMap, 'request'> & { readonly request: CountRequest }): Walk['meet'] {
  let walking: { readonly reader: EntryReader; readonly walk: MapWalk } | undefined;
  let deadline = 0;
  return async (held, { after, limit }, options) => {
    deadline = options.deadline;
    if (walking === undefined) {
      const reader = new EntryReader({ list: (of, request) => held.list(of, request, { deadline }) }, along, options);
      walking = { reader, walk: new MapWalk(reader, { ...asked, request: { ...asked.request, after, limit } }) };
    }
    const { reader, walk } = walking;
    reader.examined = 0;
    const { entries, isLast, brokenOffAt } = await walk.next(limit);
    const reached = brokenOffAt !== undefined && walk.isBehind(brokenOffAt) ? brokenOffAt : undefined;
    return { rows: entries, isLast, upTo: reached ?? entries.at(-1)?.keys };
  };
}
