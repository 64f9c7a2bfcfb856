import * as z from 'zod';
import { signedIn } from '../../shared/contract/rules.ts';
import { orders } from '../../shared/resources/orders.ts';
import { screenings } from '../../shared/resources/screenings.ts';
import { Fault } from '../../shared/wire/fault.ts';
import { paymentsOf } from '../endpoints/payments.ts';
import { workflow } from '../workflow-engine/workflow.ts';

const centsPerSeat = 1_250;
const paid = z.object({ cents: z.int(), seats: z.int() });

/** A placed order from its payment to its receipt. Whatever fails on the way, the money and the seats are given back. */
export const order = workflow({
  name: 'order',
  input: z.strictObject({ order: z.uuid(), screening: z.uuid(), card: z.string().regex(/^tok_[a-z]{1,40}$/), mail: z.email() }),
  start: signedIn,
  steps: [
    {
      name: 'payment',
      async run(call, { input, owner, key }) {
        const found = await call.get(orders, input.order);
        // All of this is done as the system: what the input names must be its owner's.
        if (found === undefined || found.buyer !== owner) throw new Fault('document_not_found', { detail: 'you have no such order' });
        const { seats = 0 } = found;
        const cents = seats * centsPerSeat;
        const { card } = input;
        if (!(await paymentsOf(call.environment).charge({ reference: key, card, cents, signal: call.signal }))) {
          throw new Fault('endpoint_refused', { detail: 'the card was refused' });
        }
        const pay = call.merge(orders, input.order, ({ status }) => (mustBePlaced(status), { status: 'paid' }));
        return { writes: [pay], result: { cents, seats } };
      },
      async undo(call, { input, key, isDone }) {
        await paymentsOf(call.environment).refund(key);
        const back = call.merge(orders, input.order, ({ status }) => (status === 'paid' ? { status: 'placed' } : {}));
        return isDone && (await call.get(orders, input.order)) !== undefined ? { writes: [back] } : {};
      },
    },
    {
      name: 'seats',
      async run(call, { input, result }) {
        const { seats } = result('payment', paid);
        return {
          writes: [call.merge(screenings, input.screening, ({ seatsLeft = 0 }) => {
            if (seatsLeft < seats) throw new Fault('document_conflict', { detail: `${seatsLeft} seats are left` });
            return { seatsLeft: seatsLeft - seats };
          })],
        };
      },
      async undo(call, { input, isDone, result }) {
        if (!isDone || (await call.get(screenings, input.screening)) === undefined) return {};
        const { seats } = result('payment', paid);
        return { writes: [call.merge(screenings, input.screening, ({ seatsLeft = 0 }) => ({ seatsLeft: seatsLeft + seats }))] };
      },
    },
    {
      name: 'receipt',
      async run(call, { input, key, result }) {
        const { cents, seats } = result('payment', paid);
        const text = `Order ${input.order}: ${seats} seats, ${(cents / 100).toFixed(2)} EUR, paid.`;
        await call.mail({ to: input.mail, subject: 'Your receipt', text, id: key });
        return {};
      },
    },
  ],
});

function mustBePlaced(status: string | undefined): void {
  if (status !== 'placed') throw new Fault('document_conflict', { detail: `the order is ${status ?? 'not placed'}` });
}
