/** The driver's errors as Faults, all of them here. Their texts go into the log alone. */
import { MongoBulkWriteError, MongoError, MongoServerError } from 'mongodb';
import { documentInvalid } from '../../../../shared/contract/documents.ts';
import { toConflict } from '../../conflict.ts';
import { Fault, type FieldError } from '../../../../shared/wire/fault.ts';
import { type Mending, mendings, passingCodes } from './server-codes.ts';

/** Server error codes that mean something here: mongo/base/error_codes.yml. */
export const codes = {
  badValue: 2, unauthorized: 13, authenticationFailed: 18, namespaceNotFound: 26, indexNotFound: 27, cursorNotFound: 43,
  namespaceExists: 48, maxTimeMsExpired: 50, indexOptionsConflict: 85, indexKeySpecsConflict: 86, documentValidation: 121,
  parallelArrays: 171, databaseDropPending: 215, snapshotTooOld: 239, snapshotUnavailable: 246, invalidResumeToken: 260,
  changeStreamFatal: 280, changeStreamHistoryLost: 286, duplicateKey: 11_000, backgroundOperationInProgress: 12_587,
} as const;

const retryAfterOneSecond = { 'retry-after': '1' } as const;

export function codeOf(error: unknown): number | undefined {
  if (!(error instanceof MongoServerError)) return undefined;
  // The driver puts words of its own over a write's code 20, and keeps the server's error inside.
  const code = error.code ?? at(at(error.errorResponse, 'originalError'), 'code');
  // An answer that was asked for with its types has a code that is no plain number.
  return code === undefined ? undefined : Number(code);
}

export function hasLabel(error: unknown, label: string): boolean {
  return error instanceof MongoError && error.hasErrorLabel(label);
}

export function storeUnavailable(cause: unknown, detail?: string): Fault {
  return new Fault('store_unavailable', {
    headers: retryAfterOneSecond,
    cause,
    ...(detail === undefined ? {} : { detail }),
    facts: { code: codeOf(cause) },
  });
}

export function deadlineExceeded(cause?: unknown): Fault {
  return new Fault('deadline_exceeded', { detail: 'the store did not answer in time', cause });
}

/** Whether the same may succeed when it is tried again: elections, lost connections, a pool that is cleared, a server under load. */
export function isPassing(error: unknown): boolean {
  return (
    hasLabel(error, 'TransientTransactionError') ||
    hasLabel(error, 'RetryableWriteError') ||
    hasLabel(error, 'ResumableChangeStreamError') ||
    passingCodes.has(codeOf(error) ?? 0) ||
    isUnreachable(error)
  );
}

/** What is neither a Fault nor an error of the driver is a mistake in code and passes unchanged. */
export function toStoreFault(error: unknown): unknown {
  if (!(error instanceof MongoError)) return error;
  if (codeOf(error) === codes.maxTimeMsExpired) return deadlineExceeded(error);
  if (codeOf(error) === codes.duplicateKey) return toConflict(Object.keys(Object(at(error, 'keyPattern'))), error);
  if (isPassing(error)) return storeUnavailable(error);
  const code = codeOf(error);
  const mending = mendings.get(code ?? 0);
  if (mending !== undefined) return storeRefused(error, mending);
  return new Fault('unknown', { cause: error, facts: { code } });
}

/** What is to be mended is for the log: a caller learns nothing of the server. */
function storeRefused(error: MongoError, { name, todo }: Mending): Fault {
  return new Fault('store_refused', {
    detail: 'the database does not let Tombolo do this; the log of the origin says what is to be mended',
    headers: { 'retry-after': '60' },
    cause: error,
    facts: { code: codeOf(error), name, said: error.message, todo },
  });
}

/** Whether there was no primary, or no connection to it, after the whole wait for one. */
export function isOutOfReach(error: unknown): boolean {
  return error instanceof MongoError && (error.name === 'MongoServerSelectionError' || error.name === 'MongoWaitQueueTimeoutError');
}

const unreachableNames = [
  'Network', 'NetworkTimeout', 'ServerSelection', 'PoolCleared', 'PoolClosed', 'WaitQueueTimeout', 'Topology', 'TopologyClosed',
  'NotConnected', 'ClientClosed', 'ConnectionClosed',
];
const unreachable = new RegExp(`^Mongo(${unreachableNames.join('|')})\\w*Error$`);

