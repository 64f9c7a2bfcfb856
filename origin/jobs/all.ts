/** The team's own jobs. A new one is a file beside this, and a word here. */
import type { Job } from '../job-queue/job.ts';
import { ordersReceipt } from './orders-receipt.ts';

export const jobs: readonly Job[] = [ordersReceipt];
