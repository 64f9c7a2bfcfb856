/** Reading, marking and trimming the change log. Its document entries are written by triggers alone. */
import { asc, desc, gte, lt, max, min, sql } from 'drizzle-orm';
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
  readonly #mark;
  readonly #expired;
  readonly #drop;

  constructor(queries: Queries) {
    this.#end = queries.select({ seq: log.seq, token: log.token, epoch: sql<string | null>`(SELECT ${meta.value} FROM ${meta} WHERE ${meta.key} = 'epoch')` }).from(log).orderBy(desc(log.seq)).limit(1).prepare();
    this.#from = queries.select().from(log).where(gte(log.seq, sql.placeholder('seq'))).orderBy(asc(log.seq)).limit(storeLimits.batchChangesMax + 1).prepare();
    this.#mark = queries.insert(log).values({ token: sql`lower(hex(randomblob(4)))`, resource: sql.placeholder('resource'), id: '', kind: sql.placeholder('kind'), at: sql.placeholder('at') }).prepare();
    this.#expired = toExpired(queries);
    this.#drop = queries.delete(log).where(lt(log.seq, sql.placeholder('last'))).prepare();
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
    this.#mark.run({ kind, resource, at });
  }

  /**
   * Needs a write transaction. Drops what is older than `before`, but the newest of that: it is the cursor of
   * those who are up to date. Returns whether more is left to drop.
   */
  trim(before: number): boolean {
    const found = this.#expired.get({ before });
    if (found?.first == null || found.last == null || found.first >= found.last) return false;
    this.#drop.run({ last: found.last });
    return found.last - found.first >= storeLimits.tidyRowsMax - 1;
  }
}

/** The oldest entries that are past keeping, as many as one round may drop. */
function toExpired(queries: Queries) {
  const oldest = queries.select({ seq: log.seq, at: log.at }).from(log).orderBy(asc(log.seq)).limit(storeLimits.tidyRowsMax).as('oldest');
  return queries.select({ first: min(oldest.seq), last: max(oldest.seq) }).from(oldest).where(lt(oldest.at, sql.placeholder('before'))).prepare();
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
