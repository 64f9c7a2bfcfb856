/** Who sends webhooks to us. A new one is a line here, and what is done about its events a file of `origin/jobs`. */
import type { Source } from '../incoming/source.ts';

/** The provider that takes the money, as Stripe signs. */
export const payments: Source = { name: 'payments', form: 'stripe' };

export const sources: readonly Source[] = [payments];
