/** A representation under its caller's conditions, and how it is read. */
import type { Position } from '../../shared/wire/position.ts';
import type { Answer, Asked, StateAnswer } from '../call.ts';
import type { ReadOptions } from '../store/store.ts';
import { toBytes } from './body-bytes.ts';
import { isUnchanged, mustMatch, toETag } from './etag.ts';

export function readOptions({ deadline, atLeast }: Asked): ReadOptions {
  return atLeast === undefined ? { deadline } : { deadline, atLeast };
}

/** Where a state was read, what of, and what lies around it; JSON unless another media type is said. */
export type StateFacts = Pick<Answer, 'pages' | 'alsoRead' | 'stated' | 'mediaType'> & { readonly readAt: Position };

/** A state as bytes, before anybody's conditions. */
export interface Representation extends Pick<Answer, 'pages'> {
  readonly body: Uint8Array<ArrayBuffer>;
  readonly etag: string;
  readonly mediaType: string;
}

/** Encoded once, for its hash and for the socket. */
export function conditional(call: Asked, pieces: readonly string[], facts: StateFacts): StateAnswer {
  const { readAt, pages, alsoRead, stated, mediaType = 'application/json' } = facts;
  const body = toBytes(pieces);
  const answer = underConditions(call, { body, etag: toETag(body), mediaType, pages }, readAt);
  return alsoRead === undefined && stated === undefined ? answer : asStateAnswer({ ...answer, alsoRead, stated });
}

/** RFC 9110 §13.2.2: refused, unchanged or found. */
export function underConditions({ preconditions }: Asked, { body, etag, mediaType, pages }: Representation, readAt: Position): StateAnswer {
  mustMatch(preconditions, () => etag);
  return isUnchanged(preconditions, etag)
    ? asStateAnswer({ outcome: 'unchanged', etag, pages, readAt })
    : asStateAnswer({ outcome: 'found', body, etag, mediaType, pages, readAt });
}

/** Nothing that the caller may see, which no condition is about. */
export function absentAt(readAt: Position): StateAnswer {
  return asStateAnswer({ outcome: 'absent', readAt });
}

/** The mark is for the compiler alone: whoever holds a state's answer got it here. */
function asStateAnswer(answer: Answer): StateAnswer {
  return answer as StateAnswer;
}
