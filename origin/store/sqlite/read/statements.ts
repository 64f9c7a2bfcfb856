/** Prepared statements by their text, a bounded number of them: preparing costs ten times what running does. */
import type { Statement as Prepared } from 'bun:sqlite';
import { storeLimits } from '../../limits.ts';
import type { StoreDatabase } from '../connection/database.ts';
import type { SqlValue } from './keyset.ts';
import type { Statement } from './branch-query.ts';

export type SqlRow = readonly (SqlValue | null)[];

export class Statements {
  readonly #database: StoreDatabase;
  /** Statements in order of use: a Map keeps insertion order, and a hit is inserted again. */
  readonly #kept = new Map<string, Prepared<unknown, SqlValue[]>>();

  constructor(database: StoreDatabase) {
    this.#database = database;
  }

  rows({ sql, parameters }: Statement): readonly SqlRow[] {
    return asRows(this.#prepared(sql).values(...parameters));
  }

  #prepared(sql: string): Prepared<unknown, SqlValue[]> {
    const kept = this.#kept.get(sql);
    const statement = kept ?? this.#database.prepare<unknown, SqlValue[]>(sql);
    if (kept !== undefined) this.#kept.delete(sql);
    this.#kept.set(sql, statement);
    if (this.#kept.size > storeLimits.statementsKeptMax) this.#dropOldest();
    return statement;
  }

  #dropOldest(): void {
    for (const [sql, statement] of this.#kept) {
      this.#database.finalize(statement);
      this.#kept.delete(sql);
      return;
    }
  }
}

/** Rows of our columns hold text, numbers and NULL: checks refuse blobs, and no connection asks for BigInt. */
function asRows(values: readonly (readonly unknown[])[]): readonly SqlRow[] {
  return values as readonly SqlRow[];
}
