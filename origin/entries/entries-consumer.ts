/**
 * Entries of documents that other programs wrote (SEMANTICS §7): made after their changes by a consumer of the feed, and once
 * for all documents where the declaration is new or the history of changes was lost. Nothing of an entry is written here: a
 * mutation that keeps its document makes it anew, on the document as it is inside the transaction (store/entries.ts).
 */
import type { DocumentChange } from '../../shared/contract/change.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { entryOf, fillings, type EntryIndex, isFoundAlike } from '../../shared/contract/entry-index.ts';
import type { Position } from '../../shared/wire/position.ts';
import { type Consumer, consumerLimits } from '../feed/consumer.ts';
import { othersTurn } from '../others-turn.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { Mutation, ReadOptions, Store } from '../store/store.ts';
import { isEntryOf } from '../store/entries.ts';
import { fill, keep } from './fill.ts';

export interface EntriesConsumerOptions {
  /** As its collection has it. */
  readonly resource: Resource;
  readonly index: EntryIndex;
  readonly store: Store;
  onTrouble(message: string, cause: unknown): void;
}

/** Changes whose documents and entries are read at once: what Tombolo wrote is right already, and is only looked at. */
const changesAtOnceMax = 200;
/** Entries that are made at once: as many share a transaction, and this process, with the requests of others. */
const madeAtOnceMax = 20;

export function toEntriesConsumer({ resource, index, store, onTrouble }: EntriesConsumerOptions): Consumer {
  const { entries } = index;
  return {
    name: entries.name,
    changesAtOnceMax,
    isRepeatable: true,
    concerns: ({ resource: name, kind }) => name === resource.name || (name === entries.name && kind === 'resource'),
    handle: async (changes) => {
      if (changes.some(({ kind }) => kind === 'resource')) return [begin(entries)];
      const ids = [...new Set(changes.flatMap((change) => (change.kind === 'document' && !isAlike(index, change) ? [change.id] : [])))];
      if (ids.length === 0) return [];
      const wrong = await wrongOf({ resource, index, store }, ids, inTime(changes.at(-1)?.position));
      const keeping = wrong.map((id) => keep(resource, id));
      // Those of the last ones are committed with the cursor; the others may be made again.
      while (keeping.length > madeAtOnceMax) mustNoneBeRefused((await store.write(keeping.splice(0, madeAtOnceMax), inTime())).outcomes);
      return keeping;
    },
    lost: () => [begin(entries)],
    alongside: (signal) => fill({ resource, entries, store, onTrouble }, signal),
  };
}

/** Whether both images are known and have one entry. */
function isAlike(index: EntryIndex, { before, after }: DocumentChange): boolean {
  return before != null && after != null && isFoundAlike(index, before, after);
}

/** All entries are to be made anew. */
function begin({ name }: Resource): Mutation {
  return { resource: fillings, id: name, decide: () => ({ kind: 'put', document: { stage: 'documents' } }) };
}

/** Ids of those whose entry does not say what it would: what came through Tombolo has been right all along. */
async function wrongOf(
  { resource, index, store }: Pick<EntriesConsumerOptions, 'resource' | 'index' | 'store'>, ids: readonly string[], options: ReadOptions,
): Promise<readonly string[]> {
  const [documents, entries] = await Promise.all([resource, index.entries].map(async (each) => {
    const { value } = await store.many(each, ids, options);
    return new Map(value.map((document) => [document.id, document]));
  }));
  const wrong: string[] = [];
  for (const [at, id] of ids.entries()) {
    if (at > 0 && at % madeAtOnceMax === 0) await othersTurn();
    const [document, entry] = [documents?.get(id), entries?.get(id)];
    const wanted = document === undefined ? undefined : entryOf(index, document.value);
    if (wanted === undefined ? entry !== undefined : entry === undefined || !isEntryOf(entry, wanted)) wrong.push(id);
  }
  return wrong;
}

function inTime(atLeast?: Position): ReadOptions {
  return { deadline: Date.now() + consumerLimits.writeMsMax, ...(atLeast === undefined ? {} : { atLeast }) };
}
