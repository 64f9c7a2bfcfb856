/** A stretch of a store's history. */
import type { Store } from '../../../origin/store/store.ts';
import type { Change } from '../../../shared/contract/change.ts';
import type { Position } from '../../../shared/wire/position.ts';

export async function changesUntil(store: Store, from: Position, to: Position): Promise<readonly Change[]> {
  const stop = new AbortController();
  const changes: Change[] = [];
  for await (const batch of store.watch(from, stop.signal)) {
    if ('lost' in batch) throw new Error('the history is lost');
    changes.push(...batch.changes);
    if (batch.through.order >= to.order) stop.abort();
  }
  return changes;
}
