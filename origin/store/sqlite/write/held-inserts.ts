/**
 * New documents of the calls of one transaction, held back so that one statement writes many: SQLite sets aside, for each statement,
 * all pages that it changes, which one row at a time is a fourth of what a row costs it. Whoever looks at what is stored has
 * them written first. Where one row of several is refused, all of its statement are undone and written one by one, so that each has
 * its own outcome.
 */
import type { Statement } from 'bun:sqlite';
import { isConstraint } from '../connection/errors.ts';

/** Rows of one statement, the most first; the last is for what is left over. */
const rowsAtOnce = [32, 8, 2, 1] as const;

/** The statement that inserts so many rows, prepared when there are so many. */
export type Inserts = (rows: (typeof rowsAtOnce)[number]) => Statement<null, string[]>;

interface Held {
  readonly id: string;
  readonly doc: string;
  /** Called with the constraint that does not let this one in. */
  refuse(error: unknown): void;
}

/** Rows of one table. */
interface HeldRows {
  readonly into: Inserts;
  readonly rows: Held[];
  readonly ids: Set<string>;
}

/** Undoes what `run` wrote where it says so; what it throws is undone by whoever writes the call. */
type AllOrNothing = (run: () => { readonly value: boolean; readonly keep: boolean }) => boolean;

export class HeldInserts {
  readonly #allOrNothing: AllOrNothing;
  readonly #isInTransaction: () => boolean;
  /** In the order in which they are written. */
  #tables: HeldRows[] = [];
  /** The table of the last row of the current call, among those held. */
  #lastOfCall: HeldRows | undefined;

  constructor(allOrNothing: AllOrNothing, isInTransaction: () => boolean) {
    this.#allOrNothing = allOrNothing;
    this.#isInTransaction = isInTransaction;
  }

  /** Between two calls there is no order to keep; each has its own changes in the order of its mutations. */
  beginCall(): void {
    this.#lastOfCall = undefined;
  }

  /** Whether this document is among them. */
  has(into: Inserts, id: string): boolean {
    return this.#of(into)?.ids.has(id) === true;
  }

  add(into: Inserts, held: Held): void {
    if (this.#isWrittenBeforeLast(into)) this.write();
    const table = this.#of(into) ?? this.#begin(into);
    table.rows.push(held);
    table.ids.add(held.id);
    this.#lastOfCall = table;
  }

  /** As many as one statement writes are not kept waiting for more. */
  writeIfMany(): void {
    if (this.#tables.some(({ rows }) => rows.length >= rowsAtOnce[0])) this.write();
  }

  /** For what comes after them in the order of the current call. */
  writeOfCall(): void {
    if (this.#lastOfCall !== undefined) this.write();
  }

  write(): void {
    const tables = this.#tables;
    this.drop();
    for (const { into, rows } of tables) this.#writeAll(into, rows);
  }

  /** Runs what writes or looks by itself. */
  after<T>(run: () => T): T {
    this.write();
    return run();
  }

  /** Forgets what is held: the transaction, or what the call alone did in it, was undone. */
  drop(): void {
    this.#tables = [];
    this.#lastOfCall = undefined;
  }

  #of(into: Inserts): HeldRows | undefined {
    return this.#tables.find((table) => table.into === into);
  }

  #begin(into: Inserts): HeldRows {
    const table: HeldRows = { into, rows: [], ids: new Set() };
    this.#tables.push(table);
    return table;
  }

  #isWrittenBeforeLast(into: Inserts): boolean {
    if (this.#lastOfCall === undefined || this.#lastOfCall.into === into) return false;
    const at = this.#tables.findIndex((table) => table.into === into);
    return at >= 0 && at < this.#tables.indexOf(this.#lastOfCall);
  }

  #writeAll(into: Inserts, rows: readonly Held[]): void {
    let at = 0;
    for (const size of rowsAtOnce) {
      for (; rows.length - at >= size; at += size) {
        const some = rows.slice(at, at + size);
        if (size === 1 || !this.#writeTogether(into(size), some)) writeEach(into(1), some);
      }
    }
  }

  /** False where one is refused: nothing is written then. */
  #writeTogether(insert: ReturnType<Inserts>, held: readonly Held[]): boolean {
    // A constraint undoes the statement by itself, but others' triggers may say that what was done stays.
    return this.#allOrNothing(() => {
      try {
        insert.run(...held.flatMap(({ id, doc }) => [id, doc]));
        return { value: true, keep: true };
      } catch (error) {
        if (!isConstraint(error) || !this.#isInTransaction()) throw error;
        return { value: false, keep: false };
      }
    });
  }
}

function writeEach(insert: ReturnType<Inserts>, held: readonly Held[]): void {
  for (const { id, doc, refuse } of held) {
    try {
      insert.run(id, doc);
    } catch (error) {
      refuse(error);
    }
  }
}
