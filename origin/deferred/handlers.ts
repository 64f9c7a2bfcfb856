/** The operations of `shared/deferred`, by the names of their rows. */
import type { DeferredAccess } from '../access/deferred-access.ts';

export const deferredHandlers = {
  getOperation: (access: DeferredAccess) => access.get(),
  cancelOperation: (access: DeferredAccess) => access.cancel(),
  getResult: (access: DeferredAccess) => access.result(),
} as const;
