/** Every bound of the store, with its unit in its name. What happens at the bound stands beside it. */
export const storeLimits = {
  /** Objects and arrays inside one another; a deeper document is refused. MongoDB's bound; SQLite's is 1 000. */
  documentLevelsMax: 100,
  /** Write calls waiting for a commit; one more is refused as `overloaded`. A second of full load. */
  writesQueuedMax: 10_000,
  /** Mutations that share one commit; the rest wait for the next. Holds the event loop about 5 ms. */
  groupMutationsMax: 256,
  /** Bytes of documents that become text in one go, some 2 ms; other requests have their turn before the next. */
  bsonBytesAtOnceMax: 1_048_576,
  /** Branches of one list (alternatives of the rule × values of each `in`); more is `query_invalid`. */
  branchesMax: 128,
  /** Prepared list statements kept; the least recently used is finalized. */
  statementsKeptMax: 256,
  /** Index entries of an aggregate's walk that SQLite groups in one go, some 2 ms; others have their turn before the next. */
  tallyEntriesMax: 500,
  /** The same where each entry is told by itself, since its document may be met twice. */
  tallyRowsMax: 500,
  /** The same where each document's array is read. */
  tallyDocumentsMax: 100,
  /** Characters of documents that are kept in memory, what they need beside their text among it: some 16 MB. */
  keptDocumentsCharactersMax: 16_777_216,
  /** Changes since the last look that are looked at one by one; more forget all kept documents, which costs less. */
  keptDocumentsChangesMax: 64,
  /** SQLite's write-ahead log while a state is held, since it cannot be begun anew meanwhile; past it the state is given up. */
  heldLogBytesMax: 1_073_741_824,
  /** The same of a file that processes share, looked at every 5 s; past it the log is begun anew. */
  sharedWalBytesMax: 67_108_864,
  /** The longest that this keeps the event loop, and writers, waiting for those who read. */
  walRestartMsMax: 100,
  /** SQLite's own wait for a lock, which freezes the event loop; after it the wait is asynchronous. */
  lockedMsMax: 3,
  /** The wait of a backup, a process of its own, for a checkpoint of the origin's; past it the backup fails. */
  backupLockedMsMax: 10_000,
  /** The time between two tries for the write lock. */
  lockRetryMs: 10,
  /** Where processes share the file each tries often, and one that has much to write lets a try of another through. */
  sharedTurns: { retryMs: 1, pauseMs: 2 },
  /** The time between two looks for commits of other processes. */
  pollMs: 20,
  /** The time between two looks whether the file is still the one that was opened. */
  fileCheckMs: 1_000,
  /** A watcher gets a batch, if only an empty one, at least this often. */
  watermarkMs: 100,
  /** Changes of one batch; a reader that is behind takes several. */
  batchChangesMax: 500,
  /** Characters of the images of one batch, or one change if that alone is longer: what a reader holds at once. */
  batchCharactersMax: 4_000_000,
  /** How far back a cursor can resume. The newest entry older than this stays, so that an idle one can too. */
  historyMs: 24 * 3_600_000,
  /**
   * Default size of SQLite's change log: 2 million changes of 0.5 KB. Past it the oldest entries go, whatever their age;
   * this is looked at every 5 s, so the log may be over by what comes in between.
   */
  logBytesMax: 1_073_741_824,
  /** How long idempotency records are kept; a key used again later is a new one. */
  onceMs: 24 * 3_600_000,
  /**
   * Where SQLite's idempotency records take more room than the change log may, the oldest go early, but none younger than
   * this: clients that try again do so within minutes.
   */
  onceMsMin: 3_600_000,
  /** Records whose sizes are looked up in one go: each is a page of its own, half a millisecond of work when they are not in memory. */
  recordsCountedMax: 100,
  /** The time between two rounds of tidying: expired nonces, old records, old history. */
  tidyMs: 5_000,
  /** Rows that one round deletes of each kind in one commit; a full round is followed by another at once. */
  tidyRowsMax: 1_000,
  /** Bytes of history that one round deletes, or one entry if that alone is longer: 4 MB of freed pages hold the event loop about 5 ms. */
  tidyBytesMax: 4_194_304,
  /** Documents of a resource that `npm run plan` reads unless told to read all: some tenths of a second. */
  examinedMax: 1_000,
  /** Documents whose unique keys it compares unless told to read all: about a second. */
  keysComparedMax: 100_000,
  /** The longest wait of the store's own writes (cursors, tidying), which carry no request's deadline. */
  ownWriteMsMax: 10_000,
} as const;
