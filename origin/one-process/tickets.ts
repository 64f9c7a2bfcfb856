/** Tickets for live feeds, each good once: in the file, so that one which was used stays so over the end of the process. */
import type { Database } from 'bun:sqlite';
import type { Host } from '../../edge/host/host.ts';
import { type Kept, redeem, toKept } from '../../edge/identity/ticket.ts';

/** One thread makes "once" true: nothing is awaited between the look and what it leaves. */
export function openTickets(database: Database): Host['tickets'] {
  database.run(`
    CREATE TABLE IF NOT EXISTS tickets (stream TEXT PRIMARY KEY, kept TEXT NOT NULL, expires_at INTEGER NOT NULL) WITHOUT ROWID;
    CREATE INDEX IF NOT EXISTS tickets_by_end ON tickets (expires_at);
  `);
  const put = (stream: string, kept: Kept): void => {
    database.query('INSERT OR REPLACE INTO tickets VALUES (?, ?, ?)').run(stream, JSON.stringify(kept), kept.expiresAt);
  };
  const find = (stream: string): Kept | undefined => {
    const row = database.query<{ kept: string }, [string]>('SELECT kept FROM tickets WHERE stream = ?').get(stream);
    return row === null ? undefined : (JSON.parse(row.kept) as Kept);
  };
  return {
    async keep(stream, bearer, ms) {
      database.query('DELETE FROM tickets WHERE expires_at <= ?').run(Date.now());
      put(stream, toKept(bearer, ms, Date.now()));
    },
    async redeem(stream, opening) {
      const kept = find(stream);
      const redeemed = redeem(kept, opening, Date.now());
      if (redeemed !== undefined && redeemed.keep !== kept) put(stream, redeemed.keep);
      return redeemed?.bearer;
    },
  };
}
