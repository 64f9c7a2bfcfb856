/** What may be told now, by an attempt or in a list, of what was to be told when a delivery was made. */
import type { StoredDelivery, StoredWebhook } from '../../shared/webhooks/resource.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { mustBeServed } from '../access/documents-seen.ts';
import type { Context } from '../context.ts';
import type { ReadOptions } from '../store/store.ts';
import { StoredDocument } from '../store/stored-document.ts';
import { type Audience, isShownTo, toAudience } from './audience.ts';

/**
 * The bodies of deliveries of one webhook, in their order. A document that is hidden by now, or gone, is told by its id alone, as in
 * a replay of the live feed; so is one of which nobody can say it, since its resource or the filter is not declared any more.
 */
export async function bodiesNow(
  context: Context, webhook: StoredWebhook, deliveries: readonly Pick<StoredDelivery, 'body' | 'document'>[], options: ReadOptions,
): Promise<readonly string[]> {
  const all = deliveries.map(({ body, document: id }) => ({ id, body, parsed: JSON.parse(body) as JsonObject & { data: JsonObject } }));
  const ids = new Set(all.filter(({ parsed: { data } }) => data['document'] !== undefined).map(({ id }) => id));
  const audience = ids.size === 0 ? undefined : audienceNow(context, webhook);
  const found = audience === undefined ? [] : (await context.store.many(audience.resource, [...ids], options)).value;
  const now = new Map(found.map((document) => [document.id, document]));
  return all.map(({ id, body, parsed }) => {
    const { document: told, ...thin } = parsed.data;
    if (told === undefined) return body;
    const shown = audience === undefined ? undefined : shownOf(audience, told as JsonObject, now.get(id));
    return JSON.stringify({ ...parsed, data: { ...thin, ...(shown === undefined ? {} : { document: shown }) } });
  });
}

function audienceNow(context: Context, webhook: StoredWebhook): Audience | undefined {
  const resource = context.contract.resources.get(webhook.resource);
  try {
    return resource && toAudience(mustBeServed(context, resource), webhook);
  } catch (thrown) {
    if (thrown instanceof Fault) return undefined;
    throw thrown;
  }
}

function shownOf(audience: Audience, told: JsonObject, now: StoredDocument | undefined): JsonObject | undefined {
  if (now === undefined || !isShownTo(audience, now.value)) return undefined;
  return JSON.parse(audience.present(new StoredDocument(now.id, JSON.stringify(told), told), now)) as JsonObject;
}
