/** A key as the edge is told of it, to judge who brings it; the hop signs it, so it is what it says. */
import type { Principal } from '../wire/principal.ts';

export interface Credential {
  /** SHA-256 of its text in hex. */
  readonly hash: string;
  /** The text before the last rotation, and until when that is taken: milliseconds of the epoch. */
  readonly previous: { readonly hash: string; readonly until: number } | null;
  readonly principal: Principal;
  /** Milliseconds of the epoch. */
  readonly expiresAt: number | null;
  /** Where it is taken from; empty: from everywhere. */
  readonly addresses: readonly string[];
  readonly origins: readonly string[];
}
