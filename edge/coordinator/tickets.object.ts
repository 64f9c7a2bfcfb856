/**
 * One ticket, as a Durable Object named by the ticket's hash: who gives the ticket back is whom it says, once.
 *
 *   none ──keep──▶ kept ──redeem──▶ none
 *                    └────30 s────▶ none, its storage deleted
 *
 * The object knows neither the ticket nor the token that it stands for. It is in SQLite because an object may
 * be moved within half a minute; one thread makes "once" true however many redeem together.
 */
import { DurableObject } from 'cloudflare:workers';
import type { Principal } from '../../shared/contract/principal.ts';

export interface Bearer {
  readonly principal: Principal;
  /** When the token ends that the ticket was got with, in milliseconds of the epoch. */
  readonly signedInUntil: number;
}

interface Kept {
  readonly bearer: Bearer;
  readonly expiresAt: number;
}

const key = 'kept';

export class Tickets extends DurableObject {
  async keep(bearer: Bearer, ms: number): Promise<void> {
    const expiresAt = Date.now() + ms;
    this.ctx.storage.kv.put<Kept>(key, { bearer, expiresAt });
    await this.ctx.storage.setAlarm(expiresAt);
  }

  redeem(): Bearer | undefined {
    const kept = this.ctx.storage.kv.get<Kept>(key);
    if (kept === undefined) return undefined;
    this.ctx.storage.kv.delete(key);
    return kept.expiresAt > Date.now() ? kept.bearer : undefined;
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }
}
