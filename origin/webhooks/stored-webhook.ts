/** A webhook and a delivery as they are stored, and what is shown of them. */
import type { StoredDelivery, StoredWebhook } from '../../shared/webhooks/resource.ts';
import type { Principal } from '../../shared/wire/principal.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import type { StoredDocument } from '../store/stored-document.ts';

/** Code alone writes them, so what is stored is one. */
export function webhookIn({ value: { id: _id, ...webhook } }: StoredDocument): StoredWebhook {
  return webhook as unknown as StoredWebhook;
}

export function deliveryIn({ value: { id: _id, ...delivery } }: StoredDocument): StoredDelivery {
  return delivery as unknown as StoredDelivery;
}

/** Members that are `undefined` are not stored. */
export function documentOf(stored: object): JsonObject {
  return JSON.parse(JSON.stringify(stored)) as JsonObject;
}

export function keptPrincipal({ roles, claims }: Principal): string {
  return JSON.stringify({ roles, claims });
}

/** Whoever made it, as they were then. */
export function principalOf({ owner, principal }: StoredWebhook): Principal {
  return { subject: owner, ...(JSON.parse(principal) as Pick<Principal, 'roles' | 'claims'>) };
}

export function pausedFor(paused: NonNullable<StoredWebhook['paused']>, nowMs: number): Pick<StoredWebhook, 'paused' | 'pausedAt'> {
  return { paused, pausedAt: new Date(nowMs).toISOString() };
}

/** `nowMs`: what has passed of a rotation is not told any more. */
export function toShownWebhook(id: string, webhook: StoredWebhook, nowMs: number): JsonObject {
  const { owner, tenant, url, resource, events, filter, description, payload, ordered } = webhook;
  const { paused, pausedAt, failures, made, previousUntil } = webhook;
  const isOverlapping = previousUntil !== undefined && Date.parse(previousUntil) > nowMs;
  return documentOf({
    id, owner, tenant, url, resource, events, filter, description, payload, ordered, paused: paused !== undefined, pausedBecause: paused,
    pausedAt, failures, createdAt: made, previousUntil: isOverlapping ? previousUntil : undefined,
  });
}

export function toShownDelivery(id: string, delivery: StoredDelivery): JsonObject {
  const { event, state, attempts, status, answer, latencyMs, error, made, triedAt, keptUntil, body } = delivery;
  return documentOf({
    id, type: event, state, attempts, status, answer, latencyMs, error, createdAt: made, triedAt, keptUntil, body: JSON.parse(body) as Json,
  });
}
