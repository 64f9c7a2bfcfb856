/** Jobs as clients see them: their owner asks for one and cancels it; an admin lists dead ones and retries them. */
import { role, signedIn } from '../contract/rules.ts';
import { operations } from '../operations/operation.ts';
import { limits } from '../wire/limits.ts';
import { limitIn, placeIn } from '../wire/page-parameters.ts';
import { mustBeWithoutParameters, mustKnowOnly, toParameters } from '../wire/parameters.ts';
import { jobs } from './resource.ts';

const json = 'application/json';
/** The name of the resource, as a type that handlers are found by. */
const about = 'tombolo_jobs';
const short = { bodyBytesMax: limits.bodyBytesMax, msMax: limits.requestMsMax, cost: 1, body: 'none', takes: [], gives: [json] } as const;
const read = { ...short, method: 'GET', answers: 'state', carries: ['if-match', 'if-none-match'], conditions: 'read' } as const;
const effect = { ...short, answers: 'effect', carries: ['idempotency-key'], conditions: 'none' } as const;
const parseNone = (_resource: unknown, query: string): void => mustBeWithoutParameters(query);
/** Jobs change more often than they are asked for. */
const unkept = () => ({ name: 'jobs', dependencies: [{ resource: jobs.name, buckets: [] }], keepsAbsence: false });

export const jobOperations = operations({
  listJobs: {
    ...read, at: { path: '/jobs', about }, right: role('admin'),
    otherwise: 'dead jobs are listed for admins; whoever enqueued a job asks for it by its id, GET /jobs/:id',
    parse: parsePage, cached: unkept,
  },
  getJob: {
    ...read, at: { path: '/jobs/:id', about }, right: signedIn,
    parse: parseNone, cached: unkept,
  },
  cancelJob: {
    ...effect, method: 'DELETE', at: { path: '/jobs/:id', about }, right: signedIn,
    parse: parseNone,
  },
  retryJob: {
    ...effect, method: 'POST', at: { path: '/jobs/:id/retry', about }, right: role('admin'),
    otherwise: 'a dead job is retried by an admin; whoever enqueued it looks at it by its id, GET /jobs/:id',
    parse: parseNone,
  },
});

export interface JobsPage {
  readonly limit: number;
  /** Where the page before ended. */
  readonly after: { readonly dueAt: string; readonly id: string } | undefined;
}

/** What `after` takes: a moment and an id, as a page's `next` has them. */
export const jobsAfter = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

function parsePage(_resource: unknown, query: string): JobsPage {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['limit', 'after'], 'jobs are listed by limit and after');
  const limit = limitIn(parameters);
  const place = placeIn(parameters, jobsAfter);
  return { limit, after: place && { dueAt: place[0], id: place[1] } };
}
