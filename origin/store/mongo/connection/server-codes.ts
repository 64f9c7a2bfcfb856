/**
 * What error codes of a server mean here, by their names in mongo/base/error_codes.yml of the server's source (8000 is
 * Atlas's own, 16500 that of Cosmos DB). A code that stands in neither table is a mistake of Tombolo's and answered as
 * one, unless it blames one document of a write, which is refused.
 */

/** What is over by itself: the same may succeed when it is asked again. */
export const passingCodes: ReadonlyMap<number, string> = new Map(Object.entries({
  HostUnreachable: 6, HostNotFound: 7, LockTimeout: 24, CursorNotFound: 43, LockBusy: 46, NetworkTimeout: 89, ShutdownInProgress: 91,
  NotYetInitialized: 94, WriteConflict: 112, ConflictingOperationInProgress: 117, FailedToSatisfyReadPreference: 133,
  ReadConcernMajorityNotAvailableYet: 134, CursorInUse: 143, InitialSyncActive: 164, QueryPlanKilled: 175, PrimarySteppedDown: 189,
  NetworkInterfaceExceededTimeLimit: 202, TooManyLocks: 208, DatabaseDropPending: 215, ElectionInProgress: 216, IndexModified: 221,
  RetryChangeStream: 234, CursorKilled: 237, SnapshotTooOld: 239, SnapshotUnavailable: 246, NoSuchTransaction: 251,
  TooManyLogicalSessions: 261, ExceededTimeLimit: 262, PreparedTransactionInProgress: 267, IndexBuildAborted: 276,
  TransactionExceededLifetimeLimitSeconds: 290, InterruptedDueToStorageChange: 355, TemporarilyUnavailable: 365,
  ResourceExhausted: 402, PooledConnectionAcquisitionExceededTimeLimit: 407, AdmissionQueueOverflow: 433,
  RateLimitExceeded: 449, PooledConnectionAcquisitionRejected: 450, IngressRequestRateLimitExceeded: 462, SocketException: 9_001,
  NotWritablePrimary: 10_107, InterruptedAtShutdown: 11_600, Interrupted: 11_601, InterruptedDueToReplStateChange: 11_602,
  BackgroundOperationInProgressForDatabase: 12_586, BackgroundOperationInProgressForNamespace: 12_587, NotPrimaryNoSecondaryOk: 13_435,
  NotPrimaryOrSecondary: 13_436, RequestRateTooLarge: 16_500, ClientMarkedKilled: 46_841,
}).map(([name, code]) => [code, name]));

/** What a person has to mend, and how. */
export interface Mending {
  readonly name: string;
  readonly todo: string;
}

const roles = 'readWrite and dbAdmin on the database are enough';
const rights = `grant the user of MONGODB_URI what it lacks: ${roles}`;
const login = 'look at the user and the password of MONGODB_URI, and whether authSource names the database that the user is kept in';
const compatible = 'Tombolo needs a replica set of MongoDB 7.0 or newer, with transactions and change streams; others only speak alike';
const memory = 'the query is past what the server lets one have of memory: a smaller limit or documents, or a larger ' +
  'internalQueryMaxBlockingSortMemoryUsageBytes (setParameter)';
const members = 'a majority of the members that bear data has to be up: rs.status() in mongosh tells which is not';

export const mendings: ReadonlyMap<number, Mending> = new Map(Object.entries({
  UserNotFound: [11, login],
  Unauthorized: [13, rights],
  AuthenticationFailed: [18, login],
  IllegalOperation: [20, compatible],
  RoleNotFound: [31, rights],
  CommandNotFound: [59, compatible],
  AuthSchemaIncompatible: [69, login],
  UnknownReplWriteConcern: [79, 'the settings of the replica set (rs.conf()) name no such write concern'],
  InvalidReplicaSetConfig: [93, 'the configuration of the replica set is invalid or does not name this server: rs.conf() in mongosh'],
  OperationFailed: [96, 'the server gave a command up; what it said stands beside this, and its own log has more'],
  UnsatisfiableWriteConcern: [100, members],
  CommandNotSupported: [115, compatible],
  ExceededMemoryLimit: [146, memory],
  ReadConcernMajorityNotEnabled: [148, 'start mongod without enableMajorityReadConcern: false'],
  CommandNotSupportedOnView: [166, 'a collection has become a view; Tombolo serves collections'],
  OptionNotSupportedOnView: [167, 'a collection has become a view; Tombolo serves collections'],
  AuthenticationRestrictionUnmet: [214, 'the user of MONGODB_URI may not come from this address: see its authenticationRestrictions'],
  NotImplemented: [238, compatible],
  TransactionTooLarge: [257, 'one write is past what a transaction may hold; a smaller one'],
  OperationNotSupportedInTransaction: [263, compatible],
  TooManyFilesOpen: [264, 'raise the limit of open files of mongod (ulimit -n)'],
  QueryExceededMemoryLimitNoDiskUseAllowed: [292, memory],
  DataCorruptionDetected: [301, 'the server found damaged data: validate() in mongosh, then a restore or a new initial sync'],
  APIStrictError: [323, 'the server demands a version of its API (requireApiVersion or apiStrict); let it take commands without one'],
  MechanismUnavailable: [334, `the server does not know the authMechanism of MONGODB_URI; ${login}`],
  UserWritesBlocked: [371, 'writes are blocked for all users, as during a migration: setUserWriteBlockMode lifts it'],
  TransactionTooLargeForCache: [388, 'one write is past what the cache of the server holds; a smaller one, or more memory for mongod'],
  AtlasError: [8_000, `Atlas refuses it. ${rights}, at Database Access; ${login}; and this address stands under Network Access`],
  OutOfDiskSpace: [14_031, 'the disk of the server is full'],
} satisfies Record<string, readonly [number, string]>).map(([name, [code, todo]]) => [code, { name, todo }]));
