/**
 * Entity tags and preconditions (RFC 9110 §8.8.3, §13). The tag is a hash of the bytes sent, never the
 * revision: other programs write too, and projections differ.
 */
import { listsStrongly, listsWeakly } from '../../shared/wire/entity-tags.ts';
import { Fault } from '../../shared/wire/fault.ts';
import type { Preconditions } from '../../shared/contract/preconditions.ts';

export function toETag(body: string | Uint8Array): string {
  return `"${Bun.SHA256.hash(body, 'base64url').slice(0, 22)}"`;
}

/** Whether a read may be answered 304: If-None-Match does not hold (RFC 9110 §13.1.2). */
export function isUnchanged({ ifNoneMatch }: Preconditions, etag: string): boolean {
  return ifNoneMatch !== undefined && listsWeakly(ifNoneMatch, etag);
}

/** If-Match (RFC 9110 §13.1.1). `etag` is asked for where there is a condition; `undefined` stands for no representation. */
export function mustMatch({ ifMatch }: Preconditions, etag: () => string | undefined): void {
  if (ifMatch === undefined) return;
  const current = etag();
  if (current === undefined) throw new Fault('precondition_failed', { detail: 'If-Match: there is no such document' });
  if (!listsStrongly(ifMatch, current)) {
    throw new Fault('precondition_failed', { detail: 'If-Match: the document is not the one you read' });
  }
}

/** Both conditions of a write, in the order of RFC 9110 §13.2.2, once nothing else would refuse it (§13.2.1). */
export function mustMeetConditions(preconditions: Preconditions, etag: () => string | undefined): void {
  mustMatch(preconditions, etag);
  if (preconditions.ifNoneMatch === undefined) return;
  const current = etag();
  if (current !== undefined && isUnchanged(preconditions, current)) {
    throw new Fault('precondition_failed', { detail: 'If-None-Match: the document is one that you named' });
  }
}
