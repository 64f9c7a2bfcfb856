/**
 * How much a caller may ask. The claim `plan` of a token names one of these; without it `signedIn` applies,
 * and to callers without a token `anonymous`, by address. A limit of 20 or less is kept exactly, at the price
 * of one question to the counter for each request; a larger one is leased in blocks and costs nothing.
 * With a quota for each calendar month (UTC) a plan is `{ windows: […], month: 1_000_000 }`.
 */
import { plans } from '../limits/plans.ts';

export const offered = plans({
  anonymous: 'anonymous',
  signedIn: 'member',
  plans: {
    // A page that opens may ask thirty things a second for a moment; an address at an office is shared.
    anonymous: [{ limit: 300, seconds: 10 }, { limit: 1_200, seconds: 60 }, { limit: 20_000, seconds: 3_600 }],
    member: [{ limit: 600, seconds: 10 }, { limit: 3_000, seconds: 60 }, { limit: 60_000, seconds: 3_600 }],
    partner: [{ limit: 30_000, seconds: 60 }, { limit: 1_000_000, seconds: 3_600 }],
    // A plan for load tests: counted like all others, and never reached.
    bench: [{ limit: 1_000_000_000, seconds: 60 }],
  },
});
