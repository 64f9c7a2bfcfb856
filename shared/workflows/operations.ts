/** Workflows as clients see them: their owner begins, looks at, signals and cancels one; an admin retries it. */
import * as z from 'zod';
import { bodyOf } from '../contract/documents.ts';
import { role, signedIn } from '../contract/rules.ts';
import { feed } from '../operations/feed.ts';
import { operations } from '../operations/operation.ts';
import { limits } from '../wire/limits.ts';
import { limitIn, placeIn, stateIn } from '../wire/page-parameters.ts';
import { mustBeWithoutParameters, mustKnowOnly, toParameters } from '../wire/parameters.ts';
import type { JsonObject } from '../wire/values.ts';
import { workflowLimits } from './limits.ts';
import { workflows, workflowStates, type WorkflowState } from './resource.ts';

const json = 'application/json';
const about = 'workflows';
const short = { bodyBytesMax: limits.bodyBytesMax, msMax: limits.requestMsMax, cost: 1, right: signedIn, gives: [json] } as const;
const read = {
  ...short, method: 'GET', answers: 'state', body: 'none', takes: [], carries: ['if-match', 'if-none-match'], conditions: 'read',
} as const;
const effect = { ...short, method: 'POST', answers: 'effect', carries: ['idempotency-key'], conditions: 'none' } as const;
const sent = { ...effect, body: 'buffered', takes: [json] } as const;
const unsent = { ...effect, body: 'none', takes: [] } as const;
const parse = (_resource: unknown, query: string): void => mustBeWithoutParameters(query);
/** Each is its owner's, and changes more often than it is asked for. */
const cached = () => ({ name: 'workflows', dependencies: [{ resource: workflows.name, buckets: [] }], keepsAbsence: false });

const name = z.string().min(1).max(workflowLimits.nameCharactersMax);
/** What `input` and `payload` must be, the workflow says: the origin knows it. */
const input = z.unknown().refine((given) => given !== undefined, 'is missing: what the workflow takes, {} where it takes nothing');
const newWorkflow = z.object({ workflow: name, input });
/** `step` is the one that waits. */
const signal = z.object({ step: name, payload: z.unknown().optional() });

export const workflowBodies = { newWorkflow: bodyOf(newWorkflow), signal: bodyOf(signal) } as const;

export const workflowOperations = operations({
  startWorkflow: { ...sent, at: { path: '/workflows', about }, parse, schema: () => workflowBodies.newWorkflow },
  listWorkflows: { ...read, at: { path: '/workflows', about }, parse: parsePage, cached },
  getWorkflow: { ...read, at: { path: '/workflows/:id', about }, parse, cached },
  cancelWorkflow: { ...unsent, method: 'DELETE', at: { path: '/workflows/:id', about }, parse },
  retryWorkflow: {
    ...unsent, at: { path: '/workflows/:id/retry', about }, right: role('admin'), parse: parseRetry,
    otherwise: 'a workflow is retried by an admin; its owner looks at it, GET /workflows/:id, signals and cancels it',
  },
  followWorkflow: { ...feed, at: { path: '/workflows/:id/changes', about }, right: signedIn },
  signalWorkflow: { ...sent, at: { path: '/workflows/:id/signal', about }, parse, schema: () => workflowBodies.signal },
});

export type NewWorkflow = z.output<typeof newWorkflow>;
export type Signal = z.output<typeof signal>;

/** What the schemas made of a body. */
export function newWorkflowIn(body: JsonObject): NewWorkflow {
  return body as NewWorkflow;
}

export function signalIn(body: JsonObject): Signal {
  return body as Signal;
}

export interface Retry {
  /** The step from which it goes on anew. */
  readonly from: string | undefined;
}

function parseRetry(_resource: unknown, query: string): Retry {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['from'], 'a workflow is retried from a step, or without parameters');
  return { from: parameters.get('from') ?? undefined };
}

export interface WorkflowsPage {
  readonly limit: number;
  /** `undefined`: in any. */
  readonly state: WorkflowState | undefined;
  /** Where the page before ended. */
  readonly after: { readonly made: string; readonly id: string } | undefined;
}

/** What `after` takes: a moment and an id, as a page's `next` has them. */
export const workflowsAfter = /^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z)_([0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12})$/;

function parsePage(_resource: unknown, query: string): WorkflowsPage {
  const parameters = toParameters(query);
  mustKnowOnly(parameters, ['state', 'limit', 'after'], 'workflows are listed by state, limit and after');
  const state = stateIn(parameters, workflowStates);
  const limit = limitIn(parameters);
  const place = placeIn(parameters, workflowsAfter);
  return { limit, state, after: place && { made: place[0], id: place[1] } };
}
