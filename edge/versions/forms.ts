/**
 * Documents of an older version in the forms that the origin makes of the current one: the edge asks for JSON, a page or a
 * document a line, and writes the form itself, in the columns of the older version.
 */
import { type CsvColumn, csvColumnsWithin } from '../../shared/contract/csv-columns.ts';
import { isScalarKind } from '../../shared/contract/fields.ts';
import type { Resource } from '../../shared/contract/resource.ts';
import { markOf } from '../../shared/operations/export-mark.ts';
import type { Format } from '../../shared/operations/formats.ts';
import { type RowForm, toRowForm } from '../../shared/operations/row-form.ts';
import type { Translation } from '../../shared/versions/translation.ts';
import { isJsonObject, type Json, type JsonObject } from '../../shared/wire/values.ts';
import { toParameters } from '../../shared/wire/parameters.ts';
import type { MapLine } from './lines.ts';

export interface OlderForm {
  readonly translation: Translation;
  readonly format: Format;
  readonly resource: Resource;
  /** The query of the current version: its `fields` say which columns there are. */
  readonly query: string;
}

/** The lines of an export, each as the form has it; `null`: it has nothing there. */
export function downRows(older: OlderForm): MapLine {
  const form = toRowForm(older.format, () => olderColumnsOf(older));
  let isFirst = true;
  return (line) => {
    const value = JSON.parse(line) as Json;
    const begin = isFirst ? form.begin : '';
    const mark = markOf(value);
    const row = mark !== undefined ? markText(form, line, mark, begin) : begin + rowText(form, value, older.translation, isFirst);
    if (row !== null) isFirst = false;
    return row;
  };
}

/** A line ends with its line feed, whatever the form puts there. */
function rowText(form: RowForm, value: Json, translation: Translation, isFirst: boolean): string {
  const document = isJsonObject(value) ? translation.down(value) : value;
  return form.row(JSON.stringify(document), isFirst).replace(/\n$/, '');
}

function markText(form: RowForm, line: string, mark: JsonObject, begin: string): string | null {
  if (form.mark !== undefined) return line;
  // The form has no other way to say so.
  if (mark['complete'] === false) throw new Error('the origin broke the export off');
  return mark['complete'] === true ? (begin + form.end).replace(/\n$/, '') || null : null;
}

/** The rows of a page. */
export function downPageRows(page: JsonObject, older: OlderForm): string {
  const form = toRowForm(older.format, () => olderColumnsOf(older));
  const { data } = page;
  const rows = (Array.isArray(data) ? data : []).map((each: Json, index) =>
    form.row(JSON.stringify(isJsonObject(each) ? older.translation.down(each) : each), index === 0));
  return [form.begin, ...rows].join('');
}

/** Of the older version's own members, in its order. */
function olderColumnsOf({ translation, resource, query }: OlderForm): readonly CsvColumn[] {
  const places = translation.levels[0]?.old ?? new Map<string, unknown>();
  const members = [...places.keys()].filter((path) => path !== 'id' && !path.includes('.'));
  const columns = ['id', ...members].map((name) => {
    const kind = resource.fields.get(translation.upPath(name) ?? '')?.kind;
    return { name, isJson: kind !== undefined && !isScalarKind(kind) };
  });
  const fields = toParameters(query).get('fields');
  return csvColumnsWithin(columns, fields === null ? undefined : fields.split(',').flatMap((path) => translation.oldNames(path)));
}
