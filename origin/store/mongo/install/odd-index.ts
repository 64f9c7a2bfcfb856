/**
 * The partial index of odd documents (read/odd-documents.ts). Its filter follows from the declaration, so each version of a
 * contract that runs over a collection may have one of its own, beside those of the others.
 */
import type { Document, IndexDescriptionInfo } from 'mongodb';
import { digest64, toCanonicalJson } from '../../../../shared/wire/hash.ts';
import { keyText } from './index-match.ts';

const firstName = 'tombolo_odd';

/** A second field, which no document has: an index over `_id` alone cannot be partial. */
const key: Document = { _id: 1, [firstName]: 1 };

export function isOddIndex(index: Pick<IndexDescriptionInfo, 'key'>): boolean {
  return keyText(index.key) === keyText(key);
}

/** The name of the one that finds what `filter` does. */
export function servingOddIndex(there: readonly IndexDescriptionInfo[], filter: Document): string | undefined {
  return there.find((index) => isOddIndex(index) && Bun.deepEquals(index['partialFilterExpression'], filter))?.name;
}

export function toOddIndex(there: readonly IndexDescriptionInfo[], filter: Document): Document & { readonly name: string } {
  const isTaken = there.some(({ name }) => name === firstName);
  const name = isTaken ? `${firstName}_${digest64(toCanonicalJson(filter))}` : firstName;
  return { key, name, partialFilterExpression: filter };
}
