/** What every engine asks of a document before it stores it, whatever the schema says. */
import { documentInvalid } from '../../shared/contract/documents.ts';
import type { JsonObject } from '../../shared/contract/values.ts';

/**
 * The JSON text of a document without its id. Text that is not Unicode (a lone surrogate) has no UTF-8 bytes,
 * so no order and no equality in a database: it is refused.
 */
export function mustDocText(id: string, document: JsonObject): string {
  if (id === '' || !id.isWellFormed()) throw documentInvalid([{ at: '/id', in: 'body', detail: 'must be text, not empty' }]);
  if (Object.hasOwn(document, 'id')) throw documentInvalid([{ at: '/id', in: 'body', detail: 'does not belong inside the document as stored' }]);
  const doc = JSON.stringify(document);
  // JSON.stringify escapes lone surrogates and leaves pairs as they are.
  if (doc.includes('\\ud') && /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(doc)) throw documentInvalid([{ at: '', in: 'body', detail: 'holds text that is not Unicode (a lone surrogate)' }]);
  return doc;
}
