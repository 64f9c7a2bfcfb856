/** DDL from drizzle's own description of a table; drizzle itself writes it only in its command-line tool. */
import { is, SQL } from 'drizzle-orm';
import { type AnySQLiteColumn, getTableConfig, type SQLiteColumn, SQLiteSyncDialect, type SQLiteTable } from 'drizzle-orm/sqlite-core';

const dialect = new SQLiteSyncDialect();

/** Something in `sqlite_master`: made by `sql`, and remade when that text is another. */
export interface SchemaObject {
  readonly type: 'table' | 'index' | 'view' | 'trigger';
  readonly name: string;
  readonly sql: string;
}

/** Milliseconds of the epoch, by SQLite's clock; a Julian day in 64 bits is a little off either way. */
export const nowMs = `CAST(round((julianday('now') - 2440587.5) * 86400000) AS INTEGER)`;

export function quote(name: string): string {
  return name.includes('"') ? `"${name.replaceAll('"', '""')}"` : `"${name}"`;
}

export function toTableObject(table: SQLiteTable, options: { readonly withoutRowid: boolean }): SchemaObject {
  const { name, columns, primaryKeys } = getTableConfig(table);
  const keys = primaryKeys.map((key) => `PRIMARY KEY (${key.columns.map((column) => quote(column.name)).join(', ')})`);
  const parts = [...columns.map(formatColumn), ...keys];
  return { type: 'table', name, sql: `CREATE TABLE ${quote(name)} (${parts.join(', ')})${options.withoutRowid ? ' WITHOUT ROWID' : ''}` };
}

export function generatedColumns(table: SQLiteTable): readonly SQLiteColumn[] {
  return getTableConfig(table).columns.filter((column) => column.generated !== undefined);
}

/** A column as it stands in the table's text, also after `ALTER TABLE … ADD COLUMN`. */
export function formatColumn(column: AnySQLiteColumn): string {
  const parts = [quote(column.name), column.getSQLType()];
  if (column.primary) parts.push('PRIMARY KEY');
  if (column.notNull && !column.primary) parts.push('NOT NULL');
  if (column.isUnique) parts.push('UNIQUE');
  if (column.generated !== undefined) parts.push(`GENERATED ALWAYS AS (${expression(column.generated.as)}) VIRTUAL`);
  return parts.join(' ');
}

export function toIndexObjects(table: SQLiteTable): readonly SchemaObject[] {
  const { name: on, indexes } = getTableConfig(table);
  return indexes.map(({ config }) => {
    const columns = config.columns.map((column) => (is(column, SQL) ? expression(column) : quote(column.name)));
    const where = config.where === undefined ? '' : ` WHERE ${expression(config.where)}`;
    const sql = `CREATE INDEX ${quote(config.name)} ON ${quote(on)} (${columns.join(', ')})${where}`;
    return { type: 'index', name: config.name, sql };
  });
}

function expression(given: unknown): string {
  if (!is(given, SQL)) throw new Error('a generated column or an index is described by sql.raw(…)');
  return dialect.sqlToQuery(given).sql;
}
