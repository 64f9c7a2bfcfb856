/** SQLite's errors as Faults. Its texts go into the log alone. */
import { SQLiteError } from 'bun:sqlite';
import { Fault } from '../../../../shared/wire/fault.ts';

export const retryAfterOneSecond = { 'retry-after': '1' } as const;

export function isBusy(error: unknown): boolean {
  return (
    error instanceof SQLiteError && (error.code?.startsWith('SQLITE_BUSY') === true || error.code?.startsWith('SQLITE_LOCKED') === true)
  );
}

export function isConstraint(error: unknown): error is SQLiteError {
  return error instanceof SQLiteError && error.code?.startsWith('SQLITE_CONSTRAINT') === true;
}

export function storeBusy(cause: unknown): Fault {
  return new Fault('store_busy', { detail: 'another process is writing', headers: retryAfterOneSecond, cause });
}

export function storeClosed(): Fault {
  return new Fault('store_unavailable', { detail: 'the store is closing', headers: retryAfterOneSecond });
}

export function deadlineExceeded(): Fault {
  return new Fault('deadline_exceeded', { detail: 'the store did not answer in time' });
}

export function mustBeInTime(now: number, deadline: number): void {
  if (now >= deadline) throw deadlineExceeded();
}

/** What is no Fault and no error of SQLite is a mistake in code and passes unchanged. */
export function toStoreFault(error: unknown): unknown {
  if (!(error instanceof SQLiteError)) return error;
  if (isBusy(error)) return storeBusy(error);
  return new Fault('store_unavailable', { headers: retryAfterOneSecond, cause: error, facts: { code: error.code } });
}

/** Our own checks come before the database's, so this is a constraint that others put there. */
export function toRefusal(error: SQLiteError): Fault {
  return new Fault('document_conflict', { detail: 'a constraint of the database refuses this document', cause: error });
}
