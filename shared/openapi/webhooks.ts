/** What the description says of webhooks: one as it is shown, its deliveries, the bodies, and what receivers are sent. */
import { shownOf } from '../contract/documents.ts';
import type { Resource } from '../contract/resource.ts';
import { deliveriesAfter, webhookBodies } from '../webhooks/operations.ts';
import { askedEvents, deliveryStates, pausedNotice, pauseReasons, webhookEvents } from '../webhooks/resource.ts';
import type { JsonObject } from '../wire/values.ts';
import { type DescribedAnswer, placeOf, type QueryParameter, schemaName, schemaRef } from './described.ts';
import { headersOfStates } from './headers.ts';
import { toJsonSchema } from './json-schema.ts';
import { afterLike, limitOf, pageAnswer, stateOf } from './pages.ts';

const json = 'application/json';
const text = { type: 'string' } as const;
const count = { type: 'integer' } as const;
const moment = { type: 'string', format: 'date-time' } as const;

export const webhookComponents = {
  newWebhook: { [json]: 'NewWebhook' }, changedWebhook: { [json]: 'WebhookChange' }, rotation: { [json]: 'WebhookRotation' },
  resending: { [json]: 'Resending' },
} as const;

/** Bodies as a caller could send them. */
export const webhookExamples = {
  newWebhook: { [json]: { url: 'https://hooks.example.com/orders', resource: 'orders', events: ['created'], payload: 'full' } },
  changedWebhook: { [json]: { paused: true } }, rotation: { [json]: { overlapSeconds: 3_600 } },
  resending: { [json]: { delivery: 'msg_019a0b6c7d8e9f0a1b2c3d4e5f607182' } },
} as const;

const shown = {
  id: text, owner: text, tenant: text, url: text, resource: text, events: { type: 'array', items: { enum: [...askedEvents] } },
  filter: { ...text, description: 'The query of a list: what it finds is told.' }, description: text, payload: { enum: ['thin', 'full'] },
  ordered: { type: 'boolean', description: 'What is told of a document comes in the order of its changes.' },
  paused: { type: 'boolean' }, pausedBecause: { enum: [...pauseReasons], description: 'Asked for, attempts failed, or a 410.' },
  pausedAt: moment,
  failures: { ...count, description: 'Failed attempts since the last success.' }, createdAt: moment,
  previousUntil: { ...moment, description: 'Until when the secret before the last rotation signs too.' },
} as const;
const required = ['id', 'owner', 'url', 'resource', 'events', 'payload', 'ordered', 'paused', 'failures', 'createdAt'] as const;

const delivery = {
  id: { ...text, description: '`Webhook-Id` of all attempts.' }, type: text, state: { enum: [...deliveryStates] },
  attempts: count, status: { ...count, description: 'Of the last answer.' }, answer: { ...text, description: 'The head of it.' },
  latencyMs: count, error: text, createdAt: moment, triedAt: moment, keptUntil: moment, body: { description: 'What is sent.' },
} as const;

/** By the names of their components. */
export function webhookSchemas(): JsonObject {
  return {
    NewWebhook: toJsonSchema(shownOf(webhookBodies.newWebhook), 'input', placeOf('NewWebhook')),
    WebhookChange: toJsonSchema(shownOf(webhookBodies.changedWebhook), 'input', placeOf('WebhookChange')),
    WebhookRotation: toJsonSchema(shownOf(webhookBodies.rotation), 'input', placeOf('WebhookRotation')),
    Resending: toJsonSchema(shownOf(webhookBodies.resending), 'input', placeOf('Resending')),
    Webhook: { type: 'object', required: [...required], properties: shown, additionalProperties: false },
    WebhookMade: {
      type: 'object', required: [...required, 'secret'], additionalProperties: false,
      properties: { ...shown, secret: { ...text, description: 'What `Webhook-Signature` is made with. Shown this once.' } },
    },
    Delivery: {
      type: 'object', required: ['id', 'type', 'state', 'attempts', 'createdAt', 'keptUntil', 'body'], properties: delivery,
      additionalProperties: false,
    },
  };
}

