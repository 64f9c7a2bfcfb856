/** The statements of lists and counts. Text with placeholders only: equal requests share a prepared statement. */
import type { Resource } from '../../../../shared/contract/resource.ts';
import type { Branch } from '../../plan.ts';
import { limitBound } from '../connection/database.ts';
import { jsonPath, rankColumn, valueColumn } from '../install/columns.ts';
import { quote } from '../install/ddl.ts';
import { toIndexValue } from './index-values.ts';
import { type Component, type Condition, type Segment, type SqlValue, toSqlValue } from './keyset.ts';
import { indexName, isOwnIndex, onlyCondition } from '../install/resource-tables.ts';
import { elementRankColumn, elementValueColumn } from '../install/side-tables.ts';

type SqlParameter = string | number;

export interface Statement {
  readonly sql: string;
  readonly parameters: readonly SqlParameter[];
}

/** The rows of a segment in order, from the index alone: id, then the columns of the components that are not constant. */
export function toListStatement(
  resource: Resource, branch: Branch, components: readonly Component[], segment: Segment,
): (limit: number) => Statement {
  const walked = components.filter((component) => component.constant === undefined);
  const { from, index } = toSource(resource, branch);
  const where = toWhere(resource, branch, segment);
  const id = resource.idKind === 'integer' ? `CAST(${index}."id" AS TEXT)` : `${index}."id"`;
  const columns = [id, ...walked.flatMap(({ column }) => (column === 'id' ? [] : [`${index}.${quote(column)}`]))];
  const order = walked.map(({ column, descending }) => `${index}.${quote(column)}${descending ? ' DESC' : ''}`);
  const orderBy = order.length === 0 ? '' : ` ORDER BY ${order.join(', ')}`;
  const sql = `SELECT ${columns.join(', ')} FROM ${from}${where.sql(index)}${orderBy} ${limitBound}`;
  return (limit) => ({ sql, parameters: [...where.parameters, limit] });
}

/** The ids of a segment, from the index alone; `count(*)` of them ends at the limit. */
export function toIdsStatement(resource: Resource, branch: Branch, segment: Segment, limit: number): Statement {
  const { from, index } = toSource(resource, branch);
  const where = toWhere(resource, branch, segment);
  return { sql: `SELECT ${index}."id" FROM ${from}${where.sql(index)} ${limitBound}`, parameters: [...where.parameters, limit] };
}

/**
 * The side table, with its documents where they are looked into; or the table with its index named, so that no statistics of
 * others make SQLite choose another.
 */
function toSource(resource: Resource, branch: Branch): { readonly from: string; readonly index: string } {
  const table = quote(resource.collection);
  const name = quote(indexName(resource, branch.index));
  if (branch.has !== undefined) {
    const documents = branch.without.length === 0 ? '' : ` CROSS JOIN ${table} AS m ON m."n" = s."n"`;
    return { from: `${name} AS s${documents}`, index: 's' };
  }
  return { from: isOwnIndex(branch.index) ? `${table} AS m INDEXED BY ${name}` : `${table} AS m`, index: 'm' };
}

function toWhere(
  resource: Resource,
  branch: Branch,
  segment: Segment,
): { sql(alias: string): string; readonly parameters: readonly SqlParameter[] } {
  const conditions = distinct([...pinnedConditions(resource, branch), ...segment]).filter((condition) => !isSaid(branch, condition));
  const without = branch.without.map((each) => `NOT (${[...each].map((members) => toMember(resource, members)).join(' AND ')})`);
  const only = (alias: string) => (branch.index.only === undefined ? [] : [onlyCondition(branch.index.only, `${alias}.`)]);
  const texts = (alias: string) => [...conditions.map((condition) => format(condition, alias)), ...only(alias), ...without];
  return {
    sql(alias) {
      const all = texts(alias);
      return all.length === 0 ? '' : ` WHERE ${all.join(' AND ')}`;
    },
    parameters: [
      ...conditions.flatMap(({ values }) => values.map(toParameter)),
      ...branch.without.flatMap((each) => [...each.values()].flat().map((value) => (typeof value === 'boolean' ? Number(value) : value))),
    ],
  };
}

/** Whether one of these stands at the path; what is missing is none of them. */
function toMember(resource: Resource, [path, values]: readonly [string, readonly unknown[]]): string {
  return `coalesce(json_extract(m."doc", ${jsonPath(resource, path)}) IN (${values.map(() => '?').join(', ')}), 0)`;
}

/** Compared with a column of integers, the digits are the integer. */
function toParameter(value: SqlValue): SqlParameter {
  return typeof value === 'bigint' ? String(value) : value;
}

function pinnedConditions(resource: Resource, { pinned, has }: Branch): readonly Condition[] {
  const element = has === undefined ? undefined : toIndexValue(resource, has.field, has.value);
  const elements = element === undefined ? [] : [equal(elementRankColumn, element.rank), equal(elementValueColumn, element.value)];
  const fields = [...pinned].flatMap(([field, value]) => {
    const known = toIndexValue(resource, field, value);
    if (field === 'id') return [equal('id', toSqlValue(known))];
    return [equal(rankColumn(field), known.rank), equal(valueColumn(field), known.value)];
  });
  return [...elements, ...fields];
}

/** What the index says of its rows is asked in its words alone: beside a value that is bound SQLite prepares each time (`limitBound`). */
function isSaid({ index }: Branch, { columns: [column, more], operator }: Condition): boolean {
  return operator === '=' && more === undefined && Object.keys(index.only ?? {}).some((field) => valueColumn(field) === column);
}

function equal(column: string, value: SqlValue): Condition {
  return { columns: [column], operator: '=', values: [value] };
}

/** The conditions, each once: a field may be pinned and sorted by. */
function distinct(conditions: readonly Condition[]): readonly Condition[] {
  const seen = new Set<string>();
  return conditions.filter(({ columns: [column = ''], operator, columns }) => {
    if (operator !== '=' || columns.length > 1) return true;
    if (seen.has(column)) return false;
    seen.add(column);
    return true;
  });
}

function format({ columns, operator, values }: Condition, alias: string): string {
  const named = columns.map((column) => `${alias}.${quote(column)}`);
  return named.length === 1 ? `${named[0]} ${operator} ?` : `(${named.join(', ')}) ${operator} (${values.map(() => '?').join(', ')})`;
}
