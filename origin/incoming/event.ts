/** What is done about the events of a source: a job each, declared in a file of `origin/jobs` and named in its `all.ts`. */
import * as z from 'zod';
import type { Source } from '../../shared/incoming/source.ts';
import type { Job } from '../job-queue/job.ts';

/** The payload of such a job. */
export const incomingEvent = z.object({
  /** As the provider calls them, where it does. */
  id: z.string().optional(), type: z.string().optional(),
  /** When it was taken, an RFC 3339 date and time. */
  at: z.string(),
  body: z.record(z.string(), z.unknown()),
});

export interface Incoming {
  readonly source: Source;
  readonly job: Job<typeof incomingEvent>;
}
