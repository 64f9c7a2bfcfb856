/** What hooks before a write enqueue: it is committed with the document that they were told of, by whichever way that is written. */
import type { JsonObject } from '../../shared/wire/values.ts';
import type { EnqueuedJob } from '../job-queue/enqueue.ts';
import type { FollowUp } from '../store/store.ts';

const causedBy = new WeakMap<JsonObject, readonly EnqueuedJob[]>();

/** `document` is the one that is written. */
export function causing(document: JsonObject, also: readonly EnqueuedJob[]): JsonObject {
  if (also.length > 0) causedBy.set(document, also);
  return document;
}

/**
 * A write may be decided several times, and what it causes is the same each time: the ids of the first time stand in `ids`,
 * which is the write's own.
 */
export function causesOf(document: JsonObject, ids: string[]): readonly FollowUp[] {
  return (causedBy.get(document) ?? []).map((caused, index) => {
    const id = caused.isNamed ? caused.id : (ids[index] ??= caused.id);
    return id === caused.id ? caused : { ...caused, id };
  });
}
