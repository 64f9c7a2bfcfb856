/** What the description says of jobs: a job as it is shown, and a page of those that were given up. */
import { jobsAfter } from '../jobs/operations.ts';
import { jobStates } from '../jobs/resource.ts';
import type { JsonObject } from '../wire/values.ts';
import { type DescribedAnswer, type QueryParameter, schemaRef } from './described.ts';
import { headersOfStates } from './headers.ts';
import { afterLike, limitOf, pageAnswer } from './pages.ts';

const json = 'application/json';
const text = { type: 'string' } as const;
const moment = { type: 'string', format: 'date-time' } as const;

const shown = {
  id: text, name: text, queue: text, state: { enum: [...jobStates] },
  attempt: { type: 'integer', description: 'Attempts that were begun.' },
  progress: { type: 'number', minimum: 0, maximum: 1 },
  result: { description: 'What its handler gave.' },
  error: { ...text, description: 'Why the last attempt failed.' },
  createdAt: moment, runAt: { ...moment, description: 'Of a delayed job: when its next attempt begins.' }, endedAt: moment,
} as const;
const required = ['id', 'name', 'queue', 'state', 'attempt', 'createdAt'] as const;
const alsoDead = { owner: text, tenant: text, payload: { description: 'What it was enqueued with.' } } as const;

export function jobSchemas(): JsonObject {
  return {
    Job: { type: 'object', required: [...required], properties: shown, additionalProperties: false },
    DeadJob: {
      type: 'object', required: [...required, 'owner', 'payload'], properties: { ...shown, ...alsoDead }, additionalProperties: false,
    },
  };
}

export function jobAnswer(): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'The job.', headers: headersOfStates, mediaType: json, schema: schemaRef('Job') }];
}

export function jobRetriedAnswer(): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'The job, ready again.', headers: ['Tombolo-Position'], mediaType: json, schema: schemaRef('Job') }];
}

export function jobsAnswer(): readonly DescribedAnswer[] {
  return pageAnswer(schemaRef('DeadJob'), 'A page, oldest first.');
}

export function jobsParameters(): readonly QueryParameter[] {
  return [limitOf('Jobs'), afterLike(jobsAfter.source)];
}
