/** Documents one behind another in one of the forms in which they are given out. */
import { type CsvColumn, toCsvHeader, toCsvRow } from '../contract/csv-columns.ts';
import type { JsonObject } from '../wire/values.ts';
import { type ExportMark, toMarkLine } from './export-mark.ts';
import type { Format } from './formats.ts';

export interface RowForm {
  readonly begin: string;
  /** The text of a document is JSON. */
  row(text: string, isFirst: boolean): string;
  /** `undefined`: the form has no place for what is no document. */
  mark?(mark: ExportMark): string;
  /** Behind the last document, of an export alone: one that was cut does not end so, whatever became of its connection. */
  readonly end: string;
}

export function toRowForm(format: Format, columns: () => readonly CsvColumn[]): RowForm {
  switch (format) {
    case 'ndjson':
      return { begin: '', row: (text) => `${text}\n`, mark: (mark) => `${toMarkLine(mark)}\n`, end: '' };
    case 'json':
      return { begin: '[', row: (text, isFirst) => (isFirst ? text : `,\n${text}`), end: ']\n' };
    case 'csv':
      return toCsvForm(columns());
  }
}

function toCsvForm(columns: readonly CsvColumn[]): RowForm {
  const row = (text: string) => `${toCsvRow(columns, JSON.parse(text) as JsonObject)}\r\n`;
  // An empty line, which readers of CSV pass over.
  return { begin: `${toCsvHeader(columns)}\r\n`, row, end: '\r\n' };
}
