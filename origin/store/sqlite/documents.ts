/** From `id` and `doc`, as they lie in the table, to a document and back. */
import { documentInvalid } from '../../../shared/contract/documents.ts';
import type { JsonObject } from '../../../shared/contract/values.ts';
import { StoredDocument } from '../stored-document.ts';

export function toDocument(id: string, doc: string): StoredDocument {
  return new StoredDocument(id, toWireText(id, doc));
}

/** `{"id":…,` and the rest. Others may have written an empty object, or space after the brace. */
function toWireText(id: string, doc: string): string {
  const start = `{"id":${JSON.stringify(id)}`;
  return doc.charCodeAt(1) === quoteMark || !/^\{\s*\}/.test(doc) ? `${start},${doc.slice(1)}` : `${start}}`;
}

const quoteMark = 0x22;

/**
 * A document as it is stored: what the triggers ask of others holds here by construction. Text that is not
 * Unicode (a lone surrogate) has no UTF-8 bytes, so no order and no equality in a database: it is refused.
 */
export function mustDocText(id: string, document: JsonObject): string {
  if (id === '' || !id.isWellFormed()) throw documentInvalid([{ at: '/id', in: 'body', detail: 'must be text, not empty' }]);
  if (Object.hasOwn(document, 'id')) throw documentInvalid([{ at: '/id', in: 'body', detail: 'does not belong inside the document as stored' }]);
  const doc = JSON.stringify(document);
  // JSON.stringify escapes lone surrogates and leaves pairs as they are.
  if (doc.includes('\\ud') && /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(doc)) throw documentInvalid([{ at: '', in: 'body', detail: 'holds text that is not Unicode (a lone surrogate)' }]);
  return doc;
}

/** An image of the log. */
export function toImage(id: string, doc: string | null): JsonObject | null {
  return doc === null ? null : toDocument(id, doc).value;
}
