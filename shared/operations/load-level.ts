/**
 * Which operations an origin with too much to do refuses first (SEMANTICS §9). It has a level of load from 0 to 4, and refuses
 * what is named at its level and at those below.
 *
 *   1  uploads, exports, and whatever costs ten units or more
 *   2  reads of a collection, and changes of many documents
 *   3  changes of one document, and feeds that are opened
 *   4  reads of one document
 */
import { costOf, type ResourceLimits } from '../limits/cost.ts';
import { isFeed, isOfDocument, type Operation } from './operation.ts';

export type LoadLevel = 0 | 1 | 2 | 3 | 4;

/** What an origin with a level above 0 says in its answers, to the edge alone. */
export const loadHeader = 'tombolo-load';

/** By level the seconds after which who was refused may come back: what is dear comes back late. */
export const loadRetrySeconds = [0, 10, 5, 2, 1] as const satisfies Record<LoadLevel, number>;

const costDear = 10;

/** By what its row and its resource say of it. */
export function refusedAt(resource: { readonly limits: ResourceLimits }, operation: Operation): Exclude<LoadLevel, 0> {
  if (operation.body === 'streamed' || costOf(resource, operation) >= costDear) return 1;
  if (operation.answers === 'moment') return isFeed(operation) ? 3 : 1;
  if (operation.answers === 'state') return isOfDocument(operation) ? 4 : 2;
  return operation.counts === undefined ? 3 : 2;
}

export function parseLoad(header: string | undefined): LoadLevel {
  return header !== undefined && /^[1-4]$/.test(header) ? (Number(header) as LoadLevel) : 0;
}
