// $changeStreamSplitLargeEvent: an event too large for one document, in fragments of its top-level fields.
import { fail } from '../errors.ts';
import { documentBytes, DOCUMENT_BYTES_MAX } from '../values/size.ts';
import type { Doc } from '../values/types.ts';
import { type Token, toToken } from './token.ts';

export function splitEvent(doc: Doc, token: Token): Doc[] {
  if (documentBytes(doc) <= DOCUMENT_BYTES_MAX) return [doc];
  const { _id: _, ...fields } = doc;
  const parts: Doc[] = [];
  let part: Doc = {};
  let bytes = 0;
  for (const [name, value] of Object.entries(fields).sort((a, b) => documentBytes({ x: a[1] }) - documentBytes({ x: b[1] }))) {
    const size = documentBytes({ [name]: value });
    if (size > DOCUMENT_BYTES_MAX - 1024) throw fail('BSONObjectTooLarge', `Splitting change event failed: the field ${name} exceeds the maximum document size`);
    if (bytes + size > DOCUMENT_BYTES_MAX - 1024) { parts.push(part); part = {}; bytes = 0; }
    part[name] = value;
    bytes += size;
  }
  parts.push(part);
  return parts.map((fields, i) => ({ _id: toToken({ ...token, fragment: i + 1 }), splitEvent: { fragment: i + 1, of: parts.length }, ...fields }));
}
