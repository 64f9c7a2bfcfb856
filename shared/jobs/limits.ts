/** Bounds of jobs, each with its unit in its name. */
export const jobLimits = {
  /** A payload as JSON; whoever enqueues a longer one is refused. What is large is a document, and the job has its id. */
  payloadBytesMax: 65_536,
  /** A result as JSON; an attempt that gives a longer one has failed. */
  resultBytesMax: 16_384,
  /** Characters of a failure that are kept and shown; the log has all of it. */
  errorCharactersMax: 300,
  /** Attempts that a job may declare: with the longest pauses between them they fill half a day. */
  attemptsMax: 50,
  /** An attempt may declare so much time; longer work is several jobs. */
  timeoutMsMax: 3_600_000,
  /** Attempts of one queue that a process may run at once. */
  concurrencyMax: 1_000,
  /** Attempts that the rate of a queue may allow in its period. */
  rateAttemptsMax: 100_000,
  /** The period of a rate: from a second to a day. */
  ratePerMsMin: 1_000,
  ratePerMsMax: 86_400_000,
  /** Attempts are counted by so many parts of the period, so what a rate allows is there again a part later at most. */
  rateParts: 100,
  /** Jobs that a tenant's turn may be. */
  shareMax: 1_000,
  /** Pages of ready jobs that are looked into before some are claimed. */
  turnPagesMax: 8,
  /** A moment further away is a schedule's, or a document's. A year. */
  delayMsMax: 31_536_000_000,
  /** The greatest priority, and the least below zero. */
  priorityMax: 100,
  dedupeCharactersMax: 200,
  /** Kept after their end, so that their owner can ask for their result: a day. */
  endedKeptMs: 86_400_000,
  /** Dead ones are kept for whoever operates this: thirty days. */
  deadKeptMs: 2_592_000_000,
} as const;
