/** Bounds of the edge alone; those of the wire stand in `shared/wire/limits.ts`. */
export const edgeLimits = {
  /** Kinds of answers that an isolate counts apart, at 200 bytes each; more are counted together. */
  countedSeriesMax: 2_000,
  /** What is counted is told so often, and so many points of it by one request: Cloudflare takes 250. */
  dataPointsEveryMs: 10_000,
  dataPointsAtOnceMax: 240,
  /** Verified tokens remembered by an isolate; at 8 KB a token this is at most 16 MB. The oldest goes first. */
  tokensRememberedMax: 2_000,
  /** Ids of no API key, and texts of none, that an isolate remembers, half a kilobyte each: programs go on for ever with what is over. */
  keysAbsentMax: 1_000,
  /** API keys whose use is noted, at 100 bytes each; past it the oldest is told of again within its minute. */
  keysNotedMax: 10_000,
  /** How long uses of API keys are gathered before they are told: work behind an answer may go on for 30 s. */
  keyUsesGatheredMs: 2_000,
  /** The origin has so long to note them, or whatever else the edge tells it. */
  toldMsMax: 5_000,
  /** Before each try to tell it of an alert, while it is away: all within the 30 s of work behind an answer. */
  alertPausesMs: [0, 2_000, 8_000],
  /** Clocks of issuer and edge may differ by this much. */
  tokenSkewSeconds: 5,
  /** A key set older than this is fetched again in the background. */
  keysFreshMs: 600_000,
  /** A key set older than this is not used: an issuer that is down for a day has revoked nothing we could know of. */
  keysStaleMsMax: 86_400_000,
  /** The time between two fetches that an unknown `kid` may cause: a client must not steer our traffic to the issuer. */
  keysCooldownMs: 30_000,
  /** Keys tried for a token that names none: rotation has two or three at once, and a forged one costs no more than these. */
  keysTriedMax: 8,
  /** A fetch of the key set; then the stale one is used, or the answer is 503. */
  keysFetchMsMax: 3_000,
  /** A key set in bytes; the largest public one known has 12 KB. */
  keysBytesMax: 131_072,
  /** A report's body: a thousand buckets of fifty resources. */
  reportBytesMax: 2_097_152,
  /** Bytes read of a refused body, so that its sender gets to read why; a larger one may meet a reset connection. */
  discardBytesMax: 4_194_304,
  /** The refusal waits no longer than this for the rest of its request. */
  discardMsMax: 1_000,
  /** One read of a body: a few milliseconds of the runtime's work when every chunk holds one byte. */
  pieceBytesMin: 4_096,
  /** The most that one read takes, in a buffer made for it. */
  pieceBytesMax: 65_536,
  /** The buffer of a body whose length is not declared: most have one kilobyte. */
  pieceBytesUnknown: 8_193,
  /** `/ready` of an origin, which gives each of its services a second; a load balancer waits for two. */
  readyMsMax: 1_800,
  /** What it says, in bytes. */
  readyBytesMax: 65_536,
  /** How long an isolate believes it: balancers ask from many places. */
  readyBelievedMs: 250,
  /** How often it asks several origins for themselves, while it asks them for anything. */
  readyLookMs: 2_000,
  /** Spans that an isolate sends in a second, each in a request of its own; more are left away. */
  spansPerSecondMax: 50,
  /** The sending of one, behind the answer. */
  spanSentMsMax: 5_000,
  /** A question to the coordinator; then generations are unknown and answers are revalidated. */
  askMsMax: 1_000,
  /** After a failed question nobody asks again for this long: the wait must not be paid by every request. */
  askAgainMs: 250,
  /** Stored answers in an isolate's memory, of the 128 MB that it has. The least recently used goes first. */
  entriesBytesMax: 33_554_432,
  /** One stored answer; a larger one streams through. */
  entryBytesMax: 1_048_576,
  /** An answer that an older version has in other words: read whole to be translated. A longer one is refused. */
  translatedBytesMax: 16_777_216,
  /** How long a row may be held until its end before the origin is told that it comes: a tenth of the silence that ends an import. */
  heldRowToldMs: 1_000,
  /** Buckets one answer may depend on; an `in` over more is not stored. */
  entryBucketsMax: 128,
  /** Spellings of lists whose meaning is remembered, at about 1 KB each. */
  spellingsMax: 2_000,
  /** A longer spelling is parsed each time. */
  spellingCharactersMax: 512,
  /** The text of a cache key; a longer one is not stored. */
  keyCharactersMax: 4_096,
  /** What a follower waits for the leader of the same miss; then it goes itself. */
  followMsMax: 2_000,
  /** One header that goes on to the origin: five of them, a principal and a target must fit into `hopLimits.headBytesMax`. */
  carriedCharactersMax: 1_024,
  /** Retries earned by one request: one in ten may be tried twice, so an outage is not made worse. */
  retriesPerRequest: 0.1,
  /** Retries saved up in quiet times. */
  retriesMax: 10,
  /** Less time than this left makes a second try pointless. */
  retryMsMin: 100,
  /** Failures of an origin, without an answer between, after which nothing is sent to it; counted anew after this window. */
  breakerLateMax: 2,
  breakerRefusedMax: 5,
  breakerUnsignedMax: 5,
  breakerWindowMs: 30_000,
  /** An answer that did not come counts where the origin had at least this long. */
  breakerLateMsMin: 1_000,
  /** How long nothing is sent, before one probe is. */
  breakerPauseMs: 500,
  /** The origin has so long to answer the probe. */
  breakerProbeMsMax: 2_000,
  /** How long the edge asks an origin for nothing that it has said to refuse. */
  loadBelievedMs: 1_000,
  /** The window in which a canary is compared with the others, after each so many of its answers. */
  canaryWindowMs: 60_000,
  canaryJudgedEach: 20,
  /** Times are compared where both have answered this often, by so many of the last answers: 4 KB a side. */
  canaryTimedMin: 100,
  canarySamplesMax: 512,
  /** More than this is worse: so many failures and such a share of its answers; milliseconds of p99, if also twice theirs. */
  canaryFailuresMin: 3,
  canaryFailuresMore: 0.05,
  canaryMsMore: 50,
  /** How long the next key signs after the origin did not know the first; then the first is tried again. */
  keyStandsInMs: 10_000,
  /** Seconds in `Retry-After` when the origin or the issuer is away. */
  retryAfterSeconds: 1,
  /** The platform's window for the flood shield (`wrangler.toml`), told in `Retry-After`. */
  floodSeconds: 10,
  /** A script in Redis, both ways; the bounds of what it is asked for are not longer. */
  redisMsMax: 1_000,
  /** A report as Redis is told it, all of which is ASCII. */
  redisReportCharactersMax: 524_288,
  /** A question to a caller's counter; then the route's own policy decides. An object far away starts in less. */
  counterMsMax: 1_000,
  /** How long a caller's requests do not wait again for a counter that did not answer. */
  counterAgainMs: 2_000,
  /** Callers whose leases an isolate remembers, a kilobyte each. The least recently seen goes first; its counter is asked anew. */
  callersRememberedMax: 10_000,
  /** When a reader of a feed that is away comes back: between these, so that they do not come all at once. */
  feedRetryMsMin: 1_000,
  feedRetryMsMax: 4_000,
  /** A ticket for a live feed: long enough to open a stream with it, too short to be worth stealing. */
  ticketSeconds: 30,
  /** The description of the API, of which an isolate keeps one a version: of a hundred resources, at 25 KB each. Past it, 503. */
  descriptionBytesMax: 2_621_440,
  /** Browsers keep the script of `/docs` for a day unasked: it is 4.9 MB, and another release may well bring the same. */
  docsScriptSeconds: 86_400,
  /** Browsers keep a preflight's answer at most this long (Chromium's ceiling). */
  preflightSeconds: 7_200,
  /** A written position in a browser's cookie: past this every edge has heard of the write. */
  positionCookieSeconds: 60,
} as const;
