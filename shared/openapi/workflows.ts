/** What the description says of workflows: one as it is shown, a page of them, and the bodies. */
import { shownOf } from '../contract/documents.ts';
import { workflowBodies, workflowsAfter } from '../workflows/operations.ts';
import { stepStates, undoReasons, workflowStates } from '../workflows/resource.ts';
import type { JsonObject } from '../wire/values.ts';
import { eventsAnswer } from './answers.ts';
import { type DescribedAnswer, placeOf, type QueryParameter, schemaRef } from './described.ts';
import { headersOfStates } from './headers.ts';
import { toJsonSchema } from './json-schema.ts';
import { afterLike, limitOf, pageAnswer, stateOf } from './pages.ts';

const json = 'application/json';
const text = { type: 'string' } as const;
const moment = { type: 'string', format: 'date-time' } as const;

export const workflowComponents = { newWorkflow: { [json]: 'NewWorkflow' }, signal: { [json]: 'WorkflowSignal' } } as const;

/** Bodies as a caller could send them. */
export const workflowExamples = {
  newWorkflow: {
    [json]: {
      workflow: 'order',
      input: {
        order: '0198f3a2-7c4e-7b1a-9d2f-3e4a5b6c7d8e', screening: '0198f3a2-7c4e-7b1a-9d2f-3e4a5b6c7d8f', card: 'tok_ok',
        mail: 'alice@example.com',
      },
    },
  },
  signal: { [json]: { step: 'approval', payload: { approved: true } } },
} as const;

const step = {
  type: 'object', required: ['name', 'state'], additionalProperties: false,
  properties: { name: text, state: { enum: [...stepStates] }, result: { description: 'What it gave, or a signal brought.' } },
} as const;

const shown = {
  id: text, workflow: { ...text, description: 'The name that it is declared by.' }, state: { enum: [...workflowStates] },
  steps: { type: 'array', items: step, description: 'Those that began, in their order.' },
  why: { enum: [...undoReasons], description: 'Why what was done is undone.' },
  from: { ...text, description: 'The step with which it goes on once that and those behind it are undone.' },
  error: { ...text, description: 'Why a step failed.' }, owner: text, tenant: text,
  round: { type: 'integer', description: 'How often it began, or went on anew from a step.' }, createdAt: moment, endedAt: moment,
} as const;

/** By the names of their components. */
export function workflowSchemas(): JsonObject {
  return {
    NewWorkflow: toJsonSchema(shownOf(workflowBodies.newWorkflow), 'input', placeOf('NewWorkflow')),
    WorkflowSignal: toJsonSchema(shownOf(workflowBodies.signal), 'input', placeOf('WorkflowSignal')),
    Workflow: {
      type: 'object', required: ['id', 'workflow', 'state', 'steps', 'owner', 'round', 'createdAt'], properties: shown,
      additionalProperties: false,
    },
  };
}

export function workflowAnswer(): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'The workflow.', headers: headersOfStates, mediaType: json, schema: schemaRef('Workflow') }];
}

export function workflowMovedAnswer(): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'The workflow.', headers: ['Tombolo-Position'], mediaType: json, schema: schemaRef('Workflow') }];
}

export function workflowStartedAnswer(): readonly DescribedAnswer[] {
  const headers = ['Location', 'Tombolo-Position'] as const;
  return [{ status: 201, description: 'The workflow, at its first step.', headers, mediaType: json, schema: schemaRef('Workflow') }];
}

export function workflowsAnswer(): readonly DescribedAnswer[] {
  return pageAnswer(schemaRef('Workflow'), 'A page, newest first.');
}

export function workflowFeedAnswer(): readonly DescribedAnswer[] {
  return eventsAnswer('the workflow (`Workflow`)');
}

export function workflowRetryParameters(): readonly QueryParameter[] {
  return [{
    name: 'from', schema: { type: 'string' },
    description: 'A step that it has come to: that and all behind it are undone, the last first, and then it goes on there.',
  }];
}

export function workflowsParameters(): readonly QueryParameter[] {
  return [stateOf(workflowStates), limitOf('Workflows'), afterLike(workflowsAfter.source)];
}
