/** What others send to us, each delivery signed by its source. */
import * as z from 'zod';
import { patchBody } from '../contract/documents.ts';
import { anyone } from '../contract/rules.ts';
import { operations } from '../operations/operation.ts';
import { limits } from '../wire/limits.ts';
import { mustBeWithoutParameters } from '../wire/parameters.ts';
import { incomingLimits } from './limits.ts';

const body = patchBody(z.looseObject({}), (parsed) => parsed);

export const incomingOperations = operations({
  receive: {
    method: 'POST', at: { path: '/incoming/:id', about: 'tombolo_received' }, answers: 'effect', right: anyone,
    body: 'buffered', bodyBytesMax: incomingLimits.bytesMax, takes: ['application/json'], gives: ['application/json'],
    carries: ['tombolo-delivery'], conditions: 'none', msMax: limits.requestMsMax, cost: 1,
    // What the edge tells of the request: JSON, or nothing.
    parse: (_resource, query, header) => {
      mustBeWithoutParameters(query);
      return header('tombolo-delivery') ?? undefined;
    },
    schema: () => body,
  },
});
