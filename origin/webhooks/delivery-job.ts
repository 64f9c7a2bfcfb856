/**
 * A delivery as a job (SEMANTICS §21): in a lane of its webhook, under one id in all attempts. What an attempt finds out is written
 * to the delivery and to its webhook before the job goes on: a crash between the two sends again, under the same id.
 */
import * as z from 'zod';
import { webhookLimits } from '../../shared/webhooks/limits.ts';
import { deliveries, type StoredDelivery, type StoredWebhook, webhooks } from '../../shared/webhooks/resource.ts';
import type { OriginContext } from '../origin-context.ts';
import { consumerLimits, inTime } from '../feed/consumer.ts';
import { job, type Job } from '../job-queue/job.ts';
import { TryLater } from '../job-queue/try-later.ts';
import { mustNoneBeRefused } from '../store/outcomes.ts';
import type { Mutation } from '../store/store.ts';
import { bodiesNow } from './bodies-now.ts';
import { attempted, holding, type JobOf, removing } from './delivery-writes.ts';
import { deliveryJobName } from './lost-jobs.ts';
import { send, type Sent } from './send.ts';
import { deliveryIn, documentOf, pausedFor, webhookIn } from './stored-webhook.ts';
import { leaving } from './turns.ts';

export interface WebhookTimes {
  readonly attemptMs: number;
  /** Before the second attempt, the third and so on; after the last of them a delivery is dead. */
  readonly pausesMs: readonly number[];
}

const [second, minute, hour] = [1_000, 60_000, 3_600_000];

/** The schedule that Standard Webhooks proposes: three days and a little. */
export const usualTimes: WebhookTimes = {
  attemptMs: webhookLimits.attemptMsMax,
  pausesMs: [
    5 * second, 5 * minute, 30 * minute, 2 * hour, 5 * hour, 10 * hour, 14 * hour, 20 * hour, 24 * hour,
  ],
};

/** A pause is up to so much of itself longer, so that what failed together does not come back together. */
const jitter = 0.2;
const queue = { name: 'webhooks', concurrency: webhookLimits.atOnceMax, ofLane: webhookLimits.atOnceOfOneMax } as const;
const payload = z.object({ webhook: z.string(), delivery: z.string() });

/** Its attempts are counted by the delivery; those lost with a process, here. */
export function deliveryJob(toContext: () => OriginContext, times: WebhookTimes): Job {
  return job({
    name: deliveryJobName, payload, queue, attempts: 50, timeoutMs: times.attemptMs + consumerLimits.writeMsMax,
    handler: async ({ payload: { webhook, delivery }, signal }) => {
      await new Delivering(toContext(), times, { webhookId: webhook, id: delivery, signal }).run();
      return undefined;
    },
  });
}

export function laneOf(of: Job): JobOf {
  return (webhook) => ({ ...of, queue: { ...queue, name: `${queue.name}:${webhook}` } });
}

interface Delivered {
  readonly id: string;
  readonly webhookId: string;
  readonly signal: AbortSignal;
}

class Delivering {
  readonly #context: OriginContext;
  readonly #times: WebhookTimes;
  readonly #what: Delivered;

  constructor(context: OriginContext, times: WebhookTimes, what: Delivered) {
    this.#context = context;
    this.#times = times;
    this.#what = what;
  }

  async run(): Promise<void> {
    const { id, webhookId } = this.#what;
    const { store } = this.#context;
    const [delivery, webhook] = await Promise.all([store.get(deliveries, id, inTime()), store.get(webhooks, webhookId, inTime())]);
    if (delivery.value === undefined) return;
    const stored = deliveryIn(delivery.value);
    if (stored.state !== 'waiting') return;
    if (webhook.value === undefined) return this.#write([removing(id), ...this.#leaving(stored)]);
    const to = webhookIn(webhook.value);
    if (to.paused !== undefined) return this.#hold();
    const bodyOf = await bodiesNow(this.#context, to, [stored], inTime());
    await this.#note(stored, await this.#send(stored, to, bodyOf(stored)));
  }

  /** Its span is below that of the write that it tells of. */
  async #send({ trace, attempts }: StoredDelivery, webhook: StoredWebhook, body: string): Promise<Sent> {
    const { traces, settings, now } = this.#context;
    const traced = traces?.begin('webhook delivery', { parent: trace, isAsking: true });
    const { attemptMs } = this.#times;
    let sent: Sent | undefined;
    try {
      const traceparent = traced?.traceparent ?? trace;
      return sent = await send({ ...this.#what, webhook, body, settings, attemptMs, traceparent, nowMs: now() });
    } finally {
      traced?.end({ delivery: this.#what.id, attempt: attempts + 1, status: sent?.ended.status }, sent?.isTaken !== true);
    }
  }

  /** The next of its document is sent. */
  #leaving({ turn }: StoredDelivery): readonly Mutation[] {
    const { id, webhookId: webhook } = this.#what;
    if (turn === undefined) return [];
    return [leaving(turn, { id, webhook }, { jobOf: laneOf(this.#context.delivers), nowMs: this.#context.now() })];
  }

  async #note(delivery: StoredDelivery, { isTaken, isGone, ended, pauseMs }: Sent): Promise<void> {
    const { id } = this.#what;
    const nextMs = isTaken || isGone ? undefined : this.#times.pausesMs[delivery.attempts];
    const state = isTaken ? 'delivered' : nextMs === undefined ? 'dead' : 'waiting';
    const left = nextMs === undefined ? this.#leaving(delivery) : [];
    await this.#write([attempted(id, state, ended, this.#context.now()), this.#counting({ isTaken, isGone }), ...left]);
    this.#context.deliveryCounts.count(state);
    if (nextMs === undefined) return;
    throw new TryLater(ended.error ?? 'it failed', Math.max(pauseMs, nextMs * (1 + Math.random() * jitter)));
  }

  /** A success ends the count of failures; too many of them, or a receiver that is gone, pause the webhook. */
  #counting({ isTaken, isGone }: Pick<Sent, 'isTaken' | 'isGone'>): Mutation {
    const change = (webhook: StoredWebhook): StoredWebhook | undefined => {
      if (isTaken) return webhook.failures === 0 ? undefined : { ...webhook, failures: 0 };
      const failures = webhook.failures + 1;
      const because = isGone ? 'gone' : failures >= webhookLimits.failuresMax ? 'failing' : undefined;
      const isNew = because !== undefined && webhook.paused === undefined;
      return { ...webhook, failures, ...(isNew ? pausedFor(because, this.#context.now()) : {}) };
    };
    return {
      resource: webhooks, id: this.#what.webhookId,
      decide: (found) => {
        const changed = found === undefined ? undefined : change(webhookIn(found));
        return changed === undefined ? { kind: 'keep' } : { kind: 'put', document: documentOf(changed) };
      },
    };
  }

  /** The webhook may go on meanwhile, and then so does this. */
  async #hold(): Promise<void> {
    const { id, webhookId } = this.#what;
    await this.#write([holding(id, webhookId, this.#context.now())]);
    const { value } = await this.#context.store.get(deliveries, id, inTime());
    if (value !== undefined && deliveryIn(value).state === 'waiting') throw new TryLater('its webhook goes on', second);
  }

  async #write(mutations: readonly Mutation[]): Promise<void> {
    const { outcomes } = await this.#context.store.write(mutations, { ...inTime(), atomic: true });
    mustNoneBeRefused(outcomes);
  }
}
