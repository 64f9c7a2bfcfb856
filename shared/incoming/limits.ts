/** Bounds of webhooks that are sent to us, each with its unit in its name. */
export const incomingLimits = {
  /** A longer body is 413: a delivery is the payload of a job, with room for the names beside it. */
  bytesMax: 61_440,
  /** Of the headers of a delivery, together; longer ones are taken for none. */
  headersCharactersMax: 4_096,
  /** MACs in one header: as many secrets as a sender may be about to change. */
  macsMax: 16,
  toleranceSecondsDefault: 300,
  keptDaysDefault: 30,
  secretCharactersMin: 16,
} as const;
