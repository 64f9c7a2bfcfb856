/**
 * That a webhook is paused though nobody asked for it, told to its owner: a delivery of each other webhook of theirs that names
 * `webhook.paused` among its events. Its id is made of the pause, so it is told once, however often the change is handled.
 */
import type { DocumentChange } from '../../shared/contract/change.ts';
import { pausedNotice, type StoredWebhook } from '../../shared/webhooks/resource.ts';
import type { Mutation } from '../store/store.ts';
import { StoredDocument } from '../store/stored-document.ts';
import { making, type Making, toNoticeId } from './delivery-writes.ts';
import { webhookIn } from './stored-webhook.ts';

/** `known`: webhooks by their ids. */
export function noticesOf(
  { id, before, after }: DocumentChange, known: ReadonlyMap<string, { readonly webhook: StoredWebhook }>, how: Making,
): readonly Mutation[] {
  if (after == null) return [];
  const { paused: reason, pausedAt, owner } = webhookIn(new StoredDocument(id, '', { id, ...after }));
  const isNew = pausedAt !== undefined && before?.['pausedAt'] !== pausedAt;
  if (!isNew || reason === undefined || reason === 'asked') return [];
  const data = { webhook: id, reason, pausedAt };
  const body = JSON.stringify({ type: pausedNotice, timestamp: new Date(how.nowMs).toISOString(), data });
  return [...known].flatMap(([receiver, { webhook }]) => {
    if (receiver === id || webhook.owner !== owner || !webhook.events.includes(pausedNotice)) return [];
    const isHeld = webhook.paused !== undefined;
    const delivery = { id: toNoticeId(receiver, data), webhook: receiver, event: pausedNotice, document: '', body, isHeld };
    return [making(delivery, how)];
  });
}