export function webhookAnswer(): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'The webhook.', headers: headersOfStates, mediaType: json, schema: schemaRef('Webhook') }];
}

export function webhookChangedAnswer(): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'The webhook.', headers: ['Tombolo-Position'], mediaType: json, schema: schemaRef('Webhook') }];
}

export function webhookMadeAnswer(): readonly DescribedAnswer[] {
  const headers = ['Location', 'Tombolo-Position'] as const;
  return [{ status: 201, description: 'The webhook, and its secret.', headers, mediaType: json, schema: schemaRef('WebhookMade') }];
}

export function testedAnswer(): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'The delivery.', headers: ['Tombolo-Position'], mediaType: json, schema: schemaRef('Delivery') }];
}

export function resentAnswer(): readonly DescribedAnswer[] {
  const schema = { type: 'object', required: ['resent'], properties: { resent: count }, additionalProperties: false } as const;
  return [{ status: 200, description: 'How many are sent again.', headers: ['Tombolo-Position'], mediaType: json, schema }];
}

export function webhooksAnswer(): readonly DescribedAnswer[] {
  return pageAnswer(schemaRef('Webhook'), 'A page, oldest first.');
}

export function deliveriesAnswer(): readonly DescribedAnswer[] {
  return pageAnswer(schemaRef('Delivery'), 'A page, newest first.');
}

export function webhooksParameters(): readonly QueryParameter[] {
  return [limitOf('Entries'), afterLike('^wh_[0-9a-f]{24}$')];
}

export function deliveriesParameters(): readonly QueryParameter[] {
  return [stateOf(deliveryStates), limitOf('Entries'), afterLike(deliveriesAfter.source)];
}

const sentHeaders = [
  ...['Webhook-Id', 'Webhook-Timestamp', 'Webhook-Signature'].map((name) => ({ name, in: 'header', required: true, schema: text })),
  {
    name: 'traceparent', in: 'header', schema: text,
    description: 'Where the write that it tells of was traced: the attempt, in that trace (W3C Trace Context).',
  },
];

/** What receivers are sent of resources that can be followed: the `webhooks` of OpenAPI 3.1. */
export function sentToReceivers(resources: readonly Resource[]): JsonObject {
  const live = resources.filter(({ live: isLive }) => isLive);
  if (live.length === 0) return {};
  const changes = live.flatMap((resource) => [...webhookEvents, 'resync'].map((event) => {
    const type = `${resource.name}.${event}`;
    return [type, { post: toSentOperation(type, resource) }];
  }));
  return { ...Object.fromEntries(changes), [pausedNotice]: { post: sentOf(pausedNotice, noticeWords, pausedData) } };
}

const noticeWords = 'Tells that another webhook of the same owner is paused, though nobody asked for it.';
const pausedData = {
  type: 'object', required: ['webhook', 'reason', 'pausedAt'],
  properties: { webhook: text, reason: { enum: ['failing', 'gone'] }, pausedAt: moment },
} as const;

function toSentOperation(type: string, resource: Resource): JsonObject {
  const isAboutOne = !type.endsWith('.resync');
  const hasDocument = isAboutOne && !type.endsWith('.deleted');
  const data = {
    type: 'object', required: [...(isAboutOne ? ['id'] : []), 'position'],
    properties: {
      ...(isAboutOne ? { id: {} } : {}), position: { ...text, description: 'A `Tombolo-Position` at which the change is seen.' },
      ...(hasDocument ? { document: schemaRef(schemaName(resource, undefined)) } : {}),
    },
  };
  return sentOf(type, isAboutOne
    ? `Tells of a change of ${resource.name}.` : `Tells that changes of ${resource.name} may have been missed: read again.`, data);
}

function sentOf(type: string, summary: string, data: JsonObject): JsonObject {
  const properties = { type: { const: type }, timestamp: moment, data };
  const schema = { type: 'object', required: Object.keys(properties), properties };
  return {
    operationId: `webhook.${type}`, parameters: sentHeaders, summary,
    requestBody: { required: true, content: { [json]: { schema } } },
    responses: { '2XX': { description: 'Taken. Anything else is tried again; 410 pauses the webhook.' } },
  };
}
