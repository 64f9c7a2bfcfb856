/** Bounds of read models. */
export const readModelLimits = {
  /** Documents of one source that a row is made of; a key of more has no row, and the log says so. */
  documentsOfKeyMax: 100_000,
  /** Documents of a key that are read at once. */
  pageMax: 1_000,
  /** Changes whose rows are committed together. */
  changesAtOnceMax: 50,
  /** Documents that a walk looks at before it commits their rows. */
  walkedAtOnce: 50,
  /** Keys that a walk knows it has made; past them it forgets all, and may make some again. */
  keysKnownMax: 100_000,
  /** Keys that the consumer makes beside one step of a walk; past them the step is done again. */
  keysBesideMax: 500,
  /** Rows that take the places of others in one write; of a model that has more, each takes its place when it is made. */
  switchedMax: 5_000,
  /** The time for that write; then it is tried again. */
  switchMsMax: 30_000,
  /** How soon it is seen that a model is to be rebuilt. */
  lookMs: 1_000,
  /** How soon it is seen that the consumer has come to what rows were made of. */
  behindMs: 50,
} as const;
