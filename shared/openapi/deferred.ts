/** What the description says of operations that go on behind their answer. */
import { deferredLimits } from '../deferred/limits.ts';
import type { JsonObject } from '../wire/values.ts';
import { type DescribedAnswer, schemaRef } from './described.ts';
import { headersOfStates } from './headers.ts';

const json = 'application/json';
const text = { type: 'string' } as const;
const count = { type: 'integer', minimum: 0 } as const;
const moment = { type: 'string', format: 'date-time' } as const;

/** By the name of its component. */
export const deferredSchemas: JsonObject = {
  Operation: {
    type: 'object', additionalProperties: false,
    required: ['id', 'operation', 'resource', 'state', 'madeAt', 'rows', 'rejected', 'rowsPerSecond'],
    properties: {
      id: text, operation: { ...text, description: 'Its name, as in `import`.' }, resource: text,
      state: { enum: ['waiting', 'running', 'done', 'failed', 'cancelled'] },
      madeAt: moment, startedAt: moment, endedAt: moment,
      rows: { ...count, description: 'Committed, rejected or given out so far.' }, rejected: count, rowsPerSecond: count,
      summary: { type: 'object', description: 'How an import ended: the `summary` of an `ImportSummary`.' },
      problem: schemaRef('Problem'),
      result: {
        type: 'object', required: ['path', 'mediaType', 'bytes'], additionalProperties: false,
        properties: { path: text, mediaType: text, bytes: count },
        description: 'Where its answer is, for whoever asked for it.',
      },
      keptUntil: { ...moment, description: 'Until when status and answer are there, once it has ended.' },
    },
  },
};

export function operationAnswer(): readonly DescribedAnswer[] {
  return [{ status: 200, description: 'How far it is.', headers: headersOfStates, mediaType: json, schema: schemaRef('Operation') }];
}

export function cancelledAnswer(): readonly DescribedAnswer[] {
  return [
    { status: 202, description: 'It ends at its next step.', headers: [], mediaType: json, schema: schemaRef('Operation') },
    { status: 200, description: 'It had ended, and is forgotten.', headers: [], mediaType: json, schema: schemaRef('Operation') },
  ];
}

export function resultAnswer(): readonly DescribedAnswer[] {
  return [{
    status: 200, description: 'What it answered.', headers: [], mediaType: json, schema: {},
    forms: { 'application/x-ndjson': text, 'text/csv': text },
  }];
}

/** Of an operation that may go on behind its answer. */
export const acceptedAnswer: DescribedAnswer = {
  status: 202, headers: ['Location', 'Preference-Applied', 'Retry-After'], mediaType: json,
  description: `With \`Prefer: respond-async\`: it goes on behind this answer, ${deferredLimits.ofOneMax} of a caller at once. ` +
    'Its status is at `Location`.',
  schema: { type: 'object', required: ['id', 'state'], properties: { id: text, state: { const: 'waiting' } }, additionalProperties: false },
};
