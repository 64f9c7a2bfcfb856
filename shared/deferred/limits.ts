/** Bounds of operations that go on behind their answer, each with its unit in its name. */
export const deferredLimits = {
  /** What an upload may have that waits on this process's disk for its turn; more is 413. Twice what Cloudflare's plans let through. */
  uploadBytesMax: 134_217_728,
  /** Of one caller that wait or run at once; more is 429. */
  ofOneMax: 2,
  /** Of all callers in one process; more is 503. With `uploadBytesMax` what they may take on its disk: 1 GiB. */
  ofProcessMax: 8,
  /** Those that run at once in one process; the others wait. */
  runningMax: 2,
  /** The whole time of an upload's rows, from their turn on; what was committed by then stays. */
  uploadMsMax: 3_600_000,
  /** How often one that runs says how far it is, and learns that another origin was told to cancel it. */
  beatMs: 2_000,
  /** One that has said nothing for so long has lost its origin. Clocks of origins differ by less. */
  aliveMs: 15_000,
  /** How long its status and its result are kept once it has ended: a day. */
  keptMs: 86_400_000,
  /** Of one caller that are kept once they have ended; the next one takes the place of the oldest. */
  keptOfOneMax: 20,
  /** What its answer may have, in characters; one that has more failed. */
  resultCharactersMax: 67_108_864,
  /** An answer is kept in parts of so many characters. */
  partCharacters: 262_144,
  /** Parts, or operations, that are removed in one transaction. */
  removedAtOnce: 20,
  /** Between two looks for what has been kept long enough. */
  sweepMs: 60_000,
  /** What who asks is told to wait before they look. */
  retryAfterSeconds: 1,
} as const;
