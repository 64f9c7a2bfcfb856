import * as z from 'zod';
import { owner } from '../contract/rules.ts';
import { integer } from '../contract/types.ts';
import { endpoint } from '../operations/endpoint.ts';
import { orders } from '../resources/orders.ts';

export const ordersPay = endpoint({
  name: 'orders-pay',
  summary: 'Pays a placed order, once, with a card that the payment provider knows by its token.',
  of: orders,
  at: '/:id/pay',
  method: 'POST',
  answers: 'effect',
  rule: owner('buyer'),
  input: z.object({ card: z.string().regex(/^tok_[a-z]{1,40}$/) }),
  /** `receipt` is the job that writes it: its result, once it is done. */
  output: z.object({ order: z.uuid(), status: z.literal('paid'), cents: integer().positive(), receipt: z.uuid() }),
});
