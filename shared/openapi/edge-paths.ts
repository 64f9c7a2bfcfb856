/** The edge's own paths, as path items of the description. The report of changes is the origin's alone to send. */
import type { Version } from '../versions/versions.ts';
import { edgePaths } from '../wire/edge-paths.ts';
import type { JsonObject } from '../wire/values.ts';
import { headerRefs, headersOfAll } from './headers.ts';
import { usageSchema } from './usage.ts';

export function edgePathItems({ name }: Version): JsonObject {
  return {
    [edgePaths.health]: {
      get: {
        operationId: 'health',
        summary: 'Says that the edge is up, and which contract it speaks. Nothing is asked and nothing counted.',
        security: [{}],
        responses: {
          200: answer('The edge is up.', {
            type: 'object', required: ['status', 'contract'], properties: { status: { const: 'ok' }, contract: { type: 'string' } },
          }, false),
          default: { $ref: '#/components/responses/refusal' },
        },
      },
    },
    [edgePaths.openapi]: {
      get: {
        operationId: 'openapi',
        summary: 'Describes this API.',
        security: [{}, { bearer: [] }],
        parameters: [{ $ref: '#/components/parameters/If-None-Match' }],
        responses: {
          200: answer('This document.', { type: 'object', required: ['openapi', 'info', 'paths'] }),
          304: { $ref: '#/components/responses/unchanged' },
          400: { $ref: '#/components/responses/status400' },
          429: { $ref: '#/components/responses/status429' },
          default: { $ref: '#/components/responses/refusal' },
        },
      },
    },
    [`/${name}${edgePaths.usage}`]: { get: usageItem() },
    [`/${name}${edgePaths.tickets}`]: {
      post: {
        operationId: 'tickets',
        summary: 'Gives whoever is signed in a ticket to open one live feed with.',
        security: [{ bearer: [] }],
        responses: {
          201: answer('The ticket, and for how many seconds it is good.', {
            type: 'object', required: ['ticket', 'expiresIn'],
            properties: { ticket: { type: 'string' }, expiresIn: { type: 'integer', minimum: 1 } },
          }),
          401: { $ref: '#/components/responses/status401' },
          429: { $ref: '#/components/responses/status429' },
          default: { $ref: '#/components/responses/refusal' },
        },
      },
    },
  };
}

function usageItem(): JsonObject {
  return {
    operationId: 'usage',
    summary: 'Says what the caller has spent, by day (UTC), and what is left of the month. It is counted as the address’s.',
    security: [{ bearer: [] }],
    parameters: [
      parameter('key', { type: 'string', pattern: '^[0-9a-f]{24}$' }, 'What was asked with this key, for whoever may see the key.'),
      parameter('tenant', { type: 'string' }, 'What all callers of this tenant have spent, for its admins, where tenants have plans.'),
    ],
    responses: {
      200: answer('Units of the caller’s plan.', usageSchema),
      400: { $ref: '#/components/responses/status400' },
      401: { $ref: '#/components/responses/status401' },
      429: { $ref: '#/components/responses/status429' },
      default: { $ref: '#/components/responses/refusal' },
    },
  };
}

function parameter(name: string, schema: JsonObject, description: string): JsonObject {
  return { name, in: 'query', schema, description };
}

function answer(description: string, schema: JsonObject, isCounted = true): JsonObject {
  const headers = headerRefs(isCounted ? headersOfAll : ['API-Version', 'X-Request-Id']);
  return { description, headers, content: { 'application/json': { schema } } };
}
