/** Reading, marking and trimming the change log. Its document entries are written by triggers alone. */
import { asc, desc, gte, lt, sql } from 'drizzle-orm';
import type { Change } from '../../../shared/contract/change.ts';
import { storeLimits } from '../limits.ts';
import type { Queries } from './database.ts';
import { toImage } from './documents.ts';
import { type LogEnd, type LogPosition, toPosition } from './log-position.ts';
import { log, meta } from './system-tables.ts';

export type LogEntry = typeof log.$inferSelect;

export class ChangeLog {
  readonly #end;
  readonly #from;
  readonly #queries: Queries;

  constructor(queries: Queries) {
    this.#queries = queries;
    this.#end = queries.select({ seq: log.seq, token: log.token, epoch: sql<string | null>`(SELECT ${meta.value} FROM ${meta} WHERE ${meta.key} = 'epoch')` }).from(log).orderBy(desc(log.seq)).limit(1).prepare();
    this.#from = queries.select().from(log).where(gte(log.seq, sql.placeholder('seq'))).orderBy(asc(log.seq)).limit(storeLimits.batchChangesMax + 1).prepare();
  }

  mustEnd(): LogEnd {
    const end = this.#end.get();
    if (end?.epoch == null) throw new Error('the change log has no end or no epoch; others must have deleted it');
    return { ...end, epoch: end.epoch };
  }

  /** Entries after `from`, oldest first, at most a batch; `undefined` when `from` is not in this history or a gap follows it. */
  after(from: LogPosition): readonly LogEntry[] | undefined {
    const [at, ...entries] = this.#from.all({ seq: from.seq });
    if (at?.seq !== from.seq || at.token !== from.token) return undefined;
    return entries.every((entry, index) => entry.seq === from.seq + 1 + index) ? entries : undefined;
  }

  /** Needs a write transaction. */
  mark(kind: 'start' | 'resource', resource: string, at: number): void {
    this.#queries.insert(log).values({ token: sql`lower(hex(randomblob(4)))`, resource, id: '', kind, at }).run();
  }

  /**
   * Needs a write transaction. Drops what is older than `before`, but the newest of that: it is the cursor of
   * those who are up to date. Returns whether more is left to drop.
   */
  trim(before: number): boolean {
    const [bound] = this.#queries
      .select({ seq: sql<number | null>`max(seq)` })
      .from(sql`(SELECT seq, at FROM ${log} ORDER BY seq LIMIT ${storeLimits.tidyRowsMax})`)
      .where(sql`at < ${before}`).all();
    if (bound?.seq == null) return false;
    const first = this.#queries.select({ seq: log.seq }).from(log).orderBy(asc(log.seq)).limit(1).get();
    if (first === undefined || first.seq >= bound.seq) return false;
    this.#queries.delete(log).where(lt(log.seq, bound.seq)).run();
    return bound.seq - first.seq >= storeLimits.tidyRowsMax - 1;
  }
}

export function toChange(epoch: string, entry: LogEntry): Change | undefined {
  const position = toPosition({ ...entry, epoch });
  switch (entry.kind) {
    case 'start':
      return undefined;
    case 'resource':
      return { kind: 'resource', position, resource: entry.resource };
    default:
      return { kind: 'document', position, resource: entry.resource, id: entry.id, before: toImage(entry.id, entry.before), after: toImage(entry.id, entry.after) };
  }
}
