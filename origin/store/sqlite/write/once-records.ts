/**
 * Records of idempotency: kept for a day, and the room that they take is bounded as the change log's is, but for those
 * of the last hour. A key that is forgotten is a new one, so what goes before its day is over is warned of (`tidy.ts`).
 */
import { asc, eq, sql } from 'drizzle-orm';
import { storeLimits } from '../../limits.ts';
import type { Connection } from '../connection/database.ts';
import { once } from '../install/system-records.ts';

export interface Forgotten {
  readonly bytes: number;
  /** Records whose day was not over. */
  readonly early: number;
  /** Whether more is left to forget. */
  readonly more: boolean;
}

/** The size of one record, its share of pages and of the index included. `octet_length` does not read the answer. */
const recordBytes = sql<number>`(192 + octet_length(${once.answer}))`.as('bytes');

export class OnceRecords {
  readonly #counted;
  readonly #oldest;
  readonly #drop;
  /** Records up to this moment are counted. */
  #through = 0;
  #bytes = 0;

  constructor({ database, queries }: Connection) {
    const aged = queries.select({ key: once.key, at: once.at, bytes: recordBytes }).from(once);
    this.#counted = database.prepare<{ at: number; bytes: number }, [after: number, before: number]>(
      aged
        .where(sql`${once.at} > ? AND ${once.at} < ?`)
        .orderBy(asc(once.at))
        .toSQL().sql,
    );
    this.#oldest = database.prepare<{ key: string; at: number; bytes: number }, []>(
      queries.select({ key: once.key, at: once.at, bytes: recordBytes }).from(once).orderBy(asc(once.at)).toSQL().sql,
    );
    this.#drop = queries.delete(once).where(eq(once.key, sql.placeholder('key'))).prepare();
  }

  /** Counts on from where it stopped, to those before `now`; whether more is left to count. Records lie apart, so a few at a time. */
  countOn(now: number): boolean {
    let rows = 0;
    for (const { at, bytes } of this.#counted.iterate(this.#through, now)) {
      if (rows >= storeLimits.recordsCountedMax && at !== this.#through) return true;
      rows++;
      this.#bytes += bytes;
      this.#through = at;
    }
    return false;
  }

  /** Drops records inside a write transaction, from the oldest on, no more than one round may. */
  forget(now: number, bytesMax: number): Forgotten {
    const keys: string[] = [];
    let bytes = 0;
    let early = 0;
    for (const record of this.#oldest.iterate()) {
      const isOver = record.at < now - storeLimits.onceMs;
      if (!isOver && (this.#bytes - bytes <= bytesMax || record.at >= now - storeLimits.onceMsMin)) break;
      keys.push(record.key);
      bytes += record.bytes;
      if (!isOver) early++;
      if (keys.length >= storeLimits.tidyRowsMax || bytes >= storeLimits.tidyBytesMax) break;
    }
    for (const key of keys) this.#drop.run({ key });
    return { bytes, early, more: keys.length >= storeLimits.tidyRowsMax || bytes >= storeLimits.tidyBytesMax };
  }

  /** Notes what a committed round has dropped. */
  forgot({ bytes }: Forgotten): void {
    this.#bytes = Math.max(0, this.#bytes - bytes);
  }
}
