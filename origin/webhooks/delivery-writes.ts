/** What becomes of stored deliveries, as writes that are decided on the delivery as it is there (`shared/webhooks/resource.ts`). */
import { jobs } from '../../shared/jobs/resource.ts';
import { webhookLimits } from '../../shared/webhooks/limits.ts';
import { deliveries, type StoredDelivery, type StoredWebhook, webhooks } from '../../shared/webhooks/resource.ts';
import { anonymous } from '../../shared/wire/principal.ts';
import { formatPosition, type Position } from '../../shared/wire/position.ts';
import { enqueuing } from '../job-queue/enqueue.ts';
import type { Job } from '../job-queue/job.ts';
import { isEnded, jobIn } from '../job-queue/stored-job.ts';
import type { Decision, FollowUp, Mutation, PlainDecision, Reach } from '../store/store.ts';
import { deliveryIn, documentOf, webhookIn } from './stored-webhook.ts';

/** Which job delivers: one for each webhook has its lane. */
export type JobOf = (webhook: string) => Job;

export interface NewDelivery extends Pick<StoredDelivery, 'webhook' | 'event' | 'document' | 'body' | 'trace'> {
  readonly id: string;
  /** It waits for its webhook, which is paused. */
  readonly isHeld: boolean;
}

export interface Making {
  readonly jobOf: JobOf;
  readonly nowMs: number;
}

/** The same for the same change, however often it is told. */
export function toDeliveryId(webhook: string, position: Position): string {
  return toMessageId(`${webhook} ${formatPosition(position)}`);
}

/** The same for the same pause of the same webhook. */
export function toNoticeId(receiver: string, paused: Readonly<Record<'webhook' | 'pausedAt', string>>): string {
  return toMessageId(`${receiver} ${paused.webhook} ${paused.pausedAt}`);
}

function toMessageId(text: string): string {
  return `msg_${new Bun.CryptoHasher('sha256').update(text).digest('hex').slice(0, 32)}`;
}

/** One that is there stays as it is. */
export function making(delivery: NewDelivery, how: Making): Mutation {
  const { id, isHeld } = delivery;
  const document = documentOf(madeOf(delivery, how.nowMs));
  const also = isHeld ? {} : { also: [enqueued(how, delivery)] };
  return {
    resource: deliveries, id, decide: (before) => (before === undefined ? { kind: 'put', document, ...also } : { kind: 'keep' }),
  };
}

export function madeOf({ id: _id, isHeld, ...delivery }: NewDelivery, nowMs: number): StoredDelivery {
  return { ...delivery, state: isHeld ? 'held' : 'waiting', attempts: 0, made: new Date(nowMs).toISOString(), ...keptFrom(nowMs) };
}

/** Has one of these states go on from the beginning; of another state it is left as it is, or refused by `otherwise`. */
export function sendingAgain(
  { id, webhook }: Pick<NewDelivery, 'id' | 'webhook'>, from: readonly StoredDelivery['state'][], how: Making,
  otherwise: () => Decision = () => ({ kind: 'keep' }),
): Mutation {
  // One job, however often the write is decided.
  const also = [enqueued(how, { webhook, id })];
  return changing(id, (delivery) =>
    (from.includes(delivery.state) ? { ...fromTheBeginning(delivery, how.nowMs), also } : otherwise()));
}

/**
 * Has it go on from the beginning by a job that it had before. One that waits is written as well: whoever finds that its job is lost
 * writes it too, so that one of the two transactions sees what the other has written.
 */
export function goingOn(id: string, nowMs: number): FollowUp {
  return {
    resource: deliveries, id,
    decide: (found) => (found === undefined ? { kind: 'keep' } : fromTheBeginning(deliveryIn(found), nowMs)),
  };
}

function fromTheBeginning(delivery: StoredDelivery, nowMs: number): PlainDecision {
  return { kind: 'put', document: documentOf({ ...delivery, state: 'waiting', attempts: 0, error: undefined, ...keptFrom(nowMs) }) };
}

export type Ended = Partial<Pick<StoredDelivery, 'status' | 'answer' | 'latencyMs' | 'error'>>;

