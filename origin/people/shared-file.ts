/**
 * The people's file for better-auth's queries, as kysely asks it. Processes may share it (`--processes N`): a transaction takes the
 * write lock as it begins, since SQLite refuses one that reads before it writes where another process wrote in between; and a lock
 * of another process is waited for without keeping the event loop, which better-auth's transactions may hold for as long as it takes
 * to hash a password.
 */
import type { Database, SQLQueryBindings } from 'bun:sqlite';
import type { CompiledQuery, DatabaseConnection, Driver, QueryResult } from 'kysely';
import { unlocked } from '../store/sqlite/connection/unlocked.ts';

/** Between two tries for a lock. */
const retryMs = 5;
/** As long as the request may take that asks. */
const lockedMsMax = 10_000;

/** Throws what `run` throws, and SQLite's own error of a lock that is not freed in time. */
export function inTurn<T>(run: () => T): Promise<T> {
  const clock = () => performance.now();
  return unlocked(run, { clock, deadline: clock() + lockedMsMax, retryMs });
}

/** One connection, which queries have by turns, and a transaction until its end. */
export class SharedFileDriver implements Driver {
  readonly #file: Database;
  readonly #connection: DatabaseConnection;
  #free: Promise<void> = Promise.resolve();
  #release: () => void = () => undefined;

  constructor(file: Database) {
    this.#file = file;
    this.#connection = {
      executeQuery: <Row>(query: CompiledQuery) => inTurn(() => ask<Row>(file, query)),
      streamQuery() {
        throw new Error('rows of people are not streamed');
      },
    };
  }

  async init(): Promise<void> {}

  async acquireConnection(): Promise<DatabaseConnection> {
    const before = this.#free;
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#free = promise;
    await before;
    this.#release = resolve;
    return this.#connection;
  }

  async beginTransaction(): Promise<void> {
    await inTurn(() => this.#file.run('BEGIN IMMEDIATE'));
  }

  async commitTransaction(): Promise<void> {
    this.#file.run('COMMIT');
  }

  async rollbackTransaction(): Promise<void> {
    this.#file.run('ROLLBACK');
  }

  async releaseConnection(): Promise<void> {
    this.#release();
  }

  async destroy(): Promise<void> {
    this.#file.close();
  }
}

function ask<Row>(file: Database, { sql, parameters }: CompiledQuery): QueryResult<Row> {
  // Kept prepared by Bun, by its text.
  const statement = file.query<Row, SQLQueryBindings[]>(sql);
  const values = parameters as SQLQueryBindings[];
  if (statement.columnNames.length > 0) return { rows: statement.all(...values) };
  const { changes, lastInsertRowid } = statement.run(...values);
  return { rows: [], numAffectedRows: BigInt(changes), insertId: BigInt(lastInsertRowid) };
}
