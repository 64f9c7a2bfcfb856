/** What every engine asks of a document before it stores it, whatever the schema says. */
import { documentInvalid } from '../../shared/contract/documents.ts';
import type { Json, JsonObject } from '../../shared/wire/values.ts';
import { storeLimits } from './limits.ts';

/**
 * The JSON text of a document without its id. Text that is not Unicode (a lone surrogate) has no UTF-8 bytes,
 * so no order and no equality in a database: it is refused.
 */
export function mustDocText(id: string, document: JsonObject): string {
  if (id === '' || !id.isWellFormed()) throw documentInvalid([{ at: '/id', in: 'body', detail: 'must be text, not empty' }]);
  if (Object.hasOwn(document, 'id')) {
    throw documentInvalid([{ at: '/id', in: 'body', detail: 'does not belong inside the document as stored' }]);
  }
  const doc = JSON.stringify(document);
  // A level takes two characters at least: short text cannot be deep.
  if (doc.length > storeLimits.documentLevelsMax * 2 && isDeeper(document, storeLimits.documentLevelsMax)) {
    throw documentInvalid([{ at: '', in: 'body', detail: `is nested deeper than ${storeLimits.documentLevelsMax} levels` }]);
  }
  // JSON.stringify escapes lone surrogates and leaves pairs as they are.
  if (doc.includes('\\ud') && /(?<!\\)(?:\\\\)*\\ud[89a-f]/.test(doc)) {
    throw documentInvalid([{ at: '', in: 'body', detail: 'holds text that is not Unicode (a lone surrogate)' }]);
  }
  return doc;
}

function isDeeper(value: Json, levels: number): boolean {
  if (value === null || typeof value !== 'object') return false;
  if (levels === 0) return true;
  const inside: readonly Json[] = Array.isArray(value) ? value : Object.values(value);
  return inside.some((inner) => typeof inner === 'object' && isDeeper(inner, levels - 1));
}
