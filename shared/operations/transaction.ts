/** Operations of several resources in one request, all or none (SEMANTICS §17): each by the rules of its own resource. */
import { everyResource, resourcesOf } from '../contract/every-resource.ts';
import { anyone } from '../contract/rules.ts';
import { costOf } from '../limits/cost.ts';
import { limits } from '../wire/limits.ts';
import { mustBeWithoutParameters } from '../wire/parameters.ts';
import { documents } from './documents.ts';
import { operations } from './operation.ts';
import { stepsBody, stepsOf } from './steps.ts';

/** By what a step does: the row of a request of its own. */
export const rowsOfSteps = {
  create: documents.create, replace: documents.replace, upsert: documents.upsert, patch: documents.patch, remove: documents.remove,
} as const;

export const transaction = operations({
  transaction: {
    method: 'POST', at: { path: '/transaction', about: everyResource }, answers: 'effect', right: anyone, conditions: 'none',
    body: 'buffered', bodyBytesMax: limits.bodyBytesMax, takes: ['application/json'], gives: ['application/json'],
    carries: documents.create.carries, msMax: limits.requestMsMax, cost: 1,
    parse: (_resource, query) => mustBeWithoutParameters(query), schema: stepsBody,
    counts: ({ resource, body }) => stepsOf(body).reduce((sum, { op, resource: name }) => {
      const of = resourcesOf(resource).get(name);
      return sum + (of === undefined ? 1 : costOf(of, rowsOfSteps[op]));
    }, 0),
    holds: { body: 'steps', answer: 'results' },
  },
});
