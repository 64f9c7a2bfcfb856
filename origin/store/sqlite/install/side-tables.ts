/**
 * Side tables: the index of a field that is many. One row for each distinct scalar element of a document, with the
 * equality and sort columns beside it, in the order of the index and kept by the triggers of the resource. `n`
 * leads back to the document: by its id instead, through a second b-tree, a page of 20 costs a third more. Rows are
 * forgotten by their keys, which the document before gives: an index of their ids costs an insert a fourth more.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import { toStoredPath } from '../../../../shared/contract/stored-names.ts';
import type { IndexSpec } from '../../../../shared/contract/shapes.ts';
import { mustKind } from '../../kinds.ts';
import { elementRank, elementValue, memberPath } from './columns.ts';
import { quote, type SchemaObject } from './ddl.ts';
import { formatIndexColumn, indexColumns, indexName } from './resource-tables.ts';

export const elementRankColumn = 'e_r';
export const elementValueColumn = 'e_v';

export interface SideTable {
  readonly name: string;
  readonly objects: readonly SchemaObject[];
  /** A statement that adds the rows of one document: `row` is NEW in a trigger, the table's name elsewhere. */
  fill(row: string): string;
  /** A statement that drops the rows of documents as they were: `row` is OLD in a trigger, or a source of rows. */
  forget(row: string | RowSource): string;
}

/** Rows with the columns of a resource's table, under a name. */
export interface RowSource {
  readonly name: string;
  readonly from: string;
}

export function sideTablesOf(resource: Resource): readonly SideTable[] {
  return resource.indexes.flatMap((spec) => (spec.has === undefined ? [] : [toSideTable(resource, spec, spec.has)]));
}

function toSideTable(resource: Resource, spec: IndexSpec, array: string): SideTable {
  const name = indexName(resource, spec);
  const columns = indexColumns(spec);
  const key = [elementRankColumn, elementValueColumn].map(quote).concat(columns.map(formatIndexColumn));
  const declared = [
    `"${elementRankColumn}" integer NOT NULL`,
    `"${elementValueColumn}" blob NOT NULL`,
    ...columns.map(({ column }) => `"${column}" ${typeOf(resource, column)} NOT NULL`),
    '"n" integer NOT NULL',
  ];
  const rowsOf = (row: string, from: string) => {
    const values = [elements(resource, array), ...columns.map(({ column }) => `${row}."${column}"`)];
    return { values: values.join(', '), from: fromElements(row, from, toStoredPath(resource, array)) };
  };
  return {
    name,
    objects: [
      { type: 'table', name, sql: `CREATE TABLE ${quote(name)} (${declared.join(', ')}, PRIMARY KEY (${key.join(', ')})) WITHOUT ROWID` },
    ],
    // DISTINCT makes a b-tree for each row that is written, as an IN of several values does: together a fifth of the cost of an
    // insert. What stands twice meets its key.
    fill: (row) => {
      const { values, from } = rowsOf(row, row === 'NEW' ? '' : row);
      return `INSERT INTO ${quote(name)} SELECT ${values}, ${row}."n" FROM ${from} ON CONFLICT DO NOTHING`;
    },
    forget: (row) => {
      const { values, from } = typeof row === 'string' ? rowsOf(row, '') : rowsOf(row.name, row.from);
      const columnNames = [elementRankColumn, elementValueColumn, ...columns.map(({ column }) => column)].map(quote);
      return `DELETE FROM ${quote(name)} WHERE (${columnNames.join(', ')}) IN (SELECT ${values} FROM ${from})`;
    },
  };
}

function typeOf({ idKind }: Resource, column: string): string {
  if (column === 'id') return idKind === 'integer' ? 'integer' : 'text';
  return column.startsWith('r_') ? 'integer' : 'blob';
}

function elements(resource: Resource, array: string): string {
  const kind = mustKind(resource, array);
  return `${elementRank(kind)}, ${elementValue(kind)}`;
}

/**
 * The elements at a path of stored names: a lone scalar is its own, as MongoDB has it; an object's members are none. The field is cut out
 * first, in JSON, which only an extract of two paths gives (the second is left aside): `json_each` would parse the
 * whole document anew, where the other functions share one parse.
 */
function fromElements(row: string, rows: string, path: string): string {
  const steps = path.split('.');
  const last = steps.pop() ?? '';
  const holders = steps.map((step, depth) => `${holdersIn(depth === 0 ? `${row}."doc"` : objectOf(depth - 1), step)} AS h${depth}`);
  const holder = steps.length === 0 ? `${row}."doc"` : objectOf(steps.length - 1);
  const each = `json_each(json_extract(${holder}, ${memberPath(last)}, '$.id'), '$[0]') AS e`;
  // What is no scalar, or null, has no atom.
  const isElement = `e.atom IS NOT NULL AND json_type(${holder}, ${memberPath(last)}) <> 'object'`;
  return `${[...(rows === '' ? [] : [rows]), ...holders, each].join(', ')} WHERE ${isElement}`;
}

/** What stands at a member, or each element of it: a lone object is its own. */
function holdersIn(holder: string, step: string): string {
  const value = `json_extract(${holder}, ${memberPath(step)})`;
  const type = `json_type(${holder}, ${memberPath(step)})`;
  return `json_each(CASE ${type} WHEN 'array' THEN ${value} WHEN 'object' THEN json_array(${value}) END)`;
}

/** An element that has members; NULL, of which there are none, for any other. */
function objectOf(depth: number): string {
  return `CASE h${depth}.type WHEN 'object' THEN h${depth}.value END`;
}
