/** A log of changes held against the feed of the store, and against the documents that there are. */
import { historyEvents, type StoredEvent } from '../../origin/history/stored-history.ts';
import type { ListRequest, Store } from '../../origin/store/store.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import type { Position } from '../../shared/wire/position.ts';
import type { JsonObject, SortValue } from '../../shared/wire/values.ts';

const inTime = () => ({ deadline: Date.now() + 30_000 });

/** All events of a resource, of each document in their order. */
export async function eventsOf(store: Store, { name }: Resource): Promise<readonly StoredEvent[]> {
  const found: StoredEvent[] = [];
  const sort = [{ field: 'at', descending: false }, { field: 'id', descending: false }];
  for (let after: readonly SortValue[] | undefined; ;) {
    const range = { field: 'at', bounds: { gte: '0001-01-01T00:00:00.000Z' } } as const;
    const request: ListRequest = { equal: { resource: [name] }, range, where: true, sort, after, limit: 500 };
    const { value } = await store.list(historyEvents, request, inTime());
    found.push(...value.map(({ document }) => document.value as unknown as StoredEvent));
    after = value.at(-1)?.keys;
    if (value.length < 500) return found.sort((a, b) => a.number - b.number);
  }
}

/** What each document of a resource went through after a position, as the feed tells it. */
export async function changesOf(store: Store, { name }: Resource, from: Position): Promise<ReadonlyMap<string, readonly string[]>> {
  const end = await store.head();
  const changes: (readonly [string, string])[] = [];
  for await (const batch of store.watch(from, AbortSignal.timeout(30_000))) {
    if ('lost' in batch) throw new Error('the history that this needs was lost');
    for (const change of batch.changes) {
      if (change.kind === 'document' && change.resource === name) changes.push([change.id, toStep(change.before, change.after)]);
    }
    if (batch.through.order >= end.order) return byDocument(changes);
  }
  throw new Error('the store gave its history too slowly');
}

/** Events as the feed tells of changes. */
export function stepsOf(events: readonly StoredEvent[]): ReadonlyMap<string, readonly string[]> {
  return byDocument(events.map(({ document, before, after }) => [document, toStep(parsed(before), parsed(after))] as const));
}

/** What is wrong with the numbers and the images of a log that began with its documents. */
export function brokenIn(events: readonly StoredEvent[]): readonly string[] {
  return [...Map.groupBy(events, ({ document }) => document)].flatMap(([document, own]) => own.flatMap(({ number, before }, index) => [
    ...(number === index + 1 ? [] : [`${document}: number ${number} is at ${index + 1}`]),
    ...(canonical(parsed(before)) === canonical(parsed(own[index - 1]?.after)) ? [] : [`${document}: ${number} is not of what was left`]),
  ]));
}

/** The documents that replaying a log from nothing makes, by id. */
export function replayed(events: readonly StoredEvent[]): Readonly<Record<string, JsonObject>> {
  const documents = new Map<string, JsonObject>();
  for (const { document, after } of events) {
    const left = parsed(after);
    if (left === null) documents.delete(document);
    else documents.set(document, left);
  }
  return Object.fromEntries(documents);
}

function parsed(image: string | undefined): JsonObject | null {
  return image === undefined ? null : (JSON.parse(image) as JsonObject);
}

function toStep(before: JsonObject | null | undefined, after: JsonObject | null | undefined): string {
  return `${canonical(before)} -> ${canonical(after)}`;
}

function canonical(value: JsonObject | null | undefined): string {
  return value ? JSON.stringify(Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1))) : '-';
}

function byDocument(steps: readonly (readonly [string, string])[]): ReadonlyMap<string, readonly string[]> {
  const sorted = [...Map.groupBy(steps, ([id]) => id)].sort(([a], [b]) => (a < b ? -1 : 1));
  return new Map(sorted.map(([id, own]) => [id, own.map(([, step]) => step)]));
}
