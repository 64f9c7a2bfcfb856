/** The driver's errors as Faults, all of them here. Their texts go into the log alone. */
import { type AnyError, MongoError, MongoOperationTimeoutError, MongoServerError } from 'mongodb';
import { documentInvalid } from '../../../shared/contract/documents.ts';
import { Fault } from '../../../shared/contract/fault.ts';

/** Server error codes that mean something here: mongo/base/error_codes.yml. */
export const codes = {
  cursorNotFound: 43, namespaceExists: 48, maxTimeMsExpired: 50, indexKeySpecsConflict: 86, documentValidation: 121, parallelArrays: 171, databaseDropPending: 215,
  invalidResumeToken: 260, changeStreamFatal: 280, changeStreamHistoryLost: 286, duplicateKey: 11_000, backgroundOperationInProgress: 12_587,
} as const;

const retryAfterOneSecond = { 'retry-after': '1' } as const;

export function codeOf(error: unknown): number | undefined {
  return error instanceof MongoServerError && typeof error.code === 'number' ? error.code : undefined;
}

export function hasLabel(error: unknown, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label);
}

export function storeUnavailable(cause: unknown, detail?: string): Fault {
  return new Fault('store_unavailable', { headers: retryAfterOneSecond, cause, ...(detail === undefined ? {} : { detail }), facts: { code: codeOf(cause) } });
}

export function deadlineExceeded(cause?: unknown): Fault {
  return new Fault('deadline_exceeded', { detail: 'the store did not answer in time', cause });
}

/** Whether the same may succeed when it is tried again: elections, lost connections, a pool that is cleared. */
function isPassing(error: unknown): boolean {
  return hasLabel(error, 'TransientTransactionError') || hasLabel(error, 'RetryableWriteError') || hasLabel(error, 'ResumableChangeStreamError') || isUnreachable(error);
}

/** What is neither a Fault nor an error of the driver is a mistake in code and passes unchanged. */
export function toStoreFault(error: unknown): unknown {
  if (!(error instanceof MongoError)) return error;
  if (error instanceof MongoOperationTimeoutError || codeOf(error) === codes.maxTimeMsExpired) return deadlineExceeded(error);
  if (codeOf(error) === codes.duplicateKey) return toConflict(error);
  if (isPassing(error)) return storeUnavailable(error);
  return new Fault('unknown', { cause: error, facts: { code: codeOf(error) } });
}

/** No server that we may talk to, after the whole wait for one. */
export function isOutOfReach(error: unknown): error is MongoError {
  return error instanceof MongoError && error.name === 'MongoServerSelectionError';
}

const unreachable = /^Mongo(Network|NetworkTimeout|ServerSelection|PoolCleared|PoolClosed|WaitQueueTimeout|Topology|TopologyClosed|NotConnected|ClientClosed|ConnectionClosed)\w*Error$/;

/** Elections and lost connections. By name, because the driver does not export every class. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof MongoError && (unreachable.test(error.name) || notPrimary.has(codeOf(error) ?? 0));
}

/** NotWritablePrimary, InterruptedAtShutdown, InterruptedDueToReplStateChange, PrimarySteppedDown, and their kin. */
const notPrimary: ReadonlySet<number> = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

/** A mutation that the server refuses: why, for the caller. */
export function toRefusal(error: { readonly code?: unknown; readonly errmsg?: unknown; readonly errInfo?: unknown }): Fault {
  if (error.code === codes.documentValidation) return documentInvalid(toPaths(error.errInfo));
  return toConflict({ message: String(error.errmsg), cause: error });
}

function toConflict({ message, ...rest }: { readonly message: string; readonly cause?: unknown } | AnyError): Fault {
  const field = /dup key: \{ "?([\w.]+)"?:/.exec(message)?.[1];
  return new Fault('document_conflict', {
    detail: field === undefined ? 'another document has this unique value' : `another document has this ${field}`,
    ...(field === undefined ? {} : { errors: [{ at: `/${field.replaceAll('.', '/')}`, in: 'body', detail: 'is taken' }] }),
    cause: 'cause' in rest && rest.cause !== undefined ? rest.cause : message,
  });
}

/** `errInfo.details.schemaRulesNotSatisfied`: properties that fail, and required ones that are missing. */
function toPaths(errInfo: unknown): { readonly at: string; readonly in: 'body'; readonly detail: string }[] {
  const rules = arrayAt(errInfo, 'details', 'schemaRulesNotSatisfied');
  const failed = rules.flatMap((rule) => arrayAt(rule, 'propertiesNotSatisfied').map((property) => at(property, 'propertyName')));
  const missing = rules.flatMap((rule) => arrayAt(rule, 'missingProperties'));
  const found = [...failed.map((name) => [name, 'does not have its declared type'] as const), ...missing.map((name) => [name, 'is required'] as const)];
  if (found.length === 0) return [{ at: '', in: 'body', detail: 'the database refuses this document' }];
  return found.map(([name, detail]) => ({ at: `/${String(name)}`, in: 'body', detail }));
}

function arrayAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = path.reduce(at, value);
  return Array.isArray(found) ? found : [];
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}
