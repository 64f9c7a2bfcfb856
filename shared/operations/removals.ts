/** What there is to do with removed documents, where a resource declares that they stay for a while (SEMANTICS §17). */
import { dependenciesOfDocument, dependenciesOfRemoved } from '../contract/dependencies.ts';
import { type DocumentQuery, formatQuery, type ListQuery, parseDocumentQuery } from '../contract/query.ts';
import { listingRemoved, parseRemovedQuery } from '../contract/removed-query.ts';
import type { Resource } from '../contract/resource.ts';
import { limits } from '../wire/limits.ts';
import { mustBeWithoutParameters } from '../wire/parameters.ts';
import { operations, type StateRead } from './operation.ts';

const json = 'application/json';
const common = {
  bodyBytesMax: limits.bodyBytesMax, msMax: limits.requestMsMax, cost: 1, right: 'restore', body: 'none', takes: [], gives: [json],
  offered: ({ removal }: Resource) => removal !== undefined,
} as const;
const read = { ...common, method: 'GET', answers: 'state', carries: ['if-match', 'if-none-match'], conditions: 'read' } as const;
const write = {
  ...common, answers: 'effect', carries: ['idempotency-key', 'if-match', 'if-none-match'], conditions: 'change',
  parse: (_resource: unknown, query: string): void => mustBeWithoutParameters(query),
} as const;

/** Its removed documents as a resource, for what is described of lists. */
function trashOf(resource: Resource): Resource {
  return resource.removal === undefined ? resource : listingRemoved(resource, resource.removal);
}

export const removals = operations({
  removed: {
    ...read, at: '/removed', gives: [json, 'text/csv'], isNegotiated: true,
    parse: parseRemovedQuery,
    cached: ({ resource, input }: StateRead<ListQuery>) => ({
      name: `removed ${formatQuery(input)}`, dependencies: dependenciesOfRemoved(resource), keepsAbsence: false,
    }),
    holds: { answer: 'page' },
  },
  removedOne: {
    ...read, at: '/:id/removed',
    parse: (resource, query) => (query === '' ? undefined : parseDocumentQuery(trashOf(resource), query)),
    cached: ({ resource, id, input }: StateRead<DocumentQuery | undefined>) => ({
      name: `removed one ${JSON.stringify([id, input?.fields ?? null])}`,
      dependencies: dependenciesOfDocument(resource, id), keepsAbsence: false,
    }),
    holds: { answer: 'document' },
  },
  restore: {
    ...write, method: 'POST', at: '/:id/restore',
    holds: { answer: 'document' },
  },
  erase: {
    ...write, method: 'DELETE', at: '/:id/removed',
  },
});
