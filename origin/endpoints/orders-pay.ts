import type { ordersPay as declared } from '../../shared/endpoints/orders-pay.ts';
import { orders } from '../../shared/resources/orders.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { DocumentOf } from '../access/document-of.ts';
import type { EndpointHandler } from '../access/own-answer.ts';
import { ordersReceipt } from '../jobs/orders-receipt.ts';
import { type Payments, paymentsOf } from './payments.ts';

const centsPerSeat = 1_250;

/**
 * The card is charged before the write, since no transaction waits for another company; the order is the charge's reference,
 * so a charge that a crash left without its write is found again by the next try, and is never made twice. Where the order
 * cannot be paid any more by then, the money goes back.
 */
export const ordersPay: EndpointHandler<typeof declared> = async (call) => {
  const { id, document: order, input: { card } } = call;
  mustBePlaced(order);
  const cents = (order.seats ?? 0) * centsPerSeat;
  const payments = paymentsOf(call.environment);
  if (!(await payments.charge({ reference: id, card, cents, signal: call.signal }))) {
    throw new Fault('endpoint_refused', { detail: 'the card was refused', members: { refused: 'card' } });
  }
  // Members may not change an order; its buyer may do this to it, and nothing else.
  const pay = call.asSystem.merge(orders, id, (seen) => (mustBePlaced(seen), { status: 'paid' }));
  const receipt = call.enqueue(ordersReceipt, { order: id, cents });
  const toAnswer = (made: { readonly id: string }) => ({ order: id, status: 'paid' as const, cents, receipt: made.id });
  return call.write([pay, receipt], ([, made]) => toAnswer(made)).catch(async (thrown: unknown) => {
    await giveBack(payments, id, await call.asSystem.get(orders, id));
    throw thrown;
  });
};

function mustBePlaced({ status }: DocumentOf<typeof orders>): void {
  if (status !== 'placed') throw new Fault('document_conflict', { detail: `the order is ${status ?? 'not placed'}` });
}

/** Only of an order that will never be paid: another request may have paid this one with the same charge. */
async function giveBack(payments: Payments, reference: string, order: DocumentOf<typeof orders> | undefined): Promise<void> {
  if (order === undefined || order.status === 'cancelled') await payments.refund(reference);
}
