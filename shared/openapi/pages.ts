/** What the description says of pages of Tombolo's own resources. */
import { limits } from '../wire/limits.ts';
import type { JsonObject } from '../wire/values.ts';
import type { DescribedAnswer, QueryParameter } from './described.ts';
import { headersOfStates } from './headers.ts';

/** The schema of a page of such items. */
export function pageSchema(items: JsonObject): JsonObject {
  return {
    type: 'object', required: ['data', 'page'], additionalProperties: false,
    properties: {
      data: { type: 'array', items, maxItems: limits.pageDocumentsMax },
      page: {
        type: 'object', required: ['limit', 'next'], additionalProperties: false,
        properties: {
          limit: { type: 'integer' }, next: { type: ['string', 'null'], description: 'Given as `after`, asks for the next page.' },
        },
      },
    },
  };
}

export function pageAnswer(items: JsonObject, description: string): readonly DescribedAnswer[] {
  return [{ status: 200, description, headers: headersOfStates, mediaType: 'application/json', schema: pageSchema(items) }];
}

/** `what`: whose pages they are, as a sentence begins. */
export function limitOf(what: string): QueryParameter {
  return {
    name: 'limit', description: `${what} of a page.`,
    schema: { type: 'integer', minimum: 1, maximum: limits.pageDocumentsMax, default: limits.pageDocumentsDefault },
  };
}

/** `pattern`: what a `next` is like, where it can be said. */
export function afterLike(pattern?: string): QueryParameter {
  const schema = { type: 'string', ...(pattern === undefined ? {} : { pattern }) };
  return { name: 'after', description: 'The `next` of the page before.', schema };
}

export function stateOf(states: readonly string[]): QueryParameter {
  return { name: 'state', description: 'Those in this state alone.', schema: { enum: [...states] } };
}
