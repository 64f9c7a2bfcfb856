/** The team's own jobs, and when they are enqueued by themselves. A new one is a file beside this, and a word here. */
import type { Job } from '../job-queue/job.ts';
import type { Schedule } from '../job-queue/schedule.ts';
import { payments } from '../../shared/endpoints/sources.ts';
import type { Incoming } from '../incoming/event.ts';
import { ordersReceipt } from './orders-receipt.ts';
import { paymentsEvent } from './payments-event.ts';

export const jobs: readonly Job[] = [ordersReceipt, paymentsEvent];

/** The job that each source's events become (`shared/endpoints/sources.ts`). */
export const incoming: readonly Incoming[] = [{ source: payments, job: paymentsEvent }];

export const schedules: readonly Schedule[] = [];
