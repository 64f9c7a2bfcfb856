/**
 * One ticket: it tells who asked for it, once, and again only where the stream that it opened is being resumed.
 *
 *   none ──keep──▶ kept ──first──▶ opened ──again──▶ opened
 *                    └────30 s──┐     └──the token's end, or an hour──┐
 *                               └──────────────▶ none, its storage deleted
 *
 * Whoever keeps it knows neither the ticket nor the token that it stands for; what proves a resumption is checked before.
 */
import { limits } from '../../shared/wire/limits.ts';
import type { Principal } from '../../shared/wire/principal.ts';

export interface Bearer {
  readonly principal: Principal;
  /** When the token of the ticket's owner expires, or the opened stream ends; milliseconds of the epoch. */
  readonly signedInUntil: number;
}

/** A stream is opened for the first time, or again by somebody who has heard one of its events. */
export type Opening = 'first' | 'again';

export interface Kept {
  readonly bearer: Bearer;
  readonly expiresAt: number;
  readonly isOpened: boolean;
}

export interface Redeemed {
  readonly bearer: Bearer;
  /** What is to be kept from now on, before anything is awaited: the next redemption must find the ticket opened. */
  readonly keep: Kept;
}

export function toKept(bearer: Bearer, ms: number, now: number): Kept {
  return { bearer, expiresAt: now + ms, isOpened: false };
}

/** `undefined` where the ticket opens nothing. */
export function redeem(kept: Kept | undefined, opening: Opening, now: number): Redeemed | undefined {
  if (kept === undefined || kept.isOpened !== (opening === 'again') || kept.expiresAt <= now) return undefined;
  if (kept.isOpened) return { bearer: kept.bearer, keep: kept };
  const expiresAt = Math.min(kept.bearer.signedInUntil, now + limits.streamMsMax);
  const bearer = { ...kept.bearer, signedInUntil: expiresAt };
  return { bearer, keep: { bearer, expiresAt, isOpened: true } };
}
