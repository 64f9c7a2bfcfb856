import * as z from 'zod';
import { integer } from '../../shared/contract/types.ts';
import { orders } from '../../shared/resources/orders.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { job } from '../job-queue/job.ts';

/** Writes the receipt of a paid order. Its buyer has it as the job's result; yours sends it by mail, with the job's id as its own. */
export const ordersReceipt = job({
  name: 'orders-receipt',
  payload: z.object({ order: z.uuid(), cents: integer() }),
  attempts: 5,
  async handler(call) {
    const { order: id, cents } = call.payload;
    const order = await call.get(orders, id);
    if (order?.status !== 'paid') throw new Fault('document_conflict', { detail: `the order is ${order?.status ?? 'gone'}` });
    return { order: id, lines: [`${order.seats ?? 0} seats`], cents, at: new Date(call.now()).toISOString() };
  },
});
