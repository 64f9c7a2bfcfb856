/**
 * A resource as a drizzle table: `n`, `id`, `doc` (the document as JSON text, without its id) and what its
 * indexes need, derived. Others read and write `id` and `doc` with plain SQL; the rest follows by itself.
 */
import { sql } from 'drizzle-orm';
import { customType, index, integer, type SQLiteColumnBuilderBase, sqliteTable, text } from 'drizzle-orm/sqlite-core';
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { IndexSpec } from '../../../../shared/contract/shapes.ts';
import { columnsOf, indexedFields, rankColumn, rankExpression, valueColumn, valueExpression } from './columns.ts';

const n = integer('n').primaryKey();
const doc = text('doc').notNull();
/** Integers lie in a column of their own kind, so that SQLite itself orders them and refuses others. */
const textIds = { n, id: text('id').notNull().unique(), doc };
const integerIds = { n, id: integer('id').notNull().unique(), doc };

/** SQLite's type without an affinity, which keeps '1' a text and 1 a number. */
const anyValue = customType<{ data: string | number }>({ dataType: () => 'blob' });


export function toResourceTable(resource: Resource) {
  // Derived columns are never named through drizzle's types: lists are built as text (branch-query.ts).
  const derived: object = toDerivedColumns(resource);
  const columns = { ...documentColumns(resource), ...derived };
  return sqliteTable(resource.collection, columns, () => scalarIndexes(resource).map(toTableIndex(resource)));
}

function documentColumns({ idKind }: Resource): typeof textIds {
  return idKind === 'integer' ? asTextIds(integerIds) : textIds;
}

/** An id is given as text either way: SQLite makes of it what its column holds (https://www.sqlite.org/datatype3.html, 3). */
function asTextIds(columns: object): typeof textIds {
  return columns as typeof textIds;
}

function toDerivedColumns(resource: Resource): Readonly<Record<string, SQLiteColumnBuilderBase>> {
  return Object.fromEntries(indexedFields(resource).flatMap((field): [string, SQLiteColumnBuilderBase][] => {
    const [rank, value] = [sql.raw(rankExpression(resource, field)), sql.raw(valueExpression(resource, field))];
    return [
      [rankColumn(field), integer(rankColumn(field)).generatedAlwaysAs(rank, { mode: 'virtual' })],
      [valueColumn(field), anyValue(valueColumn(field)).generatedAlwaysAs(value, { mode: 'virtual' })],
    ];
  }));
}

/** Rows of `id` and `doc` with the columns that the table would derive: values follow from brackets, so they come after these. */
export function withDerivedColumns(resource: Resource, rows: string): string {
  const fields = indexedFields(resource);
  const named = (expression: (field: string) => string, column: (field: string) => string) =>
    ['*', ...fields.map((field) => `${expression(field)} AS "${column(field)}"`)].join(', ');
  const ranked = `SELECT ${named((field) => rankExpression(resource, field), rankColumn)} FROM (${rows})`;
  return `SELECT ${named((field) => valueExpression(resource, field), valueColumn)} FROM (${ranked})`;
}

export function indexName(resource: Resource, spec: IndexSpec): string {
  return `${resource.collection}:${spec.name}`;
}

/** The unique index of the id serves what begins with the id; arrays have side tables. */
export function isOwnIndex(spec: IndexSpec): boolean {
  return spec.has === undefined && indexColumns(spec)[0]?.column !== 'id';
}

function scalarIndexes(resource: Resource): readonly IndexSpec[] {
  return resource.indexes.filter(isOwnIndex);
}

interface IndexColumn {
  readonly column: string;
  readonly descending: boolean;
}

/** The columns of an index (and of a side table, after the element): equalities, then the order. */
export function indexColumns(spec: IndexSpec): readonly IndexColumn[] {
  const equal = spec.equal.flatMap(columnsOf).map((column) => ({ column, descending: false }));
  const sort = spec.sort.flatMap((key) => columnsOf(key.field).map((column) => ({ column, descending: key.descending })));
  return [...equal, ...sort.filter(({ column }) => !equal.some((pinned) => pinned.column === column))];
}

export function formatIndexColumn({ column, descending }: IndexColumn): string {
  return descending ? `"${column}" DESC` : `"${column}"`;
}

function toTableIndex(resource: Resource) {
  return (spec: IndexSpec) => {
    const [first, ...rest] = indexColumns(spec).map((column) => sql.raw(formatIndexColumn(column)));
    if (first === undefined) throw new Error(`index ${spec.name} of ${resource.name} has no columns`);
    const made = index(indexName(resource, spec)).on(first, ...rest);
    return spec.only === undefined ? made : made.where(sql.raw(onlyCondition(spec.only)));
  };
}

/** SQLite takes such an index where a query says the same in the same words: a value that is bound would not do. */
export function onlyCondition(only: Readonly<Record<string, string>>, alias = ''): string {
  return Object.entries(only).map(([field, value]) => `${alias}"${valueColumn(field)}" = '${value.replaceAll("'", "''")}'`).join(' AND ');
}
