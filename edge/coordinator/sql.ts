/** What a coordinator asks of SQLite, whichever runtime brings it: a Durable Object's storage, or Bun's own. */
export type SqlValue = string | number | null;

export interface Rows<Row> extends Iterable<Row> {
  /** The only row; throws where there is none, or another. */
  one(): Row;
}

export interface Sql {
  exec<Row extends Record<string, SqlValue>>(query: string, ...values: SqlValue[]): Rows<Row>;
}

export interface Storage {
  readonly sql: Sql;
  transactionSync<T>(work: () => T): T;
}
