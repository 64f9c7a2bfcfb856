/** Webhooks as a service: an origin whose webhooks fail is ready all the same, and says so, since what it serves is right. */
import type { OriginContext } from '../origin-context.ts';
import { beginHere } from '../feed/begin-here.ts';
import { type ConsumerOptions, startConsumer } from '../feed/consumer.ts';
import { Lease, type LeaseTimes } from '../feed/lease.ts';
import type { Job } from '../job-queue/job.ts';
import type { Started } from '../services/services.ts';
import { laneOf } from './delivery-job.ts';
import { webhookConsumer, WebhookConsumer } from './webhook-consumer.ts';

export interface WebhookOptions {
  readonly onTrouble: ConsumerOptions['onTrouble'];
  readonly leaseTimes?: LeaseTimes | undefined;
}

/** Where this process has the store alone, nobody else tells webhooks. */
export async function startWebhooks(
  delivers: Job, context: OriginContext, { onTrouble, leaseTimes }: WebhookOptions,
): Promise<Started<void>> {
  const { store, feed, deliveryCounts } = context;
  // Before anybody can make a webhook: what comes between is told.
  await beginHere(webhookConsumer, context);
  const lease = store.isAlone ? {} : { lease: new Lease(store, 'lease of webhooks', leaseTimes) };
  const consumer = new WebhookConsumer(context, laneOf(delivers), onTrouble);
  const started = startConsumer(consumer, { store, feed, onTrouble, ...lease });
  return {
    ...started, state: async () => ({ ...(await started.state()), ready: true }),
    figures: async () => ({ ...(await started.figures?.()), ...deliveryCounts }),
  };
}
