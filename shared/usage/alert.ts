/** An alert: that 80 or 100 % of a quota are used. Each is a document of the resource `usage-alerts`, where that is served. */
import * as z from 'zod';
import { integer } from '../contract/types.ts';

export const usageAlertsName = 'usage-alerts';

/** What is told of it, beside whose it is. */
export const alertFields = {
  /** The API key that is counted alone; absent: all that the subject asks is counted together, or all of the tenant. */
  key: z.string().max(64).optional(),
  plan: z.string().max(32).meta({ examples: ['partner'] }),
  /** So many percent of `quota` are used. */
  share: integer().min(1).max(100).meta({ examples: [80] }),
  quota: integer().min(1),
  /** The first day of the calendar month, in UTC. */
  month: z.iso.date().meta({ examples: ['2026-11-01'] }),
};
