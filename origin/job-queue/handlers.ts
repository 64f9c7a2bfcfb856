/** The operations of `shared/jobs`, by the names of their rows. */
import type { jobOperations as rows } from '../../shared/jobs/operations.ts';
import type { JobsAccess } from '../access/jobs-access.ts';
import type { Call } from '../call.ts';

export const jobHandlers = {
  listJobs: (access: JobsAccess, { input }: Call<typeof rows.listJobs>) => access.listDead(input),
  getJob: (access: JobsAccess) => access.get(),
  cancelJob: (access: JobsAccess) => access.cancel(),
  retryJob: (access: JobsAccess) => access.retry(),
} as const;
