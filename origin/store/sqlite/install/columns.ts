/**
 * A field as SQLite sees it: two virtual generated columns, its bracket (`r_`) and its value (`v_`), so that
 * an index over them is in the order of `compareSortValues`. Paths are literal: a bound path is not matched
 * to its index. Only built-in functions, or other programs' writes would fail.
 */
import { DeclarationError } from '../../../../shared/checks/mistakes.ts';
import type { Resource } from '../../../../shared/contract/resource.ts';
import { toStoredPath } from '../../../../shared/contract/stored-names.ts';
import { isFieldName } from '../../../../shared/contract/system-fields.ts';
import { isExactKind, ranks, type ScalarKind } from '../../../../shared/wire/values.ts';
import { isArrayField, mustKind } from '../../kinds.ts';
import { exactKey, isDecimal } from './exact-keys.ts';

export function rankColumn(field: string): string {
  return `r_${field}`;
}

export function valueColumn(field: string): string {
  return `v_${field}`;
}

/** The id is a column of its own, text, with no bracket beside it. */
export function columnsOf(field: string): readonly string[] {
  return field === 'id' ? ['id'] : [rankColumn(field), valueColumn(field)];
}

/** Scalar fields that some index of the resource holds, `id` left out. */
export function indexedFields(resource: Resource): readonly string[] {
  const fields = new Set(resource.indexes.flatMap((index) => [...index.equal, ...index.sort.map((key) => key.field)]));
  fields.delete('id');
  const found = [...fields].filter((field) => !isArrayField(resource, field)).sort();
  const lower = new Set(found.map((field) => field.toLowerCase()));
  if (lower.size !== found.length) {
    const mistake = `indexed fields differ in case alone, which SQLite's columns cannot: ${found.join(', ')}`;
    throw new DeclarationError([`shared/resources/${resource.name}.ts: resource "${resource.name}": shapes: ${mistake}`]);
  }
  return found;
}

/** Where a field stands in `doc`, as a text of SQL. What is no object on the way to it has no member: there is NULL. */
export function jsonPath(resource: Pick<Resource, 'names'>, field: string): string {
  return memberPath(...toStoredPath(resource, field).split('.'));
}

/** The same of stored names. */
export function memberPath(...names: readonly string[]): string {
  const steps = names.map((name) => (isFieldName(name) ? name : JSON.stringify(name)));
  return `'$.${steps.join('.').replaceAll("'", "''")}'`;
}

export function rankExpression(resource: Resource, field: string): string {
  const [path, kind] = [jsonPath(resource, field), mustKind(resource, field)];
  const other = `WHEN 'array' THEN ${ranks.other} WHEN 'object' THEN ${ranks.other}`;
  const text = textRank(`json_extract("doc", ${path})`, kind);
  return `CASE json_type("doc", ${path}) WHEN 'text' THEN ${text} ${plainRanks} ${other} ELSE ${ranks.null} END`;
}

/** The value of a field, numbers as doubles: what JavaScript reads of them, so that a cursor names the place in the index. */
export function valueExpression(resource: Resource, field: string): string {
  const extracted = `json_extract("doc", ${jsonPath(resource, field)})`;
  const valueless = `WHEN ${ranks.null} THEN 0 WHEN ${ranks.other} THEN 0`;
  const number = isExactKind(mustKind(resource, field)) ? exactKey(`CAST(${extracted} AS TEXT)`) : `${extracted} * 1.0`;
  return `CASE "${rankColumn(field)}" ${valueless} WHEN ${ranks.number} THEN ${number} ELSE ${extracted} END`;
}

/** The bracket of an element that `json_each` gives under the name `e`. */
export function elementRank(kind: ScalarKind): string {
  return `CASE e.type WHEN 'text' THEN ${textRank('e.atom', kind)} ${plainRanks} END`;
}

export function elementValue(kind: ScalarKind): string {
  if (!isExactKind(kind)) return `CASE e.type WHEN 'integer' THEN e.atom * 1.0 ELSE e.atom END`;
  const text = 'CAST(e.atom AS TEXT)';
  return `CASE WHEN ${elementRank(kind)} = ${ranks.number} THEN ${exactKey(text)} ELSE e.atom END`;
}

const plainRanks = Object.entries({ integer: ranks.number, real: ranks.number, true: ranks.boolean, false: ranks.boolean })
  .map(([type, rank]) => `WHEN '${type}' THEN ${rank}`)
  .join(' ');

const digit = '[0-9]';
const instantGlob = 'dddd-dd-ddTdd:dd:dd.dddZ'.replaceAll('d', digit);

/** `isInstant`, `isObjectId` and `parseFinite`, in SQL. */
function textRank(text: string, kind: ScalarKind): string {
  if (isExactKind(kind)) return `CASE WHEN ${isDecimal(text)} THEN ${ranks.number} ELSE ${ranks.string} END`;
  if (kind === 'instant') return `CASE WHEN ${text} GLOB '${instantGlob}' THEN ${ranks.instant} ELSE ${ranks.string} END`;
  if (kind === 'objectId') {
    return `CASE WHEN length(${text}) = 24 AND ${text} NOT GLOB '*[^0-9a-f]*' THEN ${ranks.objectId} ELSE ${ranks.string} END`;
  }
  return String(ranks.string);
}
