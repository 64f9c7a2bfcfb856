/** The team's own jobs, and when they are enqueued by themselves. A new one is a file beside this, and a word here. */
import type { Job } from '../job-queue/job.ts';
import type { Schedule } from '../job-queue/schedule.ts';
import { ordersReceipt } from './orders-receipt.ts';

export const jobs: readonly Job[] = [ordersReceipt];

export const schedules: readonly Schedule[] = [];
