/** A stretch of a store's history, and a reader that goes along it. */
import type { Change } from '../../../shared/contract/change.ts';
import { type Position, reaches } from '../../../shared/wire/position.ts';
import type { ChangeBatch, HistoryLost, Store } from '../../../origin/store/store.ts';

interface FeedReader {
  next(): Promise<ChangeBatch | HistoryLost | undefined>;
  /** The next batch with a change in it: a write may take longer than an idle reader waits. */
  nextChanges(): Promise<ChangeBatch>;
  nextThrough(position: Position): Promise<ChangeBatch>;
  /** What is told instead of a batch. */
  nextLost(): Promise<HistoryLost>;
  stop(): Promise<void>;
}

export function read(store: Store, from: Position): FeedReader {
  const stop = new AbortController();
  const batches = store.watch(from, stop.signal)[Symbol.asyncIterator]();
  const next = async () => {
    const result = await batches.next();
    return result.done === true ? undefined : result.value;
  };
  const nextBatch = async (isWanted: (batch: ChangeBatch) => boolean): Promise<ChangeBatch> => {
    for (let given = await next(); given !== undefined; given = await next()) {
      if ('lost' in given) throw new Error('history is lost');
      if (isWanted(given)) return given;
    }
    throw new Error('the feed ended');
  };
  return {
    next,
    nextChanges: () => nextBatch(({ changes }) => changes.length > 0),
    nextThrough: (position) => nextBatch(({ through }) => reaches(through, position)),
    async nextLost() {
      for (let given = await next(); given !== undefined; given = await next()) if ('lost' in given) return given;
      throw new Error('the feed ended');
    },
    async stop() {
      stop.abort();
      while ((await batches.next()).done !== true);
    },
  };
}

/** Batches from one position until one reaches the other. */
export async function batchesTo(store: Store, from: Position, to: Position): Promise<readonly ChangeBatch[]> {
  const reader = read(store, from);
  const batches: ChangeBatch[] = [];
  for (let batch = await reader.next(); batch !== undefined; batch = await reader.next()) {
    if ('lost' in batch) throw new Error('history is lost');
    batches.push(batch);
    if (batch.through.order >= to.order) break;
  }
  await reader.stop();
  return batches;
}

export async function changesTo(store: Store, from: Position, to: Position): Promise<readonly Change[]> {
  return (await batchesTo(store, from, to)).flatMap(({ changes }) => changes);
}

export function image(change: Change): readonly unknown[] {
  return change.kind === 'document' ? [change.id, change.before, change.after] : [change.resource];
}
