/**
 * The log of one document, a page at a time, the last event first. Of each event its caller is shown the images of which the
 * rule `history` holds, under the field rules, and nothing where it holds of neither: a page may have fewer events than were
 * asked for. Of a document without a log, and of one that nobody has, the history is empty; an id that none can have is not found.
 */
import type { HistoryPage } from '../../shared/history/operations.ts';
import { isOwnId } from '../../shared/contract/documents.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { Answer, Asked } from '../call.ts';
import type { Context } from '../context.ts';
import { readOptions } from '../documents/representation.ts';
import type { ListRequest } from '../store/store.ts';
import { mustCursor, mustWholeKeys, signCursor } from '../tokens.ts';
import { shownImage } from './logged-image.ts';
import { eventIn, historyEvents, imagesIn, type StoredEvent } from './stored-history.ts';

/** `{data: [{at, change, operation, request, by, before, after}], page: {limit, next}}` */
export async function readHistory({ store, settings: { keys } }: Context, call: Asked, { limit, after }: HistoryPage): Promise<Answer> {
  const { resource, id, tokenKey, rights: { writable } } = call;
  // The rights of then: a cursor of other rights is refused.
  const boundTo = `history ${JSON.stringify([resource.name, id, writable])}`;
  const request: ListRequest = {
    equal: { resource: [resource.name], document: [id] }, range: undefined, where: true, limit: limit + 1,
    sort: [{ field: 'number', descending: true }, { field: 'id', descending: true }],
    after: after === undefined ? undefined : mustWholeKeys(mustCursor(after, boundTo, keys)),
  };
  const { value: rows, position } = await store.list(historyEvents, request, readOptions(call));
  const page = rows.slice(0, limit);
  const last = page.at(-1);
  const next = rows.length > limit && last !== undefined ? signCursor({ keys: last.keys, backwards: false }, boundTo, tokenKey) : null;
  const data = page.flatMap(({ document }) => toShown(call, eventIn(document)) ?? []);
  // Also where others have such a document, of which this caller may see nothing.
  if (data.length === 0 && next === null && after === undefined && !isOwnId(resource, id)) throw new Fault('document_not_found');
  return {
    outcome: 'streaming', mediaType: 'application/json', readAt: position, body: JSON.stringify({ data, page: { limit, next } }),
  };
}

function toShown(call: Asked, event: StoredEvent): JsonObject | undefined {
  const images = imagesIn(event);
  const [before, after] = [shownImage(call, images.before), shownImage(call, images.after)];
  if (before === null && after === null) return undefined;
  const { at, operation, request = null, subject = null, tenant = null, key = null, system = false } = event;
  const by = operation === 'outside' ? null : { subject, tenant, key, system };
  return { at, change: changeOf(event, { before, after }), operation, request, by, before, after };
}

interface Images {
  readonly before: JsonObject | null;
  readonly after: JsonObject | null;
}

/** The words of a change feed. */
function changeOf(event: StoredEvent, { before, after }: Images): string {
  if (before === null) return event.before === undefined ? 'created' : 'entered';
  if (after === null) return event.after === undefined ? 'deleted' : 'left';
  return 'updated';
}
