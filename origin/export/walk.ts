/**
 * What an export walks along: an index of the documents, or the entries of a shape. What no index answers is looked at in each
 * document that is met, as a page does (origin/documents/scan.ts, found-by-entries.ts), but for as long as the export goes on.
 */
import type { ListQuery } from '../../shared/contract/query.ts';
import { meets } from '../../shared/contract/residual.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { entryIndexOf } from '../../shared/contract/entry-index.ts';
import { limits } from '../../shared/wire/limits.ts';
import type { Asked } from '../call.ts';
import { documentsOf, toEntriesWalk } from '../documents/found-by-entries.ts';
import { toFound } from '../documents/page.ts';
import { readOptions } from '../documents/representation.ts';
import type { CountRequest, HeldState, ReadOptions, Row, Store } from '../store/store.ts';

export interface Walk {
  /** What is met: documents, or entries of them. */
  readonly along: Resource;
  readonly request: CountRequest;
  /** How many may be met in one go. */
  readonly rowsMax: number;
  /** The documents that are asked for, of those that are met. */
  find(held: Pick<HeldState, 'many'>, met: readonly Row[], options: ReadOptions): Promise<readonly Row[]>;
}

/** Throws where the query is not served now, as its list does. */
export async function toWalk(store: Store, call: Asked, query: ListQuery): Promise<Walk> {
  const { resource } = call;
  const { residual, shape } = query;
  const request = toFound(call, query);
  if (residual.length > 0) {
    const find: Walk['find'] = async (_held, met) => met.filter(({ document }) => meets(resource, document.value, residual));
    return { along: resource, request, rowsMax: limits.exportLookedIntoRows, find };
  }
  const index = entryIndexOf(resource, shape);
  if (index === undefined) return { along: resource, request, rowsMax: limits.exportChunkRowsMax, find: async (_held, met) => met };
  const asked = { resource, index, query, request };
  return {
    along: index.entries, rowsMax: limits.exportEntriesRows, request: await toEntriesWalk(store, asked, readOptions(call)),
    find: (held, entries, options) => documentsOf(held, asked, entries, options),
  };
}
