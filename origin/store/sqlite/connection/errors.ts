/** SQLite's errors as Faults. Its texts go into the log alone. */
import { SQLiteError } from 'bun:sqlite';
import { StoreNotReady } from '../../not-ready.ts';
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
  const detail = troubleOf(error);
  return new Fault('store_unavailable', {
    ...(detail === undefined ? {} : { detail }), headers: retryAfterOneSecond, cause: error, facts: { code: error.code },
  });
}

/** By the beginning of the code (https://sqlite.org/rescode.html): what is the matter with the file or its disk. */
const troubles: readonly (readonly [code: string, trouble: string])[] = [
  ['SQLITE_FULL', 'the disk is full'], ['SQLITE_READONLY', 'the database file is read-only'],
  ['SQLITE_CANTOPEN', 'the file cannot be opened'],
  ['SQLITE_CORRUPT', 'the database file is damaged'], ['SQLITE_NOTADB', 'the database file is damaged'], ['SQLITE_IOERR', 'the disk fails'],
];

/** `undefined` for what passes by itself, or is no matter of the file. */
export function troubleOf(error: unknown): string | undefined {
  if (!(error instanceof SQLiteError)) return undefined;
  return troubles.find(([code]) => error.code?.startsWith(code) === true)?.[1];
}

/** A start that fails by the file or its disk, as a refusal that says what is to be done. */
export function toStartError(error: unknown, dataDir: string): unknown {
  const cause = error instanceof Fault ? error.cause : error;
  const trouble = troubleOfDisk(cause);
  if (trouble === undefined) return error;
  return new StoreNotReady(dataDir, [`${trouble}; npm run doctor looks at it, and npm run restore -- FILE puts a backup in its place`]);
}

/** Of SQLite or the system: what is the matter with the file or its disk. */
export function troubleOfDisk(error: unknown): string | undefined {
  return troubleOf(error) ?? (isOfDisk(error) ? error.message : undefined);
}

function isOfDisk(cause: unknown): cause is Error {
  return cause instanceof Error && 'code' in cause && ['EROFS', 'EACCES', 'EPERM', 'ENOSPC'].includes(String(cause.code));
}

/** Our own checks come before the database's, so this is a constraint that others put there. */
export function toRefusal(error: SQLiteError): Fault {
  return new Fault('document_conflict', { detail: 'a constraint of the database refuses this document', cause: error });
}
