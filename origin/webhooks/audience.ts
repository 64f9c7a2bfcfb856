/** What of a change a webhook is told: what its maker, as they were then, would see of it live, of what its filter finds. */
import type { Change } from '../../shared/contract/change.ts';
import { toIdJson } from '../../shared/contract/ids.ts';
import { type ListQuery, parseListQuery } from '../../shared/contract/query.ts';
import { isParameterName } from '../../shared/contract/reserved-names.ts';
import { meets } from '../../shared/contract/residual.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { type Predicate, reduce, satisfies } from '../../shared/contract/rules.ts';
import { parametersRefused } from '../../shared/wire/parameters.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import type { StoredWebhook, WebhookEvent } from '../../shared/webhooks/resource.ts';
import { mustReadable, presenter, type Present } from '../documents/present.ts';
import { isServable } from '../documents/servable.ts';
import { imageSeen } from '../live/event-stream.ts';
import { StoredDocument } from '../store/stored-document.ts';
import { principalOf } from './stored-webhook.ts';

export interface Audience {
  readonly resource: Resource;
  readonly readable: Predicate;
  readonly present: Present;
  readonly filter: ListQuery | undefined;
}

/** `document` as its maker may see it, as JSON; none of what is gone. */
export interface Told {
  readonly event: WebhookEvent | 'resync';
  readonly id?: string;
  readonly document?: string;
}

/** Throws a Fault for a filter that is none, or is by fields that the maker may not read. */
export function toAudience(resource: Resource, webhook: StoredWebhook): Audience {
  const principal = principalOf(webhook);
  const filter = webhook.filter === undefined ? undefined : mustFilter(resource, webhook.filter);
  if (filter !== undefined) mustReadable(resource, principal, filter);
  return { resource, readable: reduce(resource.rules.read, principal), present: presenter(resource, principal, undefined), filter };
}

/** The query of a list, without its order and its page, that asks for values alone. */
function mustFilter(resource: Resource, text: string): ListQuery {
  const query = parseListQuery(resource, text === '' ? '' : `?${text}`);
  const names = [...new URLSearchParams(text).keys()];
  const paging = names.find(isParameterName);
  if (paging !== undefined) throw parametersRefused([[paging, 'is no part of a filter']]);
  const isOfValues = query.range === undefined && query.words === undefined && query.area === undefined && query.shape.folded.length === 0;
  if (!isOfValues) throw parametersRefused([[names[0] ?? '', 'a webhook is filtered by values, by ne, nin, exists and contains alone']]);
  return query;
}

/** Whether the maker would be shown the document, and the filter finds it; `document` is the wire form of what is stored. */
export function isShownTo({ resource, readable, filter }: Audience, document: JsonObject): boolean {
  return satisfies(document, readable) && isServable(resource, document) && isFound(resource, document, filter);
}

function isFound(resource: Resource, document: JsonObject, filter: ListQuery | undefined): boolean {
  if (filter === undefined) return true;
  // A document has one of the values where it is not one that has none of them.
  const hasOne = Object.entries(filter.equal).every(([field, values]) =>
    !meets(resource, document, [{ field, operator: 'nin', values }]));
  return hasOne && meets(resource, document, filter.residual);
}

/** `undefined`: nothing that it would see. */
export function toldOf(change: Change, audience: Audience): Told | undefined {
  if (change.kind === 'resource') return { event: 'resync' };
  const { resource, filter, present } = audience;
  const { id } = change;
  const seen = (image: JsonObject | null | undefined) => {
    const shown = imageSeen(change, image, audience);
    return shown && (isFound(resource, shown, filter) ? shown : null);
  };
  const [before, after] = [seen(change.before), seen(change.after)];
  // Without an image nobody can say what there is to tell.
  if (before === undefined || after === undefined) return { event: 'resync' };
  if (after === null) return before === null ? undefined : { event: 'deleted', id };
  const documentOf = (image: JsonObject) => present(new StoredDocument(id, JSON.stringify(image), image));
  const document = documentOf(after);
  if (before === null) return { event: 'created', id, document };
  return documentOf(before) === document ? undefined : { event: 'changed', id, document };
}

/** As it stands in JSON. */
export function idJsonOf({ resource }: Audience, id: string): string {
  return toIdJson(resource, id);
}
