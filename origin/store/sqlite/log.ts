/** Reading, marking and trimming the change log. Its document entries are written by triggers alone. */
import { and, asc, desc, eq, lt, max, min, sql } from 'drizzle-orm';
import type { Change, DocumentChange } from '../../../shared/contract/change.ts';
import type { Position } from '../../../shared/contract/position.ts';
import type { JsonObject } from '../../../shared/contract/values.ts';
import { storeLimits } from '../limits.ts';
import type { Connection, Queries } from './database.ts';
import { toImage } from './documents.ts';
import { type LogEnd, type LogPosition, parseOrder, toPosition } from './log-position.ts';
import { log, meta } from './system-tables.ts';

export type LogEntry = typeof log.$inferSelect;

export class ChangeLog {
  readonly #end;
  readonly #find;
  readonly #from;
  readonly #mark;
  readonly #expired;
  readonly #drop;

  constructor({ database, queries }: Connection) {
    this.#end = queries.select({ seq: log.seq, token: log.token, epoch: sql<string | null>`(SELECT ${meta.value} FROM ${meta} WHERE ${meta.key} = 'epoch')` }).from(log).orderBy(desc(log.seq)).limit(1).prepare();
    this.#find = queries.select({ seq: log.seq }).from(log).where(and(eq(log.seq, sql.placeholder('seq')), eq(log.token, sql.placeholder('token')))).prepare();
    // Row by row, so that large images are not read past the bound; drizzle reads whole results.
    this.#from = database.prepare<LogEntry, [number]>(queries.select().from(log).where(sql`${log.seq} >= ?`).orderBy(asc(log.seq)).toSQL().sql);
    this.#mark = queries.insert(log).values({ token: sql`lower(hex(randomblob(4)))`, resource: sql.placeholder('resource'), id: '', kind: sql.placeholder('kind'), at: sql.placeholder('at') }).prepare();
    this.#expired = toExpired(queries);
    this.#drop = queries.delete(log).where(lt(log.seq, sql.placeholder('last'))).prepare();
  }

  mustEnd(): LogEnd {
    const end = this.#end.get();
    if (end?.epoch == null) throw new Error('the change log has no end or no epoch; others must have deleted it');
    return { ...end, epoch: end.epoch };
  }

  /** Whether the log still has this entry; without a position, whether it has any. */
  holds(position: Position | undefined): boolean {
    const end = this.#end.get();
    const wanted = position === undefined ? end : parseOrder(position.order);
    return end !== undefined && wanted !== undefined && this.#find.get({ seq: wanted.seq, token: wanted.token }) !== undefined;
  }

  /**
   * Entries after `from`, oldest first, as many as a batch may hold; `undefined` when `from` is not in this
   * history or a gap follows it. `more`: the bound ended it, not the log.
   */
  after(from: LogPosition): { readonly entries: readonly LogEntry[]; readonly more: boolean } | undefined {
    const entries: LogEntry[] = [];
    let characters = 0;
    let at: LogPosition | undefined;
    for (const entry of this.#from.iterate(from.seq)) {
      if (at === undefined ? entry.seq !== from.seq || entry.token !== from.token : entry.seq !== at.seq + 1) return undefined;
      if (at !== undefined) entries.push(entry);
      at = entry;
      characters += (entry.before?.length ?? 0) + (entry.after?.length ?? 0);
      if (entries.length >= storeLimits.batchChangesMax || (characters > storeLimits.batchCharactersMax && entries.length > 0)) return { entries, more: true };
    }
    return at === undefined ? undefined : { entries, more: false };
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
      return toDocumentChange(position, entry);
  }
}

/** Images are parsed when somebody looks: of an import nobody does, once its whole resource is raised. */
function toDocumentChange(position: Position, { resource, id, before, after }: LogEntry): DocumentChange {
  const images: { before?: JsonObject | null; after?: JsonObject | null } = {};
  return {
    kind: 'document', position, resource, id,
    get before() {
      return images.before === undefined ? (images.before = toImage(id, before)) : images.before;
    },
    get after() {
      return images.after === undefined ? (images.after = toImage(id, after)) : images.after;
    },
  };
}
