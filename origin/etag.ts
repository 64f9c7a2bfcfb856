/**
 * Entity tags and preconditions (RFC 9110 §8.8.3, §13). The tag is a hash of the bytes sent, never the
 * revision: other programs write too, and projections differ.
 */
import { Fault } from '../shared/contract/fault.ts';

export function toETag(body: string | Uint8Array): string {
  return `"${Bun.SHA256.hash(body, 'base64url').slice(0, 22)}"`;
}

/** If-None-Match: weak comparison (§13.1.2). `*` matches anything that exists. */
export function matchesNone(header: string | null, etag: string): boolean {
  return header !== null && (header.trim() === '*' || tagsOf(header).some((tag) => tag.replace(/^W\//, '') === etag));
}

/** If-Match: strong comparison (§13.1.1); `undefined` stands for no representation. */
export function mustMatch(header: string | null, etag: () => string | undefined): void {
  if (header === null) return;
  const current = etag();
  const holds = current !== undefined && (header.trim() === '*' || tagsOf(header).includes(current));
  if (!holds) throw new Fault('precondition_failed', { detail: 'If-Match: the document is not the one you read' });
}

function tagsOf(header: string): readonly string[] {
  return header.match(/(?:W\/)?"[^"]*"/g) ?? [];
}
