/** The operation of `shared/incoming`, by the name of its row. */
import type { incomingOperations as rows } from '../../shared/incoming/operations.ts';
import type { IncomingAccess } from '../access/incoming-access.ts';
import type { Call } from '../call.ts';

export const incomingHandlers = {
  receive: (access: IncomingAccess, call: Call<typeof rows.receive>) => access.receive(call),
} as const;
