/**
 * The slow, obvious version of the transform: the whole input as one string with a character for each byte,
 * a regular expression for each field, JSON.stringify for each value. It knows no bounds on lengths.
 */
import type { CsvColumn, CsvPlan } from '../../../shared/transforms/csv-plan.ts';
import type { CsvReason, CsvRejected } from '../../../shared/transforms/csv.ts';
import type { CsvResult } from './csv-run.ts';

interface Field {
  /** The text without quotes; escaped quotes are one. */
  text: string;
  isQuoted: boolean;
  /** What stands unquoted: the whole field, or what follows the closing quote. */
  open: string;
  isUnclosed: boolean;
}

interface Row {
  line: number;
  raw: string;
  fields: Field[];
}

const utf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/** The data rows under a header that is `header`, unquoted names, in this order. */
export function referenceCsv(plan: CsvPlan, header: readonly string[], body: Uint8Array): CsvResult {
  const result: CsvResult = { ndjson: '', rows: [], rejected: [] };
  toRows(Array.from(body, (byte) => String.fromCharCode(byte)).join('')).forEach((row, index) => {
    const fault = rowFault(row, header.length);
    const line = fault ? { reason: fault } : toLine(plan, header, row);
    if (typeof line === 'string') {
      result.ndjson += line;
      result.rows.push(index + 1);
    } else {
      result.rejected.push({ row: index + 1, line: row.line, ...line });
    }
  });
  return result;
}

function toRows(text: string): Row[] {
  const rows: Row[] = [];
  let at = 0;
  let line = 2;
  while (at < text.length) {
    const start = at;
    const fields: Field[] = [];
    do {
      const [field, next] = toField(text, fields.length === 0 ? at : at + 1);
      fields.push(field);
      at = next;
    } while (text[at] === ',');
    const last = fields.at(-1);
    const isEnded = text[at] === '\n';
    let raw = text.slice(start, at);
    if (isEnded && last?.open.endsWith('\r')) {
      last.open = last.open.slice(0, -1);
      if (!last.isQuoted) last.text = last.open;
      raw = raw.slice(0, -1);
    }
    if (raw !== '') rows.push({ line, raw, fields });
    at += 1;
    line += text.slice(start, at).split('\n').length - 1;
  }
  return rows;
}

function toField(text: string, at: number): [Field, next: number] {
  const quoted = match(/"((?:[^"]|"")*)"(?!")/y, text, at);
  if (text[at] === '"' && quoted === undefined) {
    return [{ text: '', isQuoted: true, open: '', isUnclosed: true }, text.length];
  }
  const from = at + (quoted?.length ?? 0);
  const open = match(/[^,\n]*/y, text, from) ?? '';
  const inside = quoted?.slice(1, -1).replaceAll('""', '"');
  const field = { text: inside ?? open, isQuoted: quoted !== undefined, open, isUnclosed: false };
  return [field, from + open.length];
}

function match(pattern: RegExp, text: string, at: number): string | undefined {
  pattern.lastIndex = at;
  return pattern.exec(text)?.[0];
}

function rowFault(row: Row, width: number): CsvReason | undefined {
  const raw = decode(row.raw);
  if (raw === undefined) return 'utf8_invalid';
  if (raw.startsWith('\ufeff')) return 'byte_order_mark';
  const faulty = row.fields.find(({ isQuoted, open, isUnclosed }) => isUnclosed || (isQuoted ? open !== '' : open.includes('"')));
  if (faulty) return faulty.isUnclosed ? 'quote_unclosed' : 'quote_stray';
  if (row.fields.some(({ isQuoted, open }) => !isQuoted && open.includes('\r'))) return 'carriage_return_lone';
  if (row.fields.length < width) return 'fields_missing';
  return row.fields.length > width ? 'fields_extra' : undefined;
}

function toLine(plan: CsvPlan, header: readonly string[], row: Row): string | Pick<CsvRejected, 'column' | 'reason'> {
  const entries: string[] = [];
  for (const column of plan.columns) {
    const field = row.fields[header.indexOf(column.source)];
    if (!field) continue;
    const text = decode(field.text) ?? '';
    if (text === '' && !column.required && !(field.isQuoted && column.kind === 'string')) continue;
    const reason = fieldFault(column, text);
    if (reason) return { column: column.source, reason };
    entries.push(`${JSON.stringify(column.key)}:${toJson(column, text)}`);
  }
  return `{${entries.join(',')}}\n`;
}

function fieldFault({ kind }: CsvColumn, text: string): CsvReason | undefined {
  if (kind === 'string') return undefined;
  if (text === '') return 'field_empty';
  if (kind === 'number') {
    if (!/^-?(0|[1-9][0-9]*)(\.[0-9]+)?([eE][+-]?[0-9]+)?$/.test(text)) return 'number_invalid';
    return Number.isFinite(Number(text)) ? undefined : 'number_out_of_range';
  }
  if (kind === 'integer') {
    if (!/^-?(0|[1-9][0-9]*)(\.0+)?$/.test(text)) return 'integer_invalid';
    return Number.isSafeInteger(Number(text)) ? undefined : 'integer_unsafe';
  }
  if (kind === 'boolean') return /^(true|false|TRUE|FALSE)$/.test(text) ? undefined : 'boolean_invalid';
  return isDateTime(text) ? undefined : 'date_time_invalid';
}

function isDateTime(text: string): boolean {
  const pattern = /^(\d{4}-\d\d-\d\d)T([01]\d|2[0-3]):[0-5]\d:[0-5]\d(\.\d+)?(Z|[+-]([01]\d|2[0-3]):[0-5]\d)$/;
  const day = pattern.exec(text)?.[1];
  if (day === undefined) return false;
  // A day that the month does not have comes back as another one.
  const time = Date.parse(`${day}T00:00:00Z`);
  return !Number.isNaN(time) && new Date(time).toISOString().startsWith(day);
}

function toJson({ kind }: CsvColumn, text: string): string {
  if (kind === 'string' || kind === 'date-time') return JSON.stringify(text);
  if (kind === 'integer') return text.replace(/\.0+$/, '');
  return kind === 'boolean' ? text.toLowerCase() : text;
}

function decode(bytes: string): string | undefined {
  try {
    return utf8.decode(Uint8Array.from(bytes, (character) => character.charCodeAt(0)));
  } catch {
    return undefined;
  }
}
