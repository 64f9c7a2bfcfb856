/** Bounds of what people are asked and answered below `/auth`. */
export const peopleLimits = {
  /** A longer body is 413: a passkey with its attestation has some 4 KB. */
  bodyBytesMax: 32_768,
  /** All of our cookies in one request; more is 431. A session and what a second factor waits for have some 600. */
  cookieCharactersMax: 4_096,
  /** What is kept of a `User-Agent`, for people who look at their sessions. */
  agentCharactersMax: 200,
  /** What a request below `/auth` costs of its caller's plan: a password's hash takes 34 ms. */
  cost: 5,
  /** Questions below `/auth` under way in one process, then 503: each may hold 19 MiB for a password's hash. */
  underWayMax: 64,
  /** An access token; whoever signs out or is removed is known by theirs for no longer. */
  tokenSeconds: 300,
  /** A session that nobody uses. */
  sessionSeconds: 7 * 86_400,
  passwordCharactersMin: 10,
  passwordCharactersMax: 128,
  /** For how long the edge, or whoever asks, may keep the key set. */
  keySetSeconds: 300,
} as const;
