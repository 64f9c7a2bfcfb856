/** A representation under its caller's conditions, and how it is read. */
import type { Answer, Asked } from '../call.ts';
import type { ReadOptions } from '../store/store.ts';
import { toBytes } from './body-bytes.ts';
import { isUnchanged, mustMatch, toETag } from './etag.ts';

export function readOptions({ deadline, atLeast }: Asked): ReadOptions {
  return atLeast === undefined ? { deadline } : { deadline, atLeast };
}

/** RFC 9110 §13.2.2: refused, unchanged or found. Encoded once, for its hash and for the socket. */
export function conditional({ preconditions }: Asked, pieces: readonly string[]): Answer {
  const body = toBytes(pieces);
  const etag = toETag(body);
  mustMatch(preconditions, () => etag);
  return isUnchanged(preconditions, etag)
    ? { outcome: 'unchanged', etag }
    : { outcome: 'found', body, etag, mediaType: 'application/json' };
}
