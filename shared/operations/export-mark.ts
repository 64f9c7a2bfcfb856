/**
 * The lines of an NDJSON export that are no documents: how far it is, now and then, and how it ended, last. No document is
 * like them: each has its id first, and no member of one can have a name that begins with `$`.
 *
 *   {"$export":{"rows":10000,"next":"…"}}                                     so far; `next` goes on from here, as `after`
 *   {"$export":{"rows":16512,"complete":true,"next":null,"position":"…"}}     all of it
 *   {"$export":{"rows":12000,"complete":false,"next":"…","position":"…","stopped":{"code":"…"}}}    broken off, and why
 *
 * Without a line that says `complete` the export was cut. `position` is where the exported state stands: a change feed goes
 * on from there.
 */
import { isJsonObject, type JsonObject } from '../wire/values.ts';

export interface ExportMark {
  /** Documents of this answer so far. */
  readonly rows: number;
  readonly next: string | null;
  readonly complete?: boolean;
  readonly position?: string;
  readonly stopped?: { readonly code: string; readonly detail?: string };
}

export function toMarkLine(mark: ExportMark): string {
  return `{"$export":${JSON.stringify(mark)}}`;
}

/** The mark in a parsed line; `undefined`: it is a document. */
export function markOf(line: unknown): JsonObject | undefined {
  if (typeof line !== 'object' || line === null || !Object.hasOwn(line, '$export') || Object.keys(line).length > 1) return undefined;
  const { $export: mark } = line as { readonly $export: unknown };
  return isJsonObject(mark) ? mark : undefined;
}
