/** What is in the file, and which of it is ours. */
import type { Database } from 'bun:sqlite';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { formatColumn, generatedColumns, type SchemaObject } from './ddl.ts';
import { toResourceTable } from './resource-tables.ts';

export interface Existing extends SchemaObject {
  /** The table that it belongs to. */
  readonly on: string;
}

export type Schema = ReadonlyMap<string, Existing>;

export function readSchema(database: Database): Schema {
  const rows = database
    .prepare<{ type: string; name: string; on: string; sql: string | null }, []>(
      'SELECT type, name, tbl_name AS "on", sql FROM sqlite_master',
    )
    .all();
  return new Map(
    rows.flatMap(({ type, name, on, sql }) =>
      type === 'table' || type === 'index' || type === 'view' || type === 'trigger' ? [[name, { type, name, on, sql: sql ?? '' }]] : [],
    ),
  );
}

/** Whether it is ours by its name, `<table>:<what>`, on a resource's table; a side table also by its first columns. */
export function isDerived({ type, name, on, sql }: Existing): boolean {
  const end = name.indexOf(':');
  if (end <= 0 || name.startsWith('_')) return false;
  if (type === 'table') return sql.includes('("e_r" integer NOT NULL, "e_v" blob NOT NULL,');
  return on === name.slice(0, end) || on.startsWith(name.slice(0, end + 1));
}

/** Refuses a table that others made first unless it is what their programs and ours agree on. */
export function mustBeResourceTable({ name, sql }: Existing, { idKind }: Resource): void {
  const idType = idKind === 'integer' ? 'integer' : 'text';
  const has = (column: string) => new RegExp(`\\W${column}\\W`, 'i').test(sql);
  if (has('"?n"? integer primary key') && has(`"?id"? ${idType} not null unique`) && has('"?doc"? text not null')) return;
  throw new Error(
    `the table ${name} exists and is not Tombolo's: it must have n INTEGER PRIMARY KEY, ` +
      `id ${idType.toUpperCase()} NOT NULL UNIQUE and doc TEXT NOT NULL`,
  );
}

export function foreignKeysOf(database: Database, { collection: name }: Resource): readonly string[] {
  const indexes = database
    .prepare<{ name: string }, [string]>(`SELECT name FROM pragma_index_list(?) WHERE "unique" AND origin = 'c'`)
    .all(name);
  return indexes.map((index) => `${name}.${index.name}`);
}

interface StaleColumn {
  readonly table: string;
  readonly name: string;
  /** Whether the column is dropped; else it is added as declared. */
  readonly drop: boolean;
  readonly declared: string;
}

/** Derived columns of an existing table to drop and to add, in that order; one described otherwise is in both. */
export function staleColumns(before: Schema, resource: Resource): readonly StaleColumn[] {
  const existing = before.get(resource.collection);
  if (existing === undefined) return [];
  const wanted = generatedColumns(toResourceTable(resource)).map((column) => ({ name: column.name, declared: formatColumn(column) }));
  const present = [...existing.sql.matchAll(/"([rv]_[\w.]+)" \w+ GENERATED/g)].map((match) => match[1] ?? '');
  const stale = new Set(wanted.filter(({ declared }) => !existing.sql.includes(declared)).map(({ name }) => name.slice(2)));
  const fits = (name: string) => wanted.some((column) => column.name === name) && !stale.has(name.slice(2));
  // `v_` is made from `r_`: they stay or go together, `v_` first, and come as the table declares them.
  const drops = present.filter((name) => !fits(name)).sort().reverse().map((name) => ({ name, declared: '', drop: true }));
  const adds = wanted.filter(({ name }) => !fits(name)).map((column) => ({ ...column, drop: false }));
  return [...drops, ...adds].map((column) => ({ ...column, table: resource.collection }));
}
