import { orders } from '../../shared/resources/orders.ts';
import { incomingEvent } from '../incoming/event.ts';
import { job } from '../job-queue/job.ts';

/** What the provider of payments tells: an order whose charge was given back is cancelled. Any other event is none of ours. */
export const paymentsEvent = job({
  name: 'payments-event',
  payload: incomingEvent,
  async handler(call) {
    const { type, body } = call.payload;
    const order = type === 'charge.refunded' ? orderIn(body) : undefined;
    if (order === undefined || (await call.get(orders, order)) === undefined) return { done: false };
    call.atEnd([call.merge(orders, order, () => ({ status: 'cancelled' }))]);
    return { done: true };
  },
});

/** Where the charge was told which order it is of (https://docs.stripe.com/api/events/object). */
function orderIn(body: Readonly<Record<string, unknown>>): string | undefined {
  const { data } = body as { readonly data?: { readonly object?: { readonly metadata?: { readonly order?: unknown } } } };
  const order = data?.object?.metadata?.order;
  return typeof order === 'string' ? order : undefined;
}
