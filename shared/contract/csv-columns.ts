/**
 * The columns in which a CSV holds whole documents: one for each member of a document, in the order of the declaration.
 * Scalars stand as they are; whatever holds more than one value, or may be of any type, stands as JSON text, so that an import
 * takes back what was there. A member that is absent and one that is null are both empty.
 */
import type { Json, JsonObject } from '../wire/values.ts';
import { toCsvCell } from '../wire/csv-cell.ts';
import { type Field, isScalarKind } from './fields.ts';

export interface CsvColumn {
  readonly name: string;
  readonly isJson: boolean;
}

export function csvColumnsOf({ fields }: { readonly fields: ReadonlyMap<string, Pick<Field, 'kind'>> }): readonly CsvColumn[] {
  const members = [...fields].filter(([path]) => path !== 'id' && !path.includes('.'));
  return [{ name: 'id', isJson: false }, ...members.map(([name, { kind }]) => ({ name, isJson: !isScalarKind(kind) }))];
}

/** Those that hold something of the fields; `undefined`: all. */
export function csvColumnsWithin(columns: readonly CsvColumn[], fields: readonly string[] | undefined): readonly CsvColumn[] {
  if (fields === undefined) return columns;
  const members = new Set(['id', ...fields.map((path) => path.split('.', 1)[0])]);
  return columns.filter(({ name }) => members.has(name));
}

export function toCsvHeader(columns: readonly CsvColumn[]): string {
  return columns.map(({ name }) => toCsvCell(name)).join();
}

export function toCsvRow(columns: readonly CsvColumn[], document: JsonObject): string {
  return columns.map(({ name, isJson }) => toCell(Object.hasOwn(document, name) ? document[name] : undefined, isJson)).join();
}

function toCell(value: Json | undefined, isJson: boolean): string {
  return toCsvCell(isJson && typeof value === 'string' ? JSON.stringify(value) : value);
}
