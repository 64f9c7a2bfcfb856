/**
 * Side tables: the index of an array field. One row for each distinct scalar element of a document, with the
 * equality and sort columns beside it, in the order of the index and kept by the triggers of the resource. `n`
 * leads back to the document: by its id instead, through a second b-tree, a page of 20 costs a third more.
 */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { IndexSpec } from '../../../../shared/contract/shapes.ts';
import { mustKind } from '../../kinds.ts';
import { elementRank, elementValue } from './columns.ts';
import { quote, type SchemaObject } from './ddl.ts';
import { formatIndexColumn, indexColumns, indexName } from './resource-tables.ts';

export const elementRankColumn = 'e_r';
export const elementValueColumn = 'e_v';

export interface SideTable {
  readonly name: string;
  readonly objects: readonly SchemaObject[];
  /** A statement that adds the rows of one document: `row` is NEW in a trigger, the table's name elsewhere. */
  fill(row: string): string;
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
  return {
    name,
    objects: [
      { type: 'table', name, sql: `CREATE TABLE ${quote(name)} (${declared.join(', ')}, PRIMARY KEY (${key.join(', ')})) WITHOUT ROWID` },
      { type: 'index', name: `${name}:id`, sql: `CREATE INDEX ${quote(`${name}:id`)} ON ${quote(name)} ("id")` },
    ],
    fill: (row) => {
      const values = [elements(resource, array), ...columns.map(({ column }) => `${row}."${column}"`), `${row}."n"`];
      return `INSERT INTO ${quote(name)} SELECT DISTINCT ${values.join(', ')} FROM ${from(row, array)}`;
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
 * The elements of an array: a lone scalar is its own, as MongoDB has it; an object's members are none. The field is cut out
 * first, in JSON, which only an extract of two paths gives (there is no `id`): `json_each` would parse the
 * whole document anew, where the other functions share one parse.
 */
function from(row: string, array: string): string {
  const field = `json_extract(${row}."doc", '$.${array}', '$.id')`;
  const isElement = `e.type IN ('text', 'integer', 'real', 'true', 'false') AND json_type(${row}."doc", '$.${array}') <> 'object'`;
  const each = `json_each(${field}, '$[0]') AS e WHERE ${isElement}`;
  return row === 'NEW' ? each : `${row}, ${each}`;
}
