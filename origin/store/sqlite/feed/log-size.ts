/**
 * How many bytes the change log takes, counted as it grows and is trimmed: adding it all up takes a fifth of a second
 * for a million entries, and nobody may wait for that. Lost with the process, and counted anew by the next.
 */
import { sql } from 'drizzle-orm';
import { storeLimits } from '../../limits.ts';
import type { Connection } from '../connection/database.ts';
import { log } from '../install/system-records.ts';

/** The size of one entry, its share of pages included. `octet_length` reads the record's head alone, not the images. */
export const entryBytes = sql<number>`(
  96 + octet_length(${log.id}) + ifnull(octet_length(${log.before}), 0) + ifnull(octet_length(${log.after}), 0)
)`;

export class LogSize {
  readonly #first;
  readonly #next;
  /** The entry that the log began with when last looked at: another one means that others deleted some. */
  #from = 0;
  #through = 0;
  #bytes = 0;

  constructor({ database, queries }: Connection) {
    const first = queries.select({ first: sql<number | null>`min(${log.seq})`.as('first') }).from(log);
    const next = queries
      .select({ seq: log.seq, bytes: entryBytes.as('bytes') })
      .from(log)
      .where(sql`${log.seq} > ?`)
      .orderBy(log.seq)
      .limit(storeLimits.tidyRowsMax)
      .as('next');
    const counted = queries
      .select({
        through: sql<number | null>`max(${next.seq})`.as('through'),
        bytes: sql<number | null>`sum(${next.bytes})`.as('bytes'),
        rows: sql<number>`count(*)`.as('rows'),
      })
      .from(next);
    this.#first = database.prepare<{ first: number | null }, []>(first.toSQL().sql);
    this.#next = database.prepare<{ through: number | null; bytes: number | null; rows: number }, [after: number, limit: number]>(
      counted.toSQL().sql,
    );
  }

  get bytes(): number {
    return this.#bytes;
  }

  /** Counts on from where it stopped, about a millisecond of work; whether more is left to count. */
  countOn(): boolean {
    const from = this.#first.get()?.first ?? 0;
    if (from !== this.#from) this.#restart(from);
    const { through, bytes, rows } = this.#next.get(this.#through, storeLimits.tidyRowsMax) ?? { through: null, bytes: null, rows: 0 };
    this.#through = through ?? this.#through;
    this.#bytes += bytes ?? 0;
    return rows === storeLimits.tidyRowsMax;
  }

  /** Notes that the log was trimmed by so many bytes and begins with `from`. */
  trimmed(from: number, bytes: number): void {
    this.#from = from;
    this.#bytes = Math.max(0, this.#bytes - bytes);
  }

  #restart(from: number): void {
    this.#from = from;
    this.#through = 0;
    this.#bytes = 0;
  }
}
