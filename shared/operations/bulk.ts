/** Several documents of one resource in one request (SEMANTICS §17): each written as alone, or all or none. */
import { limits } from '../wire/limits.ts';
import { type Changing, parseChanging, parseRemoving, type Removing } from './bulk-query.ts';
import { changedItemsBody, changesOf } from './changed-items.ts';
import { documents } from './documents.ts';
import { type Counted, operations } from './operation.ts';

const short = { bodyBytesMax: limits.bodyBytesMax, msMax: limits.requestMsMax, cost: 1 } as const;

export const bulk = operations({
  patchMany: {
    ...short, method: 'PATCH', at: '/', answers: 'effect', right: 'update', conditions: 'none',
    body: 'buffered', takes: ['application/json', 'application/x-ndjson'], gives: ['application/json'],
    carries: [...documents.patch.carries, 'prefer'],
    parse: parseChanging, schema: changedItemsBody,
    counts: ({ body, input: { query } }: Counted<Changing>) => changesOf(body, query).items?.length ?? query?.limit ?? 1,
    holds: { body: 'items', answer: 'results' },
  },
  removeMany: {
    ...short, method: 'DELETE', at: '/', answers: 'effect', right: 'remove', conditions: 'none',
    body: 'none', takes: [], gives: ['application/json'],
    carries: [...documents.remove.carries, 'prefer'],
    parse: parseRemoving, counts: ({ input }: Counted<Removing>) => ('ids' in input ? input.ids.length : input.query.limit),
    holds: { answer: 'results' },
  },
});
