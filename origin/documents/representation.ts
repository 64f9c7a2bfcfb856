/** A representation under its caller's conditions, and how it is read. */
import type { Position } from '../../shared/wire/position.ts';
import type { Answer, Asked, StateAnswer } from '../call.ts';
import type { ReadOptions } from '../store/store.ts';
import { toBytes } from './body-bytes.ts';
import { isUnchanged, mustMatch, toETag } from './etag.ts';

export function readOptions({ deadline, atLeast }: Asked): ReadOptions {
  return atLeast === undefined ? { deadline } : { deadline, atLeast };
}

/** Where a state was read, what of, and what lies around it. */
export type StateFacts = Pick<Answer, 'pages' | 'alsoRead' | 'stated'> & { readonly readAt: Position };

/** RFC 9110 §13.2.2: refused, unchanged or found. Encoded once, for its hash and for the socket. */
export function conditional({ preconditions }: Asked, pieces: readonly string[], facts: StateFacts): StateAnswer {
  const body = toBytes(pieces);
  const etag = toETag(body);
  mustMatch(preconditions, () => etag);
  return isUnchanged(preconditions, etag)
    ? asStateAnswer({ outcome: 'unchanged', etag, ...facts })
    : asStateAnswer({ outcome: 'found', body, etag, mediaType: 'application/json', ...facts });
}

/** Nothing that the caller may see, which no condition is about. */
export function absentAt(readAt: Position): StateAnswer {
  return asStateAnswer({ outcome: 'absent', readAt });
}

/** The mark is for the compiler alone: whoever holds a state's answer got it here. */
function asStateAnswer(answer: Answer): StateAnswer {
  return answer as StateAnswer;
}
