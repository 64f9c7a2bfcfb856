/**
 * What one attempt of a transaction came to. Only `settled` has written anything, and `unknown` perhaps; after all others
 * the same calls may be tried again from the start.
 */
import type { Fault } from '../../../../shared/wire/fault.ts';
import type { Outcome } from '../../store.ts';
import { hasLabel, isUnreachable } from '../connection/errors.ts';
import type { Call } from './group-queue.ts';

/** What a call in a group came to: its outcomes, or what its own code threw. */
export type Result = readonly Outcome[] | { readonly thrown: unknown };

export type Attempt =
  /** Each call has its result, and what they write is committed. */
  | { readonly kind: 'settled'; readonly results: ReadonlyMap<Call, Result> }
  | Ended;

export type Ended =
  /** The database refuses what this mutation stores: to be decided again without it. */
  | { readonly kind: 'refused'; readonly call: Call; readonly mutation: number; readonly fault: Fault }
  | Met
  /** Somebody else wrote what this attempt had read, or had yet to read. */
  | { readonly kind: 'conflict' }
  /** An election, or a connection that broke before the commit was sent. */
  | { readonly kind: 'unreachable'; readonly error: unknown }
  /** The commit was sent and not answered in time. */
  | { readonly kind: 'unknown'; readonly error: unknown }
  /** Nothing of the above, and with several calls nobody knows whose fault it is. */
  | { readonly kind: 'failed'; readonly error: unknown };

/** Somebody has committed the nonce or the idempotency key of this call. */
export interface Met {
  readonly kind: 'met';
  readonly call: Call;
  readonly which: 'nonce' | 'once';
}

/** Thrown before the commit was sent. Not every lost connection is labelled. */
export function toEnded(error: unknown): Ended {
  if (isUnreachable(error)) return { kind: 'unreachable', error };
  return hasLabel(error, 'TransientTransactionError') ? { kind: 'conflict' } : { kind: 'failed', error };
}

/** What a call's own code gives, or throws. */
export function attempt<T>(run: () => T): T | { readonly thrown: unknown } {
  try {
    return run();
  } catch (thrown) {
    return { thrown };
  }
}
