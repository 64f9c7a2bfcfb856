/** Refusals as components: every reason by its name, and all reasons of a status together. */
import { faultReasons, type FaultReason, problemKindOf } from '../wire/fault.ts';
import { problemMediaType, problemTypeOf } from '../wire/problem.ts';
import type { JsonObject } from '../wire/values.ts';
import { schemaRef } from './described.ts';
import { type AnswerHeader, headerRefs } from './headers.ts';

const text = { type: 'string' } as const;

export const problemSchemas: JsonObject = {
  Problem: {
    description: 'A refusal (RFC 9457). `code` names its reason, `instance` and `traceId` this occurrence.',
    type: 'object',
    required: ['type', 'title', 'status', 'instance', 'code'],
    properties: {
      type: text, title: text, status: { type: 'integer' }, detail: text, instance: text, traceId: text, code: { enum: [...faultReasons] },
      errors: { type: 'array', items: schemaRef('FieldError') },
      outcome: { const: 'unknown', description: 'Whether the write has happened is not known.' },
      'violated-policies': { type: 'array', items: text, description: 'The windows of the plan that are used up.' },
    },
  },
  FieldError: {
    description: 'One place that is wrong: a JSON Pointer (RFC 6901), a parameter or a header.',
    type: 'object',
    required: ['at', 'in', 'detail'],
    properties: { at: text, in: { enum: ['body', 'query', 'header', 'path'] }, detail: text },
  },
};

/** Fields of refusals with such a status. */
const ofStatus: Readonly<Partial<Record<number, readonly AnswerHeader[]>>> = {
  401: ['WWW-Authenticate'], 405: ['Allow'], 429: ['Retry-After'], 503: ['Retry-After'],
};
const ofAll = ['X-Request-Id'] as const;

export const problemResponses: JsonObject = Object.fromEntries([
  ...faultReasons.map((reason) => [reason, toResponse([reason])] as const),
  ...[...Map.groupBy(faultReasons, (reason) => problemKindOf(reason).status)].map(
    ([status, reasons]) => [`status${status}`, toResponse(reasons)] as const,
  ),
  ['refusal', content('Refused.', ofAll, schemaRef('Problem'))],
]);

function toResponse(reasons: readonly [FaultReason, ...FaultReason[]] | readonly FaultReason[]): JsonObject {
  const kinds = reasons.map((reason) => ({ ...problemKindOf(reason), type: problemTypeOf(reason) }));
  const status = kinds[0]?.status ?? 500;
  const words = reasons.map((reason, index) => `\`${reason}\`: ${kinds[index]?.title}.`).join(' ');
  return content(words, [...ofAll, ...(ofStatus[status] ?? [])], {
    allOf: [schemaRef('Problem')],
    properties: {
      status: { const: status }, code: { enum: [...reasons] }, ...(kinds.length === 1 ? { type: { const: kinds[0]?.type ?? '' } } : {}),
    },
  });
}

function content(description: string, headers: readonly AnswerHeader[], schema: JsonObject): JsonObject {
  return { description, headers: headerRefs(headers), content: { [problemMediaType]: { schema } } };
}
