/** Entries of all documents that are there, a few at a time; whoever is cut short goes on from what was committed. */
import type { Resource } from '../../shared/contract/resource.ts';
import { isSameJson } from '../../shared/contract/settled.ts';
import { fillings } from '../../shared/contract/entry-index.ts';
import type { JsonObject, SortValue } from '../../shared/wire/values.ts';
import { inTime } from '../feed/consumer.ts';
import { pause } from '../pause.ts';
import type { ListRequest, Mutation, Row, Store } from '../store/store.ts';

interface Filling {
  /** As its collection has it. */
  readonly resource: Resource;
  readonly entries: Resource;
  readonly store: Store;
  onTrouble(message: string, cause: unknown): void;
}

interface Reached {
  readonly stage: 'documents' | 'entries' | 'complete';
  readonly after?: string;
}

/** Documents of one commit: some 5 ms of folding and of entries. */
const atOnce = 10;
/** How soon it is seen that all is to be made anew. */
const lookMs = 1_000;

/** Goes on until `signal`; never rejects. */
export async function fill(filling: Filling, signal: AbortSignal): Promise<void> {
  while (!signal.aborted) {
    const isComplete = await step(filling).catch((cause: unknown) => {
      if (!signal.aborted) filling.onTrouble(`${filling.entries.name}: entries could not be made, and are tried again`, cause);
      return true;
    });
    if (isComplete) await pause(lookMs, signal);
  }
}

/** True: there is nothing to be done. */
async function step({ resource, entries, store }: Filling): Promise<boolean> {
  const found = (await store.get(fillings, entries.name, inTime())).value?.value;
  const at = found === undefined ? { stage: 'documents' as const } : toReached(found);
  if (at.stage === 'complete') return true;
  const of = at.stage === 'documents' ? resource : entries;
  const rows = await rowsAfter(store, of, at.after);
  const gone = at.stage === 'documents' ? rows : await withoutDocument(store, resource, rows);
  const last = rows.length < atOnce ? undefined : rows.at(-1);
  const next = last !== undefined ? { stage: at.stage, after: JSON.stringify(last.keys) } : nextStage[at.stage];
  await store.write([...gone.map(({ document }) => keep(resource, document.id)), move(entries.name, found, next)], inTime());
  return false;
}

/** A document as it is, with the entries that follow from it. */
export function keep(resource: Resource, id: string): Mutation {
  return { resource, id, decide: () => ({ kind: 'keep' }) };
}

export async function isFilled(store: Pick<Store, 'get'>, entries: Resource): Promise<boolean> {
  return (await store.get(fillings, entries.name, inTime())).value?.value['stage'] === 'complete';
}

const nextStage = { documents: { stage: 'entries' }, entries: { stage: 'complete' } } as const;

async function rowsAfter(store: Store, resource: Resource, after: string | undefined): Promise<readonly Row[]> {
  const sort = [{ field: 'id', descending: false }];
  const keys = after === undefined ? undefined : (JSON.parse(after) as readonly SortValue[]);
  const request: ListRequest = { equal: {}, range: undefined, sort, where: true, after: keys, limit: atOnce };
  return (await store.list(resource, request, inTime())).value;
}

async function withoutDocument(store: Store, resource: Resource, rows: readonly Row[]): Promise<readonly Row[]> {
  const { value } = await store.many(resource, rows.map(({ document }) => document.id), inTime());
  const there = new Set(value.map(({ id }) => id));
  return rows.filter(({ document }) => !there.has(document.id));
}

/** Where it stands elsewhere by now, it was moved by another process, or all is to be made anew. */
function move(id: string, from: JsonObject | undefined, to: Reached): Mutation {
  return {
    resource: fillings, id,
    decide: (before) => (isSameJson(before?.value, from) ? { kind: 'put', document: { ...to } } : { kind: 'keep' }),
  };
}

function toReached({ stage, after }: JsonObject): Reached {
  return { stage: stage === 'entries' || stage === 'complete' ? stage : 'documents', ...(typeof after === 'string' ? { after } : {}) };
}
