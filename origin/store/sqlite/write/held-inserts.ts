/**
 * New documents of one call, held back so that one statement writes many: SQLite sets aside, for each statement, all pages that it
 * changes, which one row at a time is a sixth of what an import costs it. Whoever looks at what is stored has them written first.
 * Where one row of several is refused, all are undone and written one by one, so that each has its own outcome.
 */
import type { Statement } from 'bun:sqlite';
import { isConstraint } from '../connection/errors.ts';

/** Rows of one statement; fewer are written one by one. */
export const rowsAtOnce = 25;

export interface Inserts {
  readonly one: Statement<null, [id: string, doc: string]>;
  /** For `rowsAtOnce` of them; prepared when there are so many. */
  readonly many: Statement<null, string[]>;
}

interface Held {
  readonly id: string;
  readonly doc: string;
  /** Called with the constraint that does not let this one in. */
  refuse(error: unknown): void;
}

/** Undoes what `run` wrote where it says so; what it throws is undone by whoever writes the call. */
type AllOrNothing = (run: () => { readonly value: boolean; readonly keep: boolean }) => boolean;

export class HeldInserts {
  readonly #allOrNothing: AllOrNothing;
  readonly #isInTransaction: () => boolean;
  readonly #ids = new Set<string>();
  #held: Held[] = [];
  #into: Inserts | undefined;

  constructor(allOrNothing: AllOrNothing, isInTransaction: () => boolean) {
    this.#allOrNothing = allOrNothing;
    this.#isInTransaction = isInTransaction;
  }

  /** Whether this document is among them. */
  has(into: Inserts, id: string): boolean {
    return this.#into === into && this.#ids.has(id);
  }

  /** As many as are written at once: nobody adds another before they are. */
  get isFull(): boolean {
    return this.#held.length === rowsAtOnce;
  }

  add(into: Inserts, held: Held): void {
    if (this.#into !== into) this.write();
    this.#into = into;
    this.#held.push(held);
    this.#ids.add(held.id);
  }

  write(): void {
    const [into, held] = [this.#into, this.#held];
    if (into === undefined || held.length === 0) return;
    this.#held = [];
    this.#ids.clear();
    if (held.length < rowsAtOnce || !this.#writeTogether(into, held)) writeEach(into, held);
  }

  /** False where one is refused: nothing is written then. */
  #writeTogether(into: Inserts, held: readonly Held[]): boolean {
    // A constraint undoes the statement by itself, but others' triggers may say that what was done stays.
    return this.#allOrNothing(() => {
      try {
        into.many.run(...held.flatMap(({ id, doc }) => [id, doc]));
        return { value: true, keep: true };
      } catch (error) {
        if (!isConstraint(error) || !this.#isInTransaction()) throw error;
        return { value: false, keep: false };
      }
    });
  }
}

function writeEach({ one }: Inserts, held: readonly Held[]): void {
  for (const { id, doc, refuse } of held) {
    try {
      one.run(id, doc);
    } catch (error) {
      refuse(error);
    }
  }
}
