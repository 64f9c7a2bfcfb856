/** From `id` and `doc`, as they lie in the table, to a document and back. */
import type { JsonObject } from '../../../../shared/wire/values.ts';
import { StoredDocument } from '../../stored-document.ts';

export function toDocument(id: string, doc: string): StoredDocument {
  return new StoredDocument(id, toWirePieces(id, doc));
}

/** The wire text, `{"id":…,` and the rest. Others may have written an empty object, or space after the brace. */
function toWirePieces(id: string, doc: string): readonly string[] {
  const start = `{"id":${JSON.stringify(id)}`;
  return doc.charCodeAt(1) === quoteMark || !/^\{\s*\}/.test(doc) ? [`${start},`, doc.slice(1)] : [`${start}}`];
}

const quoteMark = 0x22;

export function toImage(id: string, doc: string | null): JsonObject | null {
  return doc === null ? null : toDocument(id, doc).value;
}
