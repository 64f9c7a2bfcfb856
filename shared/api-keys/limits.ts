/** Bounds of API keys, each with its unit in its name. */
export const keyLimits = {
  /** Keys of one owner; more is 409. Who needs more needs keys of others. */
  ofOneMax: 100,
  /** Scopes, roles, addresses or origins of a key; more is 422. */
  listedMax: 50,
  /** What a key says of its maker, as JSON, goes with each request over the hop; more is 422. */
  principalCharactersMax: 4_096,
  /** How long the text before is taken beside a new one, unless said: a day, in which a deploy reaches everything. */
  overlapSeconds: 86_400,
  /** A month. */
  overlapSecondsMax: 2_678_400,
  /** Keys whose use one question tells of. */
  usesToldMax: 1_000,
} as const;
