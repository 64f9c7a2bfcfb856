/** What may be told now, by an attempt or in a list, of what was to be told when a delivery was made. */
import type { StoredDelivery, StoredWebhook } from '../../shared/webhooks/resource.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { JsonObject } from '../../shared/wire/values.ts';
import { mustBeServed } from '../access/documents-seen.ts';
import type { Context } from '../context.ts';
import type { ReadOptions } from '../store/store.ts';
import { StoredDocument } from '../store/stored-document.ts';
import { type Audience, isShownTo, toAudience } from './audience.ts';

type Told = Pick<StoredDelivery, 'body' | 'document'>;

/**
 * What gives the body of each of these deliveries of one webhook. A document that is hidden by now, or gone, is told by its id alone,
 * as in a replay of the live feed; so is one of which nobody can say it, since its resource or the filter is not declared any more.
 */
export async function bodiesNow(
  context: Context, webhook: StoredWebhook, deliveries: readonly Told[], options: ReadOptions,
): Promise<(delivery: Told) => string> {
  const ids = new Set(deliveries.flatMap(({ body, document }) => (bodyIn(body).data['document'] === undefined ? [] : [document])));
  const audience = ids.size === 0 ? undefined : audienceNow(context, webhook);
  const found = audience === undefined ? [] : (await context.store.many(audience.resource, [...ids], options)).value;
  const now = new Map(found.map((document) => [document.id, document]));
  return ({ body, document }) => {
    const parsed = bodyIn(body);
    const { document: told, ...thin } = parsed.data;
    if (told === undefined) return body;
    const shown = audience === undefined ? undefined : shownOf(audience, told as JsonObject, now.get(document));
    return JSON.stringify({ ...parsed, data: { ...thin, ...(shown === undefined ? {} : { document: shown }) } });
  };
}

function bodyIn(text: string): JsonObject & { readonly data: JsonObject } {
  return JSON.parse(text) as JsonObject & { readonly data: JsonObject };
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
