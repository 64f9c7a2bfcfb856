/** What all rows of live streams have in common. */
import { parseChangesQuery } from '../contract/query.ts';
import type { Resource } from '../contract/resource.ts';
import { limits } from '../wire/limits.ts';
import type { CarriedHeader } from './operation.ts';

export interface FeedInput {
  /** Position tokens: `after` of the query and the last event that was heard. */
  readonly after: string | undefined;
  readonly lastEventId: string | undefined;
  /** Of a caller who came with a ticket. */
  readonly stream: string | undefined;
}

export const feed = {
  method: 'GET', answers: 'moment', body: 'none', bodyBytesMax: limits.bodyBytesMax, takes: [], gives: ['text/event-stream'],
  carries: ['last-event-id', 'tombolo-stream'], conditions: 'read', msMax: limits.streamMsMax, cost: 1,
  parse: (_resource: Resource, query: string, header: (name: CarriedHeader) => string | null): FeedInput => ({
    after: parseChangesQuery(query),
    lastEventId: header('last-event-id') ?? undefined,
    stream: header('tombolo-stream') ?? undefined,
  }),
} as const;
