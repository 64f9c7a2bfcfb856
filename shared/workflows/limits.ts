/** Bounds of workflows, each with its unit in its name. */
export const workflowLimits = {
  /** Steps that a workflow may declare. */
  stepsMax: 20,
  /** What it begins with, as JSON; what is large is a document, and the workflow has its id. */
  inputBytesMax: 65_536,
  /** The result of a step, or what a signal brings, as JSON. */
  resultBytesMax: 16_384,
  /** Characters of a failure that are kept and shown; the log has all of it. */
  errorCharactersMax: 300,
  /** The whole of a workflow, and a wait, may declare so much time: a year. */
  withinMsMax: 31_536_000_000,
  /** Of one owner that have not ended; another one that is begun by a request is 409. Those that writes begin are not counted. */
  openOfOneMax: 100,
  /** Kept after its end, so that its owner can ask what became of it: thirty days. */
  keptMs: 2_592_000_000,
  nameCharactersMax: 63,
} as const;
