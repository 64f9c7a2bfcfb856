/** The operations of `shared/usage`, by the names of their rows. */
import { alertIn, type usageOperations as rows } from '../../shared/usage/operations.ts';
import type { UsageAccess } from '../access/usage-access.ts';
import type { Call } from '../call.ts';

export const usageHandlers = {
  noteUsageAlert: (access: UsageAccess, { body }: Call<typeof rows.noteUsageAlert>) => access.noteAlert(alertIn(body.value)),
} as const;
