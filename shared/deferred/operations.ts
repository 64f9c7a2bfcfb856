/** Operations that go on behind their answer, as clients look at them: how far one is, what it answered, and its end. */
import { signedIn } from '../contract/rules.ts';
import { operations } from '../operations/operation.ts';
import { limits } from '../wire/limits.ts';
import { mustBeWithoutParameters } from '../wire/parameters.ts';
import { deferred } from './resource.ts';

const about = 'operations';
const json = 'application/json';
const short = { right: signedIn, body: 'none', takes: [], bodyBytesMax: limits.bodyBytesMax, msMax: limits.requestMsMax, cost: 1 } as const;
const parseNone = (_resource: unknown, query: string): void => mustBeWithoutParameters(query);

export const deferredOperations = operations({
  getOperation: {
    ...short, method: 'GET', at: { path: '/operations/:id', about }, answers: 'state', gives: [json],
    carries: ['if-match', 'if-none-match'], conditions: 'read', parse: parseNone,
    // Of one caller, and of the clock; internal resources are not cached.
    cached: () => ({ name: 'operation', dependencies: [{ resource: deferred.name, buckets: [] }], keepsAbsence: false }),
  },
  cancelOperation: {
    ...short, method: 'DELETE', at: { path: '/operations/:id', about }, answers: 'effect', gives: [json],
    carries: [], conditions: 'none', parse: parseNone,
  },
  getResult: {
    ...short, method: 'GET', at: { path: '/operations/:id/result', about }, answers: 'moment',
    gives: [json, 'application/x-ndjson', 'text/csv'], msMax: limits.exportMsMax,
    carries: [], conditions: 'none', parse: parseNone,
  },
});
