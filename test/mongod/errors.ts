// Errors as a mongod says them: a code, its name, a message, and the facts that ride along.
import type { Doc } from './values/types.ts';

export const CODES = {
  InternalError: 1, BadValue: 2, HostUnreachable: 6, HostNotFound: 7, FailedToParse: 9, Unauthorized: 13, TypeMismatch: 14, InvalidLength: 16,
  AuthenticationFailed: 18, IllegalOperation: 20, LockTimeout: 24, NamespaceNotFound: 26, IndexNotFound: 27, PathNotViable: 28,
  ConflictingUpdateOperators: 40, CursorNotFound: 43, NamespaceExists: 48, MaxTimeMSExpired: 50, DollarPrefixedFieldName: 52, InvalidIdField: 53, NotSingleValueField: 54, EmptyFieldName: 56, CommandNotFound: 59,
  WriteConcernTimeout: 64, ImmutableField: 66, CannotCreateIndex: 67, InvalidOptions: 72, InvalidNamespace: 73,
  IndexOptionsConflict: 85, IndexKeySpecsConflict: 86, NetworkTimeout: 89, ShutdownInProgress: 91,
  UnsatisfiableWriteConcern: 100, OperationFailed: 96, WriteConflict: 112, InvalidIndexSpecificationOption: 197,
  DocumentValidationFailure: 121, CannotIndexParallelArrays: 171, InvalidPipelineOperator: 168, PrimarySteppedDown: 189,
  TransactionTooOld: 225, NotImplemented: 238, SnapshotTooOld: 239, SnapshotUnavailable: 246,
  NoSuchTransaction: 251, TransactionCommitted: 256, TransactionTooLarge: 257, InvalidResumeToken: 260, ExceededTimeLimit: 262,
  OperationNotSupportedInTransaction: 263, ChangeStreamFatalError: 280, ChangeStreamHistoryLost: 286,
  NoMatchingDocument: 47, NoSuchKey: 4, QueryExceededMemoryLimitNoDiskUseAllowed: 292, RetryChangeStream: 234,
  NoQueryExecutionPlans: 291, IncompleteTransactionHistory: 217, InvalidUUID: 207, CollectionUUIDMismatch: 361, OptionNotSupportedOnView: 167, CommandNotSupportedOnView: 166,
  StaleConfig: 13388, NotWritablePrimary: 10107, BSONObjectTooLarge: 10334, DuplicateKey: 11000, InterruptedAtShutdown: 11600, Interrupted: 11601,
  InterruptedDueToReplStateChange: 11602, NotPrimaryNoSecondaryOk: 13435, NotPrimaryOrSecondary: 13436, ClientMarkedKilled: 46841,
  ReadConcernMajorityNotAvailableYet: 134, SocketException: 9001, StaleEpoch: 150,
  CommandNotSupported: 115, UserNotFound: 11, ClientMetadataCannotBeMutated: 186, InvalidSeedList: 0,
} as const;

type CodeName = keyof typeof CODES;

const NAMES = new Map<number, string>(Object.entries(CODES).map(([name, code]) => [code, name]));

export const codeName = (code: number): string => NAMES.get(code) ?? `Location${code}`;

export class MongoFault extends Error {
  readonly code: number;
  readonly facts: Doc;
  labels: string[] | null = null; // null: the usual rules give the labels
  onChangeStream = false;

  constructor(code: number, message: string, facts: Doc = {}) {
    super(message);
    this.code = code;
    this.facts = facts;
  }
}

export function fail(reason: CodeName | number, message: string, facts: Doc = {}): MongoFault {
  return new MongoFault(typeof reason === 'number' ? reason : CODES[reason], message, facts);
}

// A write met a document that an open transaction holds: outside transactions the writer waits for `blocker`.
export class WriteConflictFault extends MongoFault {
  readonly blocker: Promise<void> | null;
  constructor(blocker: Promise<void> | null) {
    super(CODES.WriteConflict, 'Caused by :: Write conflict during plan execution and yielding is disabled. :: Please retry your operation or multi-document transaction.');
    this.blocker = blocker;
  }
}

const RETRYABLE = new Set<number>([11600, 11602, 10107, 13435, 13436, 189, 91, 7, 6, 89, 9001, 262]);
const TRANSIENT = new Set<number>([112, 246, 251, 24, 267, 239]);
export const isRetryableCode = (code: number): boolean => RETRYABLE.has(code);
export const isTransientCode = (code: number): boolean => TRANSIENT.has(code);
