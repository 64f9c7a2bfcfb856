/** Reading, marking and trimming the change log. Its document entries are written by triggers alone. */
import { and, asc, desc, eq, lt, sql } from 'drizzle-orm';
import type { Change, DocumentChange } from '../../../../shared/contract/change.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Position } from '../../../../shared/wire/position.ts';
import type { JsonObject } from '../../../../shared/wire/values.ts';
import { storeLimits } from '../../limits.ts';
import type { Connection } from '../connection/database.ts';
import { type Shown, toImage } from '../read/documents.ts';
import { type LogEnd, type LogPosition, parseOrder, positionIn } from './positions.ts';
import { entryBytes } from './log-size.ts';
import { log, meta } from '../install/system-records.ts';

export type LogEntry = typeof log.$inferSelect;

/** Which entries of the log are past keeping. */
interface Trimming {
  /** Milliseconds of the epoch; the newest entry older than this stays. */
  readonly before: number;
  /** Bytes of entries to drop, whatever their age. */
  readonly excessBytes: number;
}

interface Trimmed {
  /** The entry that the log begins with now. */
  readonly first: number;
  readonly bytes: number;
  /** Whether more is left to drop. */
  readonly more: boolean;
}

export class ChangeLog {
  readonly #end;
  readonly #find;
  readonly #from;
  readonly #mark;
  readonly #oldest;
  readonly #drop;

  constructor({ database, queries }: Connection) {
    // Of its rows the first is asked for. Run by SQLite itself: by drizzle it takes a fiftieth of what a create costs.
    this.#end = database.prepare<LogPosition & { epoch: string | null }, []>(
      queries
        .select({
          seq: log.seq,
          token: log.token,
          epoch: sql<string | null>`(SELECT ${meta.value} FROM ${meta} WHERE ${meta.key} = 'epoch')`.as('epoch'),
        })
        .from(log)
        .orderBy(desc(log.seq))
        .toSQL().sql,
    );
    this.#find = queries
      .select({ seq: log.seq })
      .from(log)
      .where(and(eq(log.seq, sql.placeholder('seq')), eq(log.token, sql.placeholder('token'))))
      .prepare();
    // Entries are read one by one, so that large images are not read past the bound; drizzle reads whole results.
    this.#from = database.prepare<LogEntry, [number]>(
      queries
        .select()
        .from(log)
        .where(sql`${log.seq} >= ?`)
        .orderBy(asc(log.seq))
        .toSQL().sql,
    );
    this.#mark = queries
      .insert(log)
      .values({
        token: sql`lower(hex(randomblob(4)))`,
        resource: sql.placeholder('resource'),
        id: '',
        kind: sql.placeholder('kind'),
        at: sql.placeholder('at'),
      })
      .prepare();
    this.#oldest = database.prepare<{ seq: number; at: number; bytes: number }, []>(
      queries
        .select({ seq: log.seq, at: log.at, bytes: entryBytes.as('bytes') })
        .from(log)
        .orderBy(asc(log.seq))
        .toSQL().sql,
    );
    this.#drop = queries.delete(log).where(lt(log.seq, sql.placeholder('last'))).prepare();
  }

  mustEnd(): LogEnd {
    const end = this.#end.get();
    if (end?.epoch == null) throw new Error('the change log has no end or no epoch; others must have deleted it');
    return { ...end, epoch: end.epoch };
  }

  /**
   * Whether the log goes on from this position: it has that entry, or dropped it with all before it, which is told to whoever
   * stands there. Without a position, whether it has any entry.
   */
  continues(position: Position | undefined): boolean {
    const end = this.#end.get();
    const wanted = position === undefined ? end : parseOrder(position.order);
    if (end === null || wanted == null) return false;
    if (this.#find.get({ seq: wanted.seq, token: wanted.token }) !== undefined) return true;
    return position?.epoch === end.epoch && wanted.seq < (this.#oldest.get()?.seq ?? 0);
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
      if (entries.length >= storeLimits.batchChangesMax || (characters > storeLimits.batchCharactersMax && entries.length > 0)) {
        return { entries, more: true };
      }
    }
    return at === undefined ? undefined : { entries, more: false };
  }

  /** Adds an entry inside a write transaction. */
  mark(kind: 'start' | 'resource', resource: string, at: number): void {
    this.#mark.run({ kind, resource, at });
  }

  /**
   * Drops inside a write transaction, from the oldest on, no more than one round may: what is older than `before`, but the
   * newest of that, which is the cursor of those who are up to date; and as many bytes as are too many, but the last entry.
   */
  trim({ before, excessBytes }: Trimming): Trimmed | undefined {
    const { kept, rows, bytes, more } = this.#findDroppable(before, excessBytes);
    if (kept === undefined || rows === 0) return undefined;
    this.#drop.run({ last: kept.seq });
    return { first: kept.seq, bytes, more };
  }

  /** An entry is dropped once its successor is seen, so the last one never is. */
  #findDroppable(before: number, excessBytes: number) {
    let kept: { readonly seq: number; readonly bytes: number } | undefined;
    let rows = 0;
    let bytes = 0;
    for (const entry of this.#oldest.iterate()) {
      if (kept !== undefined) {
        if (entry.at >= before && bytes >= excessBytes) break;
        rows++;
        bytes += kept.bytes;
      }
      kept = entry;
      if (rows >= storeLimits.tidyRowsMax || bytes >= storeLimits.tidyBytesMax) return { kept, rows, bytes, more: true };
    }
    return { kept, rows, bytes, more: false };
  }
}

/** `resources`: those that are declared, by name. */
export function toChange(resources: ReadonlyMap<string, Resource>, epoch: string, entry: LogEntry): Change | undefined {
  const position = positionIn(epoch, entry);
  switch (entry.kind) {
    case 'start':
      return undefined;
    case 'resource':
      return { kind: 'resource', position, resource: entry.resource };
    default:
      return new LoggedChange(resources.get(entry.resource) ?? undeclared, position, entry);
  }
}

/** A resource of an earlier declaration. */
const undeclared: Shown = { idKind: 'string', names: undefined };

/** Images are parsed when somebody looks: of an import nobody does, once its whole resource is raised. */
class LoggedChange implements DocumentChange {
  readonly kind = 'document';
  readonly position: Position;
  readonly resource: string;
  readonly id: string;
  readonly characters: number;
  readonly #of: Shown;
  /** Texts, until each is looked at. */
  #before: string | JsonObject | null;
  #after: string | JsonObject | null;

  constructor(of: Shown, position: Position, { resource, id, before, after }: LogEntry) {
    this.position = position;
    this.resource = resource;
    this.id = id;
    this.characters = (before?.length ?? 0) + (after?.length ?? 0);
    this.#of = of;
    this.#before = before;
    this.#after = after;
  }

  get before(): JsonObject | null {
    return (this.#before = this.#toImage(this.#before));
  }

  get after(): JsonObject | null {
    return (this.#after = this.#toImage(this.#after));
  }

  #toImage(image: string | JsonObject | null): JsonObject | null {
    return typeof image === 'string' ? toImage(this.#of, this.id, image) : image;
  }
}