/** Whether it is an election or a lost connection, by name, because the driver does not export every class. */
export function isUnreachable(error: unknown): boolean {
  return error instanceof MongoError && (unreachable.test(error.name) || notPrimary.has(codeOf(error) ?? 0));
}

/** NotWritablePrimary, InterruptedAtShutdown, InterruptedDueToReplStateChange, PrimarySteppedDown, and their kin. */
const notPrimary: ReadonlySet<number> = new Set([6, 7, 89, 91, 189, 262, 9001, 10107, 11600, 11602, 13435, 13436]);

export interface WriteFailure {
  /** The index of the write in the command. */
  readonly index: number;
  readonly code: number;
  readonly errmsg: string | undefined;
  readonly errInfo: unknown;
}

/** `undefined`: the command failed, not one of its writes. */
export function firstWriteError(error: unknown): WriteFailure | undefined {
  if (!(error instanceof MongoBulkWriteError)) return undefined;
  const [first] = Array.isArray(error.writeErrors) ? error.writeErrors : [error.writeErrors];
  return first && { index: first.index, code: first.code, errmsg: first.errmsg, errInfo: first.err.errInfo };
}

/** The error of a bulk write that failed as a whole: the driver wraps it, under another name. */
export function withoutBulk(error: unknown): unknown {
  return error instanceof MongoBulkWriteError && error.errorResponse instanceof MongoError ? error.errorResponse : error;
}

/** The unique index that has the value already: all that the message of a duplicate tells for sure. Values in it may look like fields. */
export function indexNameIn(message: string | undefined): string | undefined {
  return /index: (.+?) dup key: /.exec(message ?? '')?.[1];
}

const refused: FieldError = { at: '', in: 'body', detail: 'the database refuses this document' };

/**
 * A document that the server refuses for a reason of its own, such as an index that others made; `undefined` where the code says
 * that something else is wrong. The code alone goes into the log: some of the words quote the value.
 */
export function toRefusal({ code }: WriteFailure): Fault | undefined {
  if (code === codes.maxTimeMsExpired || passingCodes.has(code) || mendings.has(code)) return undefined;
  const { detail = '', errors } = documentInvalid([refused]);
  return new Fault('document_invalid', { detail, errors, facts: { code } });
}

/** A document that the collection's validator refuses, with the path of each place that it names. */
export function toInvalid(errInfo: unknown): Fault {
  const found = toPlaces(arrayAt(errInfo, 'details', 'schemaRulesNotSatisfied'), '');
  const places = [...new Map(found.map((place) => [place.at, place])).values()];
  return documentInvalid(places.length > 0 ? places : [refused]);
}

const typeRules: readonly unknown[] = ['bsonType', 'type', 'multipleOf'];

/** `schemaRulesNotSatisfied` and what is inside its properties and items. */
function toPlaces(rules: readonly unknown[], path: string): readonly FieldError[] {
  return rules.flatMap((rule): readonly FieldError[] => {
    const name = at(rule, 'operatorName');
    const inner = [
      ...arrayAt(rule, 'propertiesNotSatisfied').flatMap((property) =>
        toPlaces(arrayAt(property, 'details'), `${path}/${toPointerPart(at(property, 'propertyName'))}`),
      ),
      ...arrayAt(rule, 'missingProperties').map((missing): FieldError => ({
        at: `${path}/${toPointerPart(missing)}`,
        in: 'body',
        detail: 'is required',
      })),
      ...(name === 'items' ? toPlaces(arrayAt(rule, 'details'), `${path}/${String(at(rule, 'itemIndex'))}`) : []),
    ];
    if (inner.length > 0) return inner;
    const detail = typeRules.includes(name) ? 'does not have its declared type' : `breaks the rule ${String(name)} of the database`;
    return [{ at: path, in: 'body', detail }];
  });
}

/** A part of a JSON Pointer (RFC 6901 §3). */
function toPointerPart(name: unknown): string {
  return String(name).replaceAll('~', '~0').replaceAll('/', '~1');
}

function arrayAt(value: unknown, ...path: readonly string[]): readonly unknown[] {
  const found = path.reduce(at, value);
  return Array.isArray(found) ? found : [];
}

function at(value: unknown, key: string): unknown {
  return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>)[key] : undefined;
}
