/** What was changed of a document, by whom, where its resource keeps a log of it (SEMANTICS §21). */
import type { Resource } from '../contract/resource.ts';
import { operations } from '../operations/operation.ts';
import { limits } from '../wire/limits.ts';
import { limitIn } from '../wire/page-parameters.ts';
import { mustKnowOnly, toParameters } from '../wire/parameters.ts';

export const historyOperations = operations({
  history: {
    method: 'GET', at: '/:id/history', answers: 'moment', right: 'history',
    body: 'none', bodyBytesMax: limits.bodyBytesMax, takes: [], gives: ['application/json'], carries: [], conditions: 'none',
    msMax: limits.requestMsMax, cost: 1, offered: ({ history }: Resource) => history !== undefined, parse: parsePage,
    holds: { answer: 'history' },
  },
});

export interface HistoryPage {
  readonly limit: number;
  /** The `next` of the page before. */
  readonly after: string | undefined;
}

function parsePage(_resource: unknown, query: string): HistoryPage {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['limit', 'after'], 'a history is read by limit and after');
  return { limit: limitIn(parameters), after: parameters.get('after') ?? undefined };
}
