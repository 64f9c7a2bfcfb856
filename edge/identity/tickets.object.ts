/**
 * One ticket (`ticket.ts`) as a Durable Object named by the ticket's hash. It is in SQLite because an object may be moved;
 * one thread makes "once" true however many redeem together.
 */
import { DurableObject } from 'cloudflare:workers';
import { type Bearer, type Kept, type Opening, redeem, toKept } from './ticket.ts';

const key = 'kept';

export class Tickets extends DurableObject {
  async keep(bearer: Bearer, ms: number): Promise<void> {
    await this.#put(toKept(bearer, ms, Date.now()));
  }

  async redeem(opening: Opening): Promise<Bearer | undefined> {
    const kept = this.ctx.storage.kv.get<Kept>(key);
    const redeemed = redeem(kept, opening, Date.now());
    if (redeemed !== undefined && redeemed.keep !== kept) await this.#put(redeemed.keep);
    return redeemed?.bearer;
  }

  override async alarm(): Promise<void> {
    await this.ctx.storage.deleteAll();
  }

  async #put(kept: Kept): Promise<void> {
    this.ctx.storage.kv.put<Kept>(key, kept);
    await this.ctx.storage.setAlarm(kept.expiresAt);
  }
}
