/** A value as one field of a CSV (RFC 4180 §2): text that says something to its reader, a byte order mark too, and empty text in quotes. */
import type { Json } from './values.ts';

export function toCsvCell(value: Json | undefined): string {
  if (value === undefined || value === null) return '';
  if (typeof value !== 'string') return typeof value === 'object' ? quoted(JSON.stringify(value)) : String(value);
  return value === '' || /[",\r\n\ufeff]/.test(value) ? quoted(value) : value;
}

function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}
