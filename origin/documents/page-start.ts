/** Where a page begins: behind the sort values of its cursor, whose long texts are those of the document that they are of. */
import { entryIndexOf } from '../../shared/contract/entry-index.ts';
import { valueAt } from '../../shared/contract/path.ts';
import type { ListQuery } from '../../shared/contract/query.ts';
import { ranks } from '../../shared/wire/values.ts';
import type { Asked } from '../call.ts';
import { areWhole, type CursorKey, isOfDigest } from '../cursor-keys.ts';
import type { ListRequest, Row, Store } from '../store/store.ts';
import { type Cursor, cursorOutdated } from '../tokens.ts';
import { readOptions } from './representation.ts';

interface Start {
  /** Nothing is passed over from the end of the list, which a cursor without keys stands at. */
  readonly after: ListRequest['after'];
  /** The keys instead, where digests stand for texts. */
  readonly cut: Cursor['keys'] | undefined;
}

export function startOf(cursor: Cursor | undefined): Start {
  if (cursor === undefined || cursor.keys.length === 0) return { after: undefined, cut: undefined };
  return areWhole(cursor.keys) ? { after: cursor.keys, cut: undefined } : { after: undefined, cut: cursor.keys };
}

/** Reads the texts in the document, or the entry, that the page ended at. */
export async function mustGoOnAt(store: Store, call: Asked, { shape, sort }: ListQuery, cut: Cursor['keys']): Promise<Row['keys']> {
  const along = entryIndexOf(call.resource, shape)?.entries ?? call.resource;
  const id = cut.at(-1);
  if (id === undefined || 'digest' in id) throw cursorOutdated();
  const { value: document } = await store.get(along, String(id.value), readOptions(call));
  const keys = cut.map((key, index): CursorKey => {
    const value = document === undefined ? undefined : valueAt(document.value, sort[index]?.field ?? '');
    return 'digest' in key && isOfDigest(value, key) ? { rank: ranks.string, value } : key;
  });
  if (!areWhole(keys)) throw cursorOutdated();
  return keys;
}
