/** Where webhooks and their deliveries are stored (SEMANTICS §21). */
import * as z from 'zod';
import { type Resource, resource } from '../contract/resource.ts';
import { instant, integer } from '../contract/types.ts';

const unkept = { rev: false, createdAt: false, updatedAt: false } as const;

export const webhookId = z.string().regex(/^wh_[0-9a-f]{24}$/).meta({ examples: ['wh_019a0b6c7d8e9f0a1b2c3d4e'] });

/** Beside them `resync` is told, of changes that nobody can tell of. */
export const webhookEvents = ['created', 'changed', 'deleted'] as const;
export type WebhookEvent = (typeof webhookEvents)[number];

/** That another webhook of its owner is paused, though nobody asked for it: told to those that name it among their events. */
export const pausedNotice = 'webhook.paused';
export const askedEvents = [...webhookEvents, pausedNotice] as const;

/** Why a webhook is paused: its owner asked for it, attempts failed one after the other, or its receiver said that it is gone. */
export const pauseReasons = ['asked', 'failing', 'gone'] as const;

const stored = resource({
  name: 'tombolo_webhooks', internal: true, id: { kind: 'string', format: webhookId }, ...unkept,
  schema: z.object({
    /** The subject that made it, and their tenant, whose admins see it too. */
    owner: z.string(), tenant: z.string().optional(),
    /** What its maker was when they made it, or last changed what it tells, as JSON: what is sent is what they might read as this. */
    principal: z.string(),
    url: z.string(), resource: z.string(), events: z.array(z.enum(askedEvents)),
    /** The query of a list. */
    filter: z.string().optional(), description: z.string().optional(),
    payload: z.enum(['thin', 'full']),
    /** Whether what is told of a document comes in the order of its changes. */
    ordered: z.boolean(),
    paused: z.enum(pauseReasons).optional(), pausedAt: instant().optional(),
    /** Enciphered, since it must sign; the one before signs too until a moment. */
    secret: z.string(), previousSecret: z.string().optional(), previousUntil: instant().optional(),
    /** Failed attempts since the last success. */
    failures: integer(), made: instant(),
  }),
  shapes: { all: {}, byOwner: { equal: ['owner'] }, byTenant: { equal: ['tenant'] } },
});

/** Named by its path, which no resource of a team can have beside it. */
export const webhooks: Resource<typeof stored.schema> = { ...stored, name: 'webhooks' };

/**
 *   waiting ──an attempt is answered 2xx──▶ delivered        held ──its webhook goes on──▶ waiting
 *    │  ▲ └─────its last attempt fails────▶ dead              ▲
 *    │  └─────── sent again ─────────────── delivered, dead   │
 *    └──────────────its webhook is paused─────────────────────┘
 *   queued ──it is the first of its line──▶ waiting ──its job is dead, or cancelled──▶ dead
 */
export const deliveryStates = ['waiting', 'queued', 'held', 'delivered', 'dead'] as const;

export const deliveryId = z.string().regex(/^msg_[0-9a-f]{32}$/).meta({ examples: ['msg_019a0b6c7d8e9f0a1b2c3d4e5f607182'] });

/** Its id is made of the webhook and the position of the change, so a change makes one however often it is told. */
export const deliveries = resource({
  name: 'tombolo_webhook_deliveries', internal: true, id: { kind: 'string', format: deliveryId }, ...unkept,
  schema: z.object({
    webhook: z.string(), state: z.enum(deliveryStates),
    /** As in `type` of its body; the document that it is about, empty where it is about all. */
    event: z.string(), document: z.string(),
    /** What is sent, as JSON. */
    body: z.string(),
    /** The line that it stands in, where its webhook is ordered. */
    turn: z.string().optional(),
    /** Attempts that ended, and of the last of them: the status and the head of the answer, its time, or what went wrong. */
    attempts: integer(), status: integer().optional(), answer: z.string().optional(), latencyMs: integer().optional(),
    error: z.string().optional(),
    /** The `traceparent` of the write that it tells of, where that was traced. */
    trace: z.string().optional(),
    made: instant(), triedAt: instant().optional(), keptUntil: instant(),
  }),
  shapes: {
    ofWebhook: { equal: ['webhook'], sort: ['made', '-made'] },
    inState: { equal: ['webhook', 'state'], range: 'made', sort: ['made', '-made'] },
    byEnd: { range: 'keptUntil' },
  },
});

/** By webhook and document: deliveries that have not ended, the first of which is sent. */
export const turns = resource({
  name: 'tombolo_webhook_turns', internal: true, id: { kind: 'string', format: z.string() }, ...unkept,
  schema: z.object({ webhook: z.string(), line: z.array(z.string()) }),
  shapes: { ofWebhook: { equal: ['webhook'] } },
});

/** The traced writes that left documents as they were, by a part of the digest of a document's place, so that there are few. */
export const causes = resource({
  name: 'tombolo_webhook_causes', internal: true, id: { kind: 'string', format: z.string() }, ...unkept,
  schema: z.object({ last: z.array(z.object({ of: z.string(), left: z.string(), trace: z.string() })) }), shapes: { all: {} },
});

export type StoredWebhook = z.output<typeof stored.schema>;
export type StoredCauses = z.output<typeof causes.schema>;
export type StoredDelivery = z.output<typeof deliveries.schema>;
