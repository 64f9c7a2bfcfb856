/** Webhooks as clients manage them: what is told to whom, and how its deliveries went. */
import * as z from 'zod';
import { bodyOf } from '../contract/documents.ts';
import { signedIn } from '../contract/rules.ts';
import { instant, integer } from '../contract/types.ts';
import { operations } from '../operations/operation.ts';
import { limits } from '../wire/limits.ts';
import { limitIn, placeIn, stateIn } from '../wire/page-parameters.ts';
import { mustBeWithoutParameters, mustKnowOnly, parametersRefused, toParameters } from '../wire/parameters.ts';
import type { JsonObject } from '../wire/values.ts';
import { webhookLimits } from './limits.ts';
import { askedEvents, deliveryId, deliveryStates, webhookEvents, webhookId, webhooks } from './resource.ts';

const json = 'application/json';
const about = 'webhooks';
const short = { bodyBytesMax: limits.bodyBytesMax, msMax: limits.requestMsMax, cost: 1, right: signedIn, gives: [json] } as const;
const read = {
  ...short, method: 'GET', answers: 'state', body: 'none', takes: [], carries: ['if-match', 'if-none-match'], conditions: 'read',
} as const;
const effect = { ...short, answers: 'effect', carries: ['idempotency-key'], conditions: 'none' } as const;
const sent = { ...effect, method: 'POST', body: 'buffered', takes: [json] } as const;
const unsent = { ...effect, body: 'none', takes: [] } as const;
const parseNone = (_resource: unknown, query: string): void => mustBeWithoutParameters(query);
/** Made for one caller. */
const unkept = () => ({ name: 'webhooks', dependencies: [{ resource: webhooks.name, buckets: [] }], keepsAbsence: false });

const url = z.string().min(1).max(webhookLimits.urlCharactersMax).meta({ examples: ['https://hooks.example.com/orders'] });
const events = z.array(z.enum(askedEvents)).min(1).max(askedEvents.length).meta({ examples: [['created', 'deleted']] });
const filter = z.string().max(webhookLimits.filterCharactersMax);
const description = z.string().max(webhookLimits.descriptionCharactersMax);
const payload = z.enum(['thin', 'full']);

const newWebhook = z.object({
  url, resource: z.string().max(63).meta({ examples: ['orders'] }), events: events.default([...webhookEvents]),
  filter: filter.optional(), description: description.optional(), payload: payload.default('thin'), ordered: z.boolean().default(false),
  paused: z.boolean().default(false),
});
/** `null` takes a filter or a description away. */
const changedWebhook = z.object({
  url: url.optional(), events: events.optional(), filter: filter.nullable().optional(), description: description.nullable().optional(),
  payload: payload.optional(), ordered: z.boolean().optional(), paused: z.boolean().optional(),
});
const rotation = z.object({
  overlapSeconds: integer().min(0).max(webhookLimits.overlapSecondsMax).default(webhookLimits.overlapSeconds),
});
/** One delivery, or those of a range in time, from `from` to before `to`; `state` is of the range. */
const resending = z.object({
  delivery: deliveryId.optional(), from: instant().optional(), to: instant().optional(), state: z.enum(['delivered', 'dead']).optional(),
});

export const webhookBodies = {
  newWebhook: bodyOf(newWebhook), changedWebhook: bodyOf(changedWebhook), rotation: bodyOf(rotation), resending: bodyOf(resending),
} as const;

export const webhookOperations = operations({
  makeWebhook: {
    ...sent, at: { path: '/webhooks', about },
    parse: parseNone, schema: () => webhookBodies.newWebhook,
  },
  listWebhooks: {
    ...read, at: { path: '/webhooks', about },
    parse: parseWebhooks, cached: unkept,
  },
  getWebhook: {
    ...read, at: { path: '/webhooks/:id', about }, parse: parseNone, cached: unkept,
  },
  changeWebhook: {
    ...sent, method: 'PATCH', at: { path: '/webhooks/:id', about },
    parse: parseNone, schema: () => webhookBodies.changedWebhook,
  },
  removeWebhook: {
    ...unsent, method: 'DELETE', at: { path: '/webhooks/:id', about },
    parse: parseNone,
  },
  rotateWebhook: {
    ...sent, at: { path: '/webhooks/:id/rotate', about },
    parse: parseNone, schema: () => webhookBodies.rotation,
  },
  testWebhook: {
    ...unsent, method: 'POST', at: { path: '/webhooks/:id/test', about },
    parse: parseNone,
  },
  listDeliveries: {
    ...read, at: { path: '/webhooks/:id/deliveries', about },
    parse: parseDeliveries, cached: unkept,
  },
  resendDeliveries: {
    ...sent, at: { path: '/webhooks/:id/resend', about },
    parse: parseNone, schema: () => webhookBodies.resending,
  },
});

export type NewWebhook = z.output<typeof newWebhook>;
export type ChangedWebhook = z.output<typeof changedWebhook>;
export type Resending = z.output<typeof resending>;

/** What the schemas made of a body. */
export function newWebhookIn(body: JsonObject): NewWebhook {
  return body as NewWebhook;
}

export function changedWebhookIn(body: JsonObject): ChangedWebhook {
  return body as ChangedWebhook;
}

export function resendingIn(body: JsonObject): Resending {
  return body as Resending;
}

export function webhookOverlapIn(body: JsonObject): number {
  return (body as z.output<typeof rotation>).overlapSeconds;
}

export interface WebhooksPage {
  readonly limit: number;
  /** The id of the last one of the page before. */
  readonly after: string | undefined;
}

export interface DeliveriesPage {
  readonly limit: number;
  readonly state: (typeof deliveryStates)[number] | undefined;
  readonly after: { readonly made: string; readonly id: string } | undefined;
}

function parseWebhooks(_resource: unknown, query: string): WebhooksPage {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['limit', 'after'], 'webhooks are listed by limit and after');
  const after = parameters.get('after') ?? undefined;
  if (after !== undefined && !webhookId.safeParse(after).success) throw parametersRefused([['after', 'must be the id of a webhook']]);
  return { limit: limitIn(parameters), after };
}

/** What `after` takes: a moment and an id, as a page's `next` has them. */
export const deliveriesAfter = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_(msg_[0-9a-f]{32})$/;

function parseDeliveries(_resource: unknown, query: string): DeliveriesPage {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['state', 'limit', 'after'], 'deliveries are listed by state, limit and after');
  const state = stateIn(parameters, deliveryStates);
  const place = placeIn(parameters, deliveriesAfter);
  return { limit: limitIn(parameters), state, after: place && { made: place[0], id: place[1] } };
}
