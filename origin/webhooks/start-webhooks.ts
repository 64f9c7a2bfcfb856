/** Webhooks as a service: an origin whose webhooks fail is ready all the same, and says so, since what it serves is right. */
import { Fault } from '../../shared/wire/fault.ts';
import type { Context } from '../context.ts';
import { type ConsumerOptions, inTime, startConsumer } from '../feed/consumer.ts';
import { Lease, type LeaseTimes } from '../feed/lease.ts';
import type { Job } from '../job-queue/job.ts';
import type { Started } from '../services/services.ts';
import { laneOf } from './delivery-job.ts';
import { webhookConsumer, WebhookConsumer } from './webhook-consumer.ts';

export interface WebhookOptions {
  readonly onTrouble: ConsumerOptions['onTrouble'];
  readonly leaseTimes?: LeaseTimes | undefined;
}

/** The embedded store has one process, so nobody else tells webhooks. */
export async function startWebhooks(delivers: Job, context: Context, { onTrouble, leaseTimes }: WebhookOptions): Promise<Started<void>> {
  const { store, feed } = context;
  await beginHere(context);
  const lease = store.engine === 'sqlite' ? {} : { lease: new Lease(store, 'lease of webhooks', leaseTimes) };
  const consumer = new WebhookConsumer(context, laneOf(delivers), onTrouble);
  const started = startConsumer(consumer, { store, feed, onTrouble, ...lease });
  return { ...started, state: async () => ({ ...(await started.state()), ready: true }) };
}

/** The first start of all begins before anybody can make a webhook, not when the lease is held: what comes between is told. */
async function beginHere({ store, feed }: Context): Promise<void> {
  if ((await store.cursor(webhookConsumer)) !== undefined) return;
  const cursor = { consumer: webhookConsumer, from: undefined, to: feed.through };
  await store.write([], { ...inTime(), atomic: true, cursor }).catch((cause: unknown) => {
    // Another process began.
    if (!(cause instanceof Fault && cause.reason === 'cursor_moved')) throw cause;
  });
}
