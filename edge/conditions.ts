/** Conditional requests and entity tags (RFC 9110 §8.8.3, §13.1). */
import { Fault } from '../shared/contract/fault.ts';
import type { SentHeaders } from './sent-headers.ts';

const tag = /(?:W\/)?"[\x21\x23-\x7e]*"/;
const tags = new RegExp(`^\\s*(?:\\*|${tag.source}(?:\\s*,\\s*${tag.source})*)\\s*$`);

/** The header as it was sent, once its syntax holds. */
export function parseCondition(sent: SentHeaders, name: 'If-Match' | 'If-None-Match'): string | undefined {
  const header = sent.get(name.toLowerCase());
  if (header === null) return undefined;
  if (tags.test(header)) return header;
  throw new Fault('header_invalid', { detail: `${name}: entity tags in double quotes, or *`, errors: [{ at: name, in: 'header', detail: 'entity tags in double quotes, comma between, or *' }] });
}

/** If-None-Match: weak comparison (§13.1.2). */
export function matchesWeakly(header: string, etag: string): boolean {
  if (header.trim() === '*') return true;
  const opaque = etag.replace(/^W\//, '');
  const listed: readonly string[] = header.match(/"[^"]*"/g) ?? [];
  return listed.includes(opaque);
}
