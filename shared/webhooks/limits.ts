/** Bounds of webhooks, each with its unit in its name. */
export const webhookLimits = {
  /** Of one owner; more is 409. */
  ofOneMax: 20,
  /** Of all owners: every change is held against those of its resource, which are in memory. More is 409. */
  ofAllMax: 1_000,
  urlCharactersMax: 2_048,
  filterCharactersMax: 1_024,
  descriptionCharactersMax: 200,
  /** What a webhook says of its maker, as JSON; more is 422. */
  principalCharactersMax: 4_096,
  /** A body of a delivery; a document that makes a longer one is told by its id alone. */
  bodyBytesMax: 262_144,
  /** Deliveries of one document that wait for each other, where a webhook is ordered; one more is dead at once. */
  lineMax: 1_000,
  /** The whole of an attempt: name, connection and answer. */
  attemptMsMax: 15_000,
  /** Of an answer so much is read. */
  answerBytesMax: 65_536,
  /** And so much of it is kept and shown. */
  answerCharactersMax: 500,
  /** Attempts of a webhook that a process makes at once, and of all webhooks. */
  atOnceOfOneMax: 4,
  atOnceMax: 256,
  /** Failed attempts without a success between them; then the webhook is paused. */
  failuresMax: 100,
  /** A `Retry-After` of the receiver's is heeded up to a day. */
  retryAfterMsMax: 86_400_000,
  /** Deliveries are kept so long after their end, or while they wait for a paused webhook: a week. What is still to be sent stays. */
  keptMs: 604_800_000,
  /** Deliveries that one request sends again; a longer range is refused. */
  resentMax: 1_000,
  /** How long the secret before signs too, beside a new one, unless said: a day. */
  overlapSeconds: 86_400,
  /** A month. */
  overlapSecondsMax: 2_678_400,
} as const;
