/** Who takes the money. Yours stands in the place of the one below, and asks its provider by the call's `fetch`. */
import type { Environment } from '../../shared/settings/reader.ts';
import { Fault } from '../../shared/wire/fault.ts';

export interface Payments {
  /** Charges a reference at most once: asked again, it says yes to the charge that there is. False: the card was refused. */
  charge(charge: Charge): Promise<boolean>;
  /** Gives back what was charged for the reference, if anything was. */
  refund(reference: string): Promise<void>;
}

interface Charge {
  readonly reference: string;
  readonly card: string;
  readonly cents: number;
  readonly signal: AbortSignal;
}

/** No real one is declared: in production nobody pays. */
export function paymentsOf(environment: Environment): Payments {
  if (environment === 'development') return embedded;
  throw new Fault('misconfigured', { detail: 'no payment provider is set up', facts: { see: 'origin/endpoints/payments.ts' } });
}

/** Development's, in this process and without money: the card `tok_ok` pays, every other is refused. */
const charged = new Set<string>();
/** The oldest is forgotten first. */
const chargesKept = 1_000;

const embedded: Payments = {
  async charge({ reference, card }) {
    if (charged.has(reference)) return true;
    if (card !== 'tok_ok') return false;
    const [oldest] = charged;
    if (charged.size >= chargesKept && oldest !== undefined) charged.delete(oldest);
    charged.add(reference);
    return true;
  },
  async refund(reference) {
    charged.delete(reference);
  },
};