/** How an attempt ended. */
export function attempted(id: string, state: StoredDelivery['state'], ended: Ended, nowMs: number): Mutation {
  const { status, answer, latencyMs, error } = ended;
  return changing(id, (delivery) => {
    if (delivery.state !== 'waiting') return { kind: 'keep' };
    const triedAt = new Date(nowMs).toISOString();
    const left = { ...delivery, state, attempts: delivery.attempts + 1, status, answer, latencyMs, error, triedAt, ...keptFrom(nowMs) };
    return { kind: 'put', document: documentOf(left) };
  });
}

export interface Lost {
  /** The id of the job. */
  readonly job: string;
  readonly why: string;
}

/** No attempt at it comes any more, unless its job has been retried meanwhile. */
export function givenUp(id: string, { job, why: error }: Lost, nowMs: number): Mutation {
  return changing(id, (delivery, reach) => {
    const found = reach.named(jobs, job, { stays: false });
    const isLost = found === undefined || isEnded(jobIn(found));
    if (!isLost || delivery.state !== 'waiting') return { kind: 'keep' };
    return { kind: 'put', document: documentOf({ ...delivery, state: 'dead', error, ...keptFrom(nowMs) }) };
  });
}

/** It waits for its webhook to go on, if that is paused in the same transaction. */
export function holding(id: string, webhook: string, nowMs: number): Mutation {
  return changing(id, (delivery, reach) => {
    const found = reach.named(webhooks, webhook, { stays: false });
    const isPaused = found !== undefined && webhookIn(found).paused !== undefined;
    if (!isPaused || delivery.state !== 'waiting') return { kind: 'keep' };
    return { kind: 'put', document: documentOf({ ...delivery, state: 'held', ...keptFrom(nowMs) }) };
  });
}

/**
 * Where its time is over it is forgotten. What is still to be sent is kept on: one in a line, unless its webhook has been paused for
 * as long, and one that waits, with one more job under its own name, since nobody knows whether it has any. Where its first one only
 * stands in a backlog there are two: what comes second finds it sent, unless both are at it at once.
 */
export function overdue({ id, webhook }: Pick<NewDelivery, 'id' | 'webhook'>, how: Making): Mutation {
  const also = [enqueued(how, { webhook, id }, isNamed)];
  return changing(id, (delivery, reach) => {
    if (Date.parse(delivery.keptUntil) > how.nowMs) return { kind: 'keep' };
    const keptOn = { kind: 'put', document: documentOf({ ...delivery, ...keptFrom(how.nowMs) }) } as const;
    if (delivery.state === 'waiting') return { ...keptOn, also };
    if (delivery.state !== 'queued') return { kind: 'remove' };
    const found = reach.named(webhooks, webhook, { stays: false });
    return found !== undefined && isTold(webhookIn(found), how.nowMs) ? keptOn : { kind: 'remove' };
  });
}

function isTold({ paused, pausedAt }: StoredWebhook, nowMs: number): boolean {
  return paused === undefined || (pausedAt !== undefined && nowMs < Date.parse(pausedAt) + webhookLimits.keptMs);
}

export function removing(id: string): Mutation {
  return changing(id, () => ({ kind: 'remove' }));
}

function changing(id: string, change: (delivery: StoredDelivery, reach: Reach) => Decision): Mutation {
  return {
    resource: deliveries, id,
    decide: (found, reach) => (found === undefined ? { kind: 'keep' } : change(deliveryIn(found), reach)),
  };
}

export function keptFrom(nowMs: number): Pick<StoredDelivery, 'keptUntil'> {
  return { keptUntil: new Date(nowMs + webhookLimits.keptMs).toISOString() };
}

/** For what has no job yet: one of a name of its own, however often the write is decided. */
export const isNamed = true;

export function enqueued({ jobOf, nowMs }: Making, { webhook, id }: Pick<NewDelivery, 'webhook' | 'id'>, named = false): FollowUp {
  const how = named ? { dedupe: id } : {};
  return enqueuing(jobOf(webhook), { webhook, delivery: id }, how, { principal: anonymous, nowMs });
}
