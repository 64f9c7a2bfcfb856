/** What coordinator and isolates say to one another about generations. */
import type { Report, ReportAnswer } from '../../shared/hop/purge-report.ts';

/**
 * How far an isolate has heard. It counts the coordinator's own revisions and not positions: of two origins,
 * one may know of a key that the other (an older deploy) does not, and report it after a later position.
 */
export interface Heard {
  /** Names the coordinator's storage: a new storage counts from the beginning. */
  readonly instance: string;
  readonly revision: number;
  readonly epoch: string;
}

/** What origins declare. */
export interface Served {
  /** Digests of the contracts of the origins that report now, or of the one that reported last. */
  readonly contracts: readonly string[];
  /**
   * By contract: the digest of the resource that was asked about. A contract is not in here that lacks the resource, or
   * that did not say; an object of the release before, which an isolate meets during a deploy, says nothing at all.
   */
  readonly digests?: Readonly<Record<string, string>>;
}

export interface Changes extends Served {
  /** `null`: the coordinator knows nothing yet, or has lost everything. */
  readonly epoch: string | null;
  readonly instance: string;
  readonly revision: number;
  readonly through: string;
  /** Since when `through` is known to be complete; `null`: not known. */
  readonly ageMs: number | null;
  /** Generation of every bucket that is not listed, now or before. */
  readonly floor: string;
  /** All buckets above the floor, or only those raised since `Heard`. */
  readonly whole: boolean;
  readonly buckets: readonly { readonly bucket: number; readonly order: string }[];
}

export interface SignedReport {
  readonly report: Report;
  readonly nonce: string;
  /** Milliseconds of the epoch after which the signature's window refuses it anyway. */
  readonly expiresAt: number;
}

export type ReportOutcome = ReportAnswer | 'replayed';
