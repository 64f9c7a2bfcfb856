/**
 * One ticket, as a Durable Object named by the ticket's hash: it tells who asked for the ticket, once, and again only
 * where the stream that it opened is being resumed.
 *
 *   none ──keep──▶ kept ──first──▶ opened ──again──▶ opened
 *                    └────30 s──┐     └──the token's end, or an hour──┐
 *                               └──────────────▶ none, its storage deleted
 *
 * The object knows neither the ticket nor the token that it stands for; what proves a resumption is checked before it
 * is asked. It is in SQLite because an object may be moved; one thread makes "once" true however many redeem together.
 */
import { DurableObject } from 'cloudflare:workers';
import { limits } from '../../shared/wire/limits.ts';
import type { Principal } from '../../shared/wire/principal.ts';

export interface Bearer {
  readonly principal: Principal;
  /** When the token of the ticket's owner expires, or the opened stream ends; milliseconds of the epoch. */
  readonly signedInUntil: number;
}

/** A stream is opened for the first time, or again by somebody who has heard one of its events. */
export type Opening = 'first' | 'again';

interface Kept {
  readonly bearer: Bearer;
  readonly expiresAt: number;
  readonly isOpened: boolean;
}

const key = 'kept';

export class Tickets extends DurableObject {
  async keep(bearer: Bearer, ms: number): Promise<void> {
    await this.#put({ bearer, expiresAt: Date.now() + ms, isOpened: false });
  }

  async redeem(opening: Opening): Promise<Bearer | undefined> {
    const kept = this.ctx.storage.kv.get<Kept>(key);
    if (kept === undefined || kept.isOpened !== (opening === 'again') || kept.expiresAt <= Date.now()) return undefined;
    if (kept.isOpened) return kept.bearer;
    const expiresAt = Math.min(kept.bearer.signedInUntil, Date.now() + limits.streamMsMax);
    const bearer = { ...kept.bearer, signedInUntil: expiresAt };
    // The state is written before anything is awaited: the next redemption finds the ticket opened.
    await this.#put({ bearer, expiresAt, isOpened: true });
    return bearer;
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }

  async #put(kept: Kept): Promise<void> {
    this.ctx.storage.kv.put<Kept>(key, kept);
    await this.ctx.storage.setAlarm(kept.expiresAt);
  }
}
