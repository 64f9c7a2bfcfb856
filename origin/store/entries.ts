/**
 * Entries of shapes (shared/contract/entry-index.ts), written with the documents that they are of: whatever becomes of a
 * document here, its entries become in the same transaction what follows from it. A write that changes nothing of what an
 * entry is made of leaves it alone. A mutation that keeps a document makes those anew that are not as they should be, as
 * after a write of another program.
 */
import type { Resource } from '../../shared/contract/resource.ts';
import { isSameJson } from '../../shared/contract/settled.ts';
import { withRanksOf } from '../../shared/contract/stored-ranks.ts';
import { entryOf, type EntryIndex, entryIndexesOf, isFoundAlike } from '../../shared/contract/entry-index.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { About, Decision, FollowUp, Mutation, PlainDecision, Reach } from './store.ts';
import type { StoredDocument } from './stored-document.ts';

export type ToWritten = (mutations: readonly Mutation[]) => readonly Mutation[];

/** What a store of these resources writes of what it is asked to. */
export function toWritten(resources: Iterable<Resource>): ToWritten {
  const stored = [...resources];
  const names = new Set(stored.map(({ name }) => name));
  const having = stored
    .map((resource) => [resource.name, entryIndexesOf(resource).filter(({ entries }) => names.has(entries.name))] as const)
    .filter(([, indexes]) => indexes.length > 0);
  if (having.length === 0) return (mutations) => mutations;
  const found = new Map(having);
  const indexesOf: IndexesOf = ({ name }) => found.get(name) ?? none;
  return (mutations) => mutations.map((mutation) => withEntries(mutation, indexesOf));
}

const none: readonly EntryIndex[] = [];

type IndexesOf = (resource: Resource) => readonly EntryIndex[];

function withEntries(mutation: Mutation, indexesOf: IndexesOf): Mutation {
  const indexes = indexesOf(mutation.resource);
  const decide = (before: StoredDocument | undefined, reach: Reach): Decision => {
    const decision = mutation.decide(before, reach);
    if (decision.kind === 'refuse' || (indexes.length === 0 && decision.also === undefined)) return decision;
    const caused = (decision.also ?? []).flatMap((followUp) => withItsEntries(followUp, indexesOf));
    if (indexes.length === 0) return { ...decision, also: caused };
    const next = nextOf(mutation, before, decision);
    const changed = decision.kind !== 'put' || before === undefined || next === undefined ? indexes
      : indexes.filter((index) => !isFoundAlike(index, before.value, next));
    const entries = changed.map((index) => toEntry(index, mutation, () => next));
    return caused.length + entries.length === 0 ? decision : { ...decision, also: [...caused, ...entries] };
  };
  return { resource: mutation.resource, id: mutation.id, isFresh: mutation.isFresh, decide };
}

/** What it comes to is known when it is decided, and its entries are decided right after. */
function withItsEntries(followUp: FollowUp, indexesOf: IndexesOf): readonly FollowUp[] {
  const indexes = indexesOf(followUp.resource);
  if (indexes.length === 0) return [followUp];
  let next: JsonObject | undefined;
  const decide = (before: StoredDocument | undefined): PlainDecision => {
    const decision = followUp.decide(before);
    next = nextOf(followUp, before, decision);
    return decision;
  };
  const { resource, id, isFresh } = followUp;
  return [{ resource, id, isFresh, decide }, ...indexes.map((index) => toEntry(index, followUp, () => next))];
}

function nextOf({ id }: About, before: StoredDocument | undefined, decision: PlainDecision): JsonObject | undefined {
  if (decision.kind !== 'put') return decision.kind === 'keep' ? before?.value : undefined;
  const next = { id, ...decision.document };
  return before === undefined ? next : withRanksOf(before.value, next);
}

function toEntry(index: EntryIndex, { id, isFresh }: About, documentOf: () => JsonObject | undefined): FollowUp {
  const decide = (before: StoredDocument | undefined): PlainDecision => {
    const document = documentOf();
    const entry = document === undefined ? undefined : entryOf(index, document);
    if (entry === undefined) return before === undefined ? { kind: 'keep' } : { kind: 'remove' };
    return before !== undefined && isEntryOf(before, entry) ? { kind: 'keep' } : { kind: 'put', document: entry };
  };
  return { resource: index.entries, id, isFresh, decide };
}

/** Whether the entry that is stored says this. */
export function isEntryOf({ value: { id: _id, ...stored } }: StoredDocument, entry: JsonObject): boolean {
  return isSameJson(stored as JsonObject, entry);
}
