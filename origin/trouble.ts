/** What a line of the log says of a failure: what somebody has to mend in words, what nobody foresaw with its stack. */
import { Fault, levelOf } from '../shared/wire/fault.ts';

export function toTrouble(cause: unknown): Readonly<Record<string, unknown>> {
  if (!(cause instanceof Fault) || levelOf(cause.reason) === 'error') return { err: cause };
  const { reason, detail, facts } = cause;
  return { reason, detail, facts };
}
